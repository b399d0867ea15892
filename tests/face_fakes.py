"""Fakes for tests of faces: a video of coloured faces, and an embedder that sees colours."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from screenalytics_core.artifacts import ARTIFACTS, DETECTIONS, TRACKS, ArtifactKind
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.steps.base import FileFacts, Progress, Step, StepInput, no_progress
from screenalytics_core.vision.alignment import TEMPLATE_XY
from screenalytics_core.vision.face_quality import sharpness
from screenalytics_core.vision.models.protocols import (
    Calibration,
    FloatArray,
    Image,
    ModelFile,
    PackInfo,
)

FPS = 25
THRESHOLDS = {"det_thresh": 0.5, "cluster_thresh": 0.5, "min_identity_sim": 0.3}
RED, GREEN, BLUE = (0, 0, 200), (0, 200, 0), (200, 0, 0)


@dataclass(frozen=True)
class FakeFrame:
    frame_idx: int
    image: Image

    @property
    def timestamp_s(self) -> float:
        return self.frame_idx / FPS

    duration_s = 1 / FPS

    def bgr(self) -> Image:
        return self.image

    def small_bgr(self, max_side_px: int) -> Image:
        raise AssertionError("faces are cut from the whole picture")


@dataclass
class Face:
    """One detection, drawn as a chequered rectangle: the finer the squares, the sharper."""

    frame: int
    bbox: tuple[int, int, int, int] = (40, 20, 100, 100)
    colour: tuple[int, int, int] = RED
    confidence: float = 0.9
    turned: float = 0.0  # 0 = frontal, 1 = the nose on the line of one eye
    contrast: float = 0.5  # 0 = one flat colour
    has_landmarks: bool = True

    def landmarks(self) -> list[float] | None:
        if not self.has_landmarks:
            return None
        points = TEMPLATE_XY.copy()
        points[2, 0] += self.turned * (points[1, 0] - points[0, 0]) / 2
        left, top, right, bottom = self.bbox
        scale = (bottom - top) / 107.0
        middle = np.array([(left + right) / 2, (top + bottom) / 2])
        moved = (points - np.array([56.0, 64.0])) * scale + middle
        return [float(v) for v in moved.reshape(-1)]

    def draw(self, image: Image) -> None:
        left, top, right, bottom = self.bbox
        ys, xs = np.mgrid[top:bottom, left:right]
        light = 1 - self.contrast * ((xs // 8 + ys // 8) % 2)
        image[top:bottom, left:right] = (light[..., None] * np.array(self.colour)).astype(np.uint8)


class FakeVideo:
    """A video of `faces`; remembers which frames were decoded."""

    def __init__(self, faces: Iterable[Face], width: int = 320, height: int = 192) -> None:
        self._faces = list(faces)
        self._shape = (height, width, 3)
        self.decoded: list[int] = []
        self.checks = 0

    @property
    def facts(self) -> Any:
        raise AssertionError("nothing here depends on the container's facts")

    def frames(self) -> Iterator[FakeFrame]:
        raise AssertionError("only wanted frames may be decoded")

    def frames_at(self, frame_idxs: Iterable[int]) -> Iterator[FakeFrame]:
        for frame_idx in frame_idxs:
            image = np.full(self._shape, 60, np.uint8)
            for face in self._faces:
                if face.frame == frame_idx:
                    face.draw(image)
            self.decoded.append(frame_idx)
            yield FakeFrame(frame_idx, image)

    def check_unchanged(self) -> None:
        self.checks += 1


class ColourEmbedder:
    """Maps a crop to its mean colour in three of 512 dimensions; `length` times as long.

    Of a crop without detail it says almost nothing, as real embedders do.
    """

    def __init__(self, length: float = 20.0) -> None:
        self.length = length
        self.batches: list[int] = []

    def embed(self, crops_bgr: Image) -> FloatArray:
        self.batches.append(len(crops_bgr))
        vectors = np.zeros((len(crops_bgr), 512), np.float32)
        vectors[:, :3] = crops_bgr[:, 30:90, 40:72].mean(axis=(1, 2))
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        lengths = [self.length if sharpness(crop) > 8 else 0.01 for crop in crops_bgr]
        directions = vectors / np.where(norms > 0, norms, 1)
        return np.asarray(np.array(lengths)[:, None] * directions, np.float32)


@dataclass
class FakePack:
    embedder: Any = field(default_factory=ColourEmbedder)
    info: PackInfo = field(
        default_factory=lambda: PackInfo(
            "fake",
            (ModelFile("face_embedder", "colours.onnx", "0" * 64, "none", "test"),),
            Calibration(0.5, 0.5, 0.3),
        )
    )

    def face_embedder(self) -> Any:
        return self.embedder


class Given:
    """An upstream artifact; a zip is handed out as a file of its own, as the store does."""

    files: tuple[FileFacts, ...] = ()

    def __init__(self, kind: ArtifactKind, parts: Mapping[str, Any]) -> None:
        self.kind = kind
        self._parts = parts

    def read(self, part: str | None = None) -> Any:
        value = self._parts[part or ARTIFACTS[self.kind].primary.part]
        if hasattr(value, "fileno"):
            copy = os.fdopen(os.dup(value.fileno()), "rb")
            copy.seek(0)
            return copy
        return value


def detections_table(faces: Sequence[Face]) -> pa.Table:
    """One row per face, numbered in frame order."""
    return DETECTIONS.from_rows(
        [
            {
                "detection_id": i, "frame_idx": f.frame, "timestamp_s": f.frame / FPS,
                "shot_id": 0, "bbox_xyxy": f.bbox, "confidence": f.confidence,
                "landmarks_xy": f.landmarks(),
            }
            for i, f in enumerate(faces)
        ]
    )  # fmt: skip


def tracks_table(
    faces: Sequence[Face],
    members: Mapping[int, Sequence[int | None]],
    between: Mapping[int, tuple[int, ...]] | None = None,
) -> pa.Table:
    """Tracks by their detections.

    Args:
        members: track_id -> indices of `faces`.
        between: track_id -> (frame, left, top, right, bottom) of an interpolated box.
    """
    rows = []
    for track_id, ids in members.items():
        boxes = [(faces[i].frame, list(faces[i].bbox), i) for i in ids if i is not None]
        for frame, *bbox in [(between or {}).get(track_id, ())] if between else []:
            boxes.append((frame, bbox, None))
        boxes.sort(key=lambda b: b[0])
        rows.append(
            {
                "track_id": track_id, "shot_id": 0,
                "first_frame_idx": boxes[0][0], "last_frame_idx": boxes[-1][0],
                "start_s": boxes[0][0] / FPS, "end_s": (boxes[-1][0] + 1) / FPS,
                "frame_idxs": [b[0] for b in boxes], "bboxes_xyxy": [b[1] for b in boxes],
                "detection_ids": [b[2] for b in boxes], "mean_confidence": 0.9,
            }
        )  # fmt: skip
    return TRACKS.from_rows(rows)


def run_step(
    step: Step,
    artifacts: Mapping[ArtifactKind, Mapping[str, Any]],
    *,
    video: Any = None,
    pack: Any = None,
    media: Any = None,
    progress: Progress = no_progress,
    **settings: Any,
) -> Mapping[ArtifactKind, Mapping[str, Any]]:
    """Run a step with only the settings and artifacts that it declares."""
    given = {"workers": 2, "save_crops": False, **THRESHOLDS, **settings}
    config = EpisodeRunConfig.from_mapping(given)
    return step.run(
        StepInput(
            ep_id="show-s01e01", run_id="r", settings=config.only(step.settings),
            artifacts={k: Given(k, artifacts[k]) for k in step.inputs},
            wanted=frozenset(k for o in step.outputs for k in o.kinds),
            models=pack, video=video, media=media, progress=progress,
        )
    )  # fmt: skip
