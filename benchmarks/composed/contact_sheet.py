"""Frames of an episode with its truth drawn in, to be looked at."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np

from benchmarks.composed.compose import Composed
from screenalytics_core.demo_render import Image

_CLEAR: Final = (80, 220, 80)
_HARD: Final = (0, 190, 255)
_AWAY: Final = (60, 60, 230)
_COLUMNS: Final = 6


def draw_sheet(made: Composed, path: Path, pictures: int = 30) -> Path:
    """Write a PNG of labelled frames: green = clear, amber = hard, red = away."""
    truth = made.truth()
    labelled = truth["labelled_frames"]
    chosen = [labelled[i] for i in np.linspace(0, len(labelled) - 1, pictures).astype(int)]
    faces: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for face in truth["faces"]:
        faces[face["frame_idx"]].append(face)
    tiles = []
    with av.open(str(made.video_path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index in chosen:
                image = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
                tile = _tile(image, faces[index], f"{index}")
                tiles += [tile] * chosen.count(index)
    blank = np.zeros_like(tiles[0])
    tiles += [blank] * (-len(tiles) % _COLUMNS)
    rows = [np.hstack(tiles[i : i + _COLUMNS]) for i in range(0, len(tiles), _COLUMNS)]
    cv2.imwrite(str(path), np.vstack(rows))
    return path


def _tile(image: Image, faces: list[dict[str, Any]], title: str) -> Image:
    image = np.ascontiguousarray(image)
    for face in faces:
        x0, y0, x1, y1 = (round(v) for v in face["bbox_xyxy"])
        colour = _AWAY if face["away"] else _HARD if face["hard"] or face["small"] else _CLEAR
        cv2.rectangle(image, (x0, y0), (x1, y1), colour, 2)
        cv2.putText(image, face["person"], (x0, y0 - 4), 0, 0.45, colour, 1)
    cv2.putText(image, title, (6, 18), 0, 0.6, (255, 255, 255), 2)
    small = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)
