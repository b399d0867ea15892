"""The demo's truth, known from its geometry. Pure: values in, values out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, Final

from screenalytics_core.demo_render import Placement, placements
from screenalytics_core.demo_scenes import FPS, HEIGHT_PX, WIDTH_PX, Shot

# A face counts as visible while at least half of its box is in the picture, as clear above
# nine tenths; the labelled clips are read the same way.
VISIBLE_PART: Final = 0.5
CLEAR_PART: Final = 0.9
LABEL_EVERY: Final = 3


def truth_of(storyboard: Sequence[Shot], clip: str) -> dict[str, Any]:
    """Return the truth of a storyboard, in the format of the labelled clips."""
    starts = [0, *accumulate(s.frame_count for s in storyboard)]
    frames = starts.pop()
    labelled = sorted(
        set(range(0, frames, LABEL_EVERY))
        | {f for s, n in zip(starts, storyboard, strict=True) for f in (s, s + n.frame_count - 1)}
    )
    placed = [
        faces
        for shot in storyboard
        for faces in (placements(shot, f) for f in range(shot.frame_count))
    ]
    people = sorted({f.person for faces in placed for f in faces if f.inside >= VISIBLE_PART})
    return {
        "clip": clip,
        "fps": float(FPS),
        "frames": frames,
        "width": WIDTH_PX,
        "height": HEIGHT_PX,
        "cuts": starts[1:],
        "cut_tolerance": 0,
        "persons": {name: {"gallery": None, "main": True} for name in people},
        "visible": {n: _intervals(placed, n, VISIBLE_PART) for n in people},
        "visible_clear": {n: _intervals(placed, n, CLEAR_PART) for n in people},
        "maybe": {},
        "alt_reading": [],
        "ignore_regions": [],
        "labelled_frames": labelled,
        "faces": [_face(i, f) for i in labelled for f in placed[i]],
        "notes": "Composed; every box, cut and interval is known from geometry.",
    }


def _face(frame_idx: int, face: Placement) -> dict[str, Any]:
    x0, y0, x1, y1 = face.bbox_xyxy
    clipped = (max(x0, 0.0), max(y0, 0.0), min(x1, WIDTH_PX), min(y1, HEIGHT_PX))
    return {
        "frame_idx": frame_idx,
        "person": face.person,
        "bbox_xyxy": [round(v, 2) for v in clipped],
        "small": False,
        "hard": face.inside < CLEAR_PART,
        "away": face.inside < VISIBLE_PART,
        "source": "geometry",
    }


def _intervals(placed: Sequence[Iterable[Placement]], person: str, least: float) -> list[list[int]]:
    """Return [first, last] frames, both included, in which the person is visible enough."""
    found: list[list[int]] = []
    for frame, faces in enumerate(placed):
        if not any(f.person == person and f.inside >= least for f in faces):
            continue
        if found and found[-1][1] == frame - 1:
            found[-1][1] = frame
        else:
            found.append([frame, frame])
    return found
