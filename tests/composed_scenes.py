"""Takes of coloured boxes, whose place can be found again in a decoded picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.composed.compose import Composed, Episode, compose
from benchmarks.composed.encoding import Encoding
from benchmarks.composed.looks import Body, Face, Look
from benchmarks.composed.shots import EpisodeShot
from screenalytics_core.demo_scenes import Box
from tests.videos import Picture, make_video, solid, with_rectangle

GREY = (90, 90, 90)
COLOURS = {"red": (0, 0, 230), "green": (0, 230, 0), "blue": (230, 0, 0)}
SIZE = (320, 180)
# Small, hardly any loss, so that edges stay where they were drawn.
ENCODING = Encoding(size_px=SIZE, crf=4)


@dataclass(frozen=True)
class Boxes:
    """One box per person; each moves by `step_px` a frame and covers those before it."""

    boxes: tuple[tuple[str, Box], ...]
    frame_count: int = 12
    step_px: float = 0.0
    background: tuple[int, int, int] = GREY
    size_px: tuple[int, int] = SIZE
    is_exact: bool = True

    def main_people(self) -> frozenset[str]:
        return frozenset(person for person, _ in self.boxes)

    def drawn_for(self, scale: float) -> Boxes:
        return self

    def at(self, frame: int) -> list[tuple[str, Box]]:
        shift = round(self.step_px * frame)
        return [(p, (b[0] + shift, b[1], b[2] + shift, b[3])) for p, b in self.boxes]

    def looks(self) -> Iterator[Look]:
        for frame in range(self.frame_count):
            picture = solid(self.background, width=self.size_px[0], height=self.size_px[1])
            for person, box in self.at(frame):
                whole = tuple(round(v) for v in box)
                picture = with_rectangle(picture, whole, COLOURS[person])
            placed = list(enumerate(self.at(frame), start=1))
            yield Look(
                picture,
                tuple(Face(person, box, depth) for depth, (person, box) in placed),
                tuple(Body(person, corners(box), depth) for depth, (person, box) in placed),
            )


def corners(box: Box) -> NDArray[np.float64]:
    """The outline of a box; a polygon's last row and column are drawn too."""
    x0, y0, x1, y1 = box
    return np.array([(x0, y0), (x1 - 1, y0), (x1 - 1, y1 - 1), (x0, y1 - 1)], np.float64)


def made_of(*shots: EpisodeShot, folder: Path, encoding: Encoding = ENCODING) -> Composed:
    """An episode of these shots, rendered."""
    return compose(Episode("scene", shots, encoding), folder)


def pictures(path: Path) -> list[Picture]:
    """All frames of a video, BGR."""
    with av.open(str(path)) as container:
        return [f.to_ndarray(format="bgr24") for f in container.decode(video=0)]


def coloured(picture: Picture, person: str) -> NDArray[np.bool_]:
    """Where the picture has the person's colour, (H, W); also dimmed or half mixed."""
    channel = int(np.argmax(COLOURS[person]))
    others = [c for c in range(3) if c != channel]
    values = picture.astype(np.int32)
    return np.asarray(values[:, :, channel] - values[:, :, others].max(axis=2) > 60)


def found_box(picture: Picture, person: str) -> Box | None:
    """The box around the person's colour, or None."""
    rows, columns = np.nonzero(coloured(picture, person))
    if not len(rows):
        return None
    return (
        float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)
    )  # fmt: skip


def labelled_clip(folder: Path, **changed: Any) -> Path:
    """A clip with a truth beside it: red moves right for 18 frames, then green for 12.

    Frame 17 is a blend. Every third frame is labelled, and the ends of the shots.
    """
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    frames = []
    faces = []
    labelled = sorted({*range(0, 30, 3), 17, 18, 29})
    for index in range(30):
        person = "red" if index < 18 else "green"
        box = (20 + 4 * index, 40, 60 + 4 * index, 100)
        frames.append(with_rectangle(solid(GREY, width=320, height=180), box, COLOURS[person]))
        if index in labelled:
            faces.append(
                {
                    "frame_idx": index, "person": person, "bbox_xyxy": list(map(float, box)),
                    "small": False, "hard": index == 17, "away": False, "source": "det",
                }
            )  # fmt: skip
    truth = {
        "clip": "walk.mp4", "fps": 25.0, "frames": 30, "width": 320, "height": 180, "cuts": [18],
        "cut_tolerance": 1,
        "persons": {
            "red": {"gallery": None, "main": True}, "green": {"gallery": None, "main": False},
        },
        "visible": {"red": [[0, 17]], "green": [[18, 29]]},
        "visible_clear": {"red": [[0, 16]], "green": [[18, 29]]},
        "maybe": {}, "alt_reading": [],
        "ignore_regions": [{"start": 17, "end": 17, "bbox_xyxy": [0, 0, 320, 180]}],
        "labelled_frames": labelled, "faces": faces, "notes": "",
    } | changed  # fmt: skip
    (folder / "truth" / "walk.json").write_text(json.dumps(truth))
    return make_video(folder / "walk.mp4", frames, options={"crf": "4"})
