"""The demo's truth, and how a run compares with it. Pure: values in, values out."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from screenalytics_core.demo_render import Placement, placements
from screenalytics_core.demo_scenes import FPS, HEIGHT_PX, WIDTH_PX, Box, Shot

# A face counts as visible while at least half of its box is in the picture, as clear above
# nine tenths; the labelled clips are read the same way.
VISIBLE_PART: Final = 0.5
CLEAR_PART: Final = 0.9
LABEL_EVERY: Final = 3
MIN_IOU: Final = 0.4
NOBODY: Final = "(nobody in the truth)"


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


def compare_with_truth(
    truth: Mapping[str, Any],
    screen_time: Mapping[str, Any],
    tracks: Iterable[Mapping[str, Any]],
    identities: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Compare measured seconds with true ones, person by person.

    Identities are matched to persons one to one by the number of labelled faces on which a
    track of theirs lies (IoU of at least 0.4, Hungarian in each frame and over all). The truth
    says when a face is visible, so the seconds are those of faces, without bodies.

    Args:
        truth: As `truth_of` gives it.
        screen_time: The document of `artifacts.SCREEN_TIME`.
        tracks: Rows of `artifacts.TRACKS`.
        identities: The document of `artifacts.IDENTITIES`.

    Returns:
        One row per person, then one per identity that is nobody in the truth: person,
        identity_id, true_s, measured_s, error_s (measured less true) and
        error_percent_of_length (of the clip's length, signed).
    """
    measured = {
        p["identity_id"]: p["face_s"] for p in screen_time.get("people", ()) if p["identity_id"]
    }
    identity_of = {t: i["identity_id"] for i in identities["identities"] for t in i["track_ids"]}
    found = _assign(_shared_faces(truth, list(tracks), identity_of))
    length_s = truth["frames"] / truth["fps"]
    rows = [
        _row(
            person,
            found.get(person),
            sum(last - first + 1 for first, last in truth["visible"][person]) / truth["fps"],
            measured.get(found.get(person), 0.0),
            length_s,
        )
        for person in truth["persons"]
    ]
    others = [i for i in measured if i not in found.values()]
    return rows + [_row(NOBODY, i, 0.0, measured[i], length_s) for i in sorted(others)]


def _row(
    person: str, identity_id: str | None, true_s: float, measured_s: float, length_s: float
) -> dict[str, Any]:
    error_s = measured_s - true_s
    return {
        "person": person,
        "identity_id": identity_id,
        "true_s": round(true_s, 3),
        "measured_s": round(measured_s, 3),
        "error_s": round(error_s, 3),
        "error_percent_of_length": round(100 * error_s / length_s, 2) if length_s > 0 else 0.0,
    }


def _shared_faces(
    truth: Mapping[str, Any],
    tracks: Sequence[Mapping[str, Any]],
    identity_of: Mapping[int, str],
) -> dict[tuple[str, str], int]:
    """Count labelled faces per (person, identity)."""
    faces_at: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for face in truth["faces"]:
        faces_at[face["frame_idx"]].append(face)
    shared: dict[tuple[str, str], int] = defaultdict(int)
    for frame, faces in faces_at.items():
        boxes = [(t["track_id"], b) for t in tracks if (b := track_box(t, frame)) is not None]
        if not boxes:
            continue
        overlaps = np.array([[iou(f["bbox_xyxy"], b) for _, b in boxes] for f in faces])
        # One more per match: first as many matches as possible, then the best overlap.
        gain = np.where(overlaps >= MIN_IOU, overlaps + 1.0, 0.0)
        for row, column in zip(*linear_sum_assignment(-gain), strict=True):
            identity = identity_of.get(boxes[column][0])
            if overlaps[row, column] >= MIN_IOU and identity is not None:
                shared[faces[row]["person"], identity] += 1
    return shared


def _assign(shared: Mapping[tuple[str, str], int]) -> dict[str, str]:
    """Return person -> identity, the one-to-one assignment that shares most faces."""
    people = sorted({p for p, _ in shared})
    ids = sorted({i for _, i in shared})
    if not people:
        return {}
    counts = np.array([[shared.get((p, i), 0) for i in ids] for p in people])
    rows, columns = linear_sum_assignment(-counts)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return {people[r]: ids[c] for r, c in pairs if counts[r, c] > 0}


def track_box(track: Mapping[str, Any], frame_idx: int) -> Sequence[float] | None:
    """Return a track's box at a frame, linear between its boxes; None outside the track."""
    frames: Sequence[int] = track["frame_idxs"]
    at = bisect_left(frames, frame_idx)
    if at == len(frames) or (at == 0 and frames[0] != frame_idx):
        return None
    later: Sequence[float] = track["bboxes_xyxy"][at]
    if frames[at] == frame_idx:
        return later
    part = (frame_idx - frames[at - 1]) / (frames[at] - frames[at - 1])
    earlier = track["bboxes_xyxy"][at - 1]
    return [a + (b - a) * part for a, b in zip(earlier, later, strict=True)]


def iou(a: Sequence[float] | Box, b: Sequence[float] | Box) -> float:
    """Return intersection over union of two (x0, y0, x1, y1) boxes, 0 to 1."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union if union > 0 else 0.0
