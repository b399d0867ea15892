"""Truths and predictions for tests: small ones by hand, and truth boxes made worse."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from screenalytics_core.evaluation.prediction import (
    Identity,
    PersonSeconds,
    Prediction,
    track_boxes,
)
from screenalytics_core.evaluation.truth import Truth, read_truth

# Ana and Bo, neither of them to be judged by seconds, so that nobody must be labelled.
EXTRAS: dict[str, dict[str, Any]] = {"ana": {}, "bo": {}}
LEFT, RIGHT = [0.0, 0.0, 10.0, 10.0], [50.0, 0.0, 60.0, 10.0]


def face(frame_idx: int, person: str, box: Sequence[float], **more: Any) -> dict[str, Any]:
    return {"frame_idx": frame_idx, "person": person, "bbox_xyxy": list(box), **more}


def document(**changed: Any) -> dict[str, Any]:
    """Ana at the left all the time, Bo at the right in the first half; 10 frames at 10/s."""
    frames = [0, 3, 6, 9]
    faces = [face(f, "ana", LEFT) for f in frames] + [face(f, "bo", RIGHT) for f in (0, 3)]
    return {
        "clip": "small.mp4", "fps": 10.0, "frames": 10, "width": 200, "height": 50, "cuts": [5],
        "persons": {"ana": {"main": True}, "bo": {"main": True}},
        "labelled_frames": frames, "faces": faces,
        "visible": {"ana": [[0, 9]], "bo": [[0, 4]]},
        **changed,
    }  # fmt: skip


def truth(**changed: Any) -> Truth:
    return read_truth(document(**changed))


TrackRow = tuple[int, Sequence[int], Sequence[Sequence[float]]]
BOTH: tuple[TrackRow, ...] = ((1, (0, 9), (LEFT, LEFT)), (2, (0, 4), (RIGHT, RIGHT)))


def prediction(
    tracks: Sequence[TrackRow] = BOTH,
    identities: Mapping[str, Sequence[int]] | None = None,
    **changed: Any,
) -> Prediction:
    """A run over the small clip; `people` may be given as identity -> (total, low, high)."""
    ids = {"id_1": (1,), "id_2": (2,)} if identities is None else identities
    stated = changed.pop("people", None)
    people = tuple(
        PersonSeconds(i, total_s, total_s, low_s, high_s)
        for i, (total_s, low_s, high_s) in (stated or {}).items()
    )
    given = {
        "fps": 10.0, "width_px": 200, "height_px": 50,
        "frame_times_s": np.arange(11) / 10, "cuts": (5,), **changed,
    }  # fmt: skip
    return Prediction(
        tracks=tuple(track_boxes(*row) for row in tracks),
        identities=tuple(Identity(i, tuple(t)) for i, t in ids.items()),
        people=None if stated is None else people,
        **given,
    )


def worsened(labels: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """What a middling run may have made of a labelled clip: tracks, identities and shots.

    Tracks are the labelled boxes of a person, broken at cuts and at random, with boxes left
    out and shaken; identities are persons, some split, two merged, one track in none. False
    tracks stand in the picture, and cuts are off by a frame, missed or made up.
    """
    dice = random.Random(seed)
    tracks: list[dict[str, Any]] = []
    owners: dict[str, list[int]] = {}
    cuts = labels["cuts"]
    for person in labels["persons"]:
        pieces: dict[Any, list[dict[str, Any]]] = {}
        part = 0
        for label in labels["faces"]:
            if label["person"] != person or dice.random() < 0.1:
                continue
            part += dice.random() < 0.03
            shot = sum(c <= label["frame_idx"] for c in cuts)
            pieces.setdefault((shot, part), []).append(label)
        for rows in pieces.values():
            tracks.append(_track(len(tracks), rows, dice))
            owner = person if dice.random() < 0.8 else f"{person}, again"
            owners.setdefault(owner, []).append(tracks[-1]["track_id"])
    for _ in range(4):
        first = dice.randrange(labels["frames"])
        box = [dice.uniform(0, labels["width"] - 60), dice.uniform(0, labels["height"] - 60)]
        rows = [{"frame_idx": first, "bbox_xyxy": [*box, box[0] + 50, box[1] + 60]}]
        rows.append({**rows[0], "frame_idx": min(labels["frames"] - 1, first + 20)})
        tracks.append(_track(len(tracks), rows[: 1 + (rows[1]["frame_idx"] > first)], dice))
    names = sorted(owners)
    if len(names) > 4:
        owners[names[0]] += owners.pop(names[-1])
    next(iter(owners.values())).pop()
    found = sorted({0, *(c + dice.choice((-1, 0, 0, 1, 9)) for c in cuts), labels["frames"] // 2})
    return {
        "tracks": tracks,
        "identities": [
            {"identity_id": f"id_{n:04d}", "label": dice.choice((None, owner)), "track_ids": ids}
            for n, (owner, ids) in enumerate(sorted(owners.items()), 1)
        ],
        "shots": [{"start_frame": f} for f in found],
    }


def _track(track_id: int, rows: Sequence[Mapping[str, Any]], dice: random.Random) -> dict[str, Any]:
    return {
        "track_id": track_id,
        "frame_idxs": [row["frame_idx"] for row in rows],
        "bboxes_xyxy": [_shaken(row["bbox_xyxy"], dice) for row in rows],
    }


def _shaken(box: Sequence[float], dice: random.Random) -> list[float]:
    size = max(box[2] - box[0], box[3] - box[1])
    return [side + dice.gauss(0, 0.09) * size for side in box]


def prediction_from(labels: Mapping[str, Any], found: Mapping[str, Any]) -> Prediction:
    """Put what `worsened` gives into our shape, at the clip's constant rate."""
    return Prediction(
        fps=labels["fps"],
        width_px=labels["width"],
        height_px=labels["height"],
        frame_times_s=np.arange(labels["frames"] + 1) / labels["fps"],
        tracks=tuple(
            track_boxes(t["track_id"], t["frame_idxs"], t["bboxes_xyxy"]) for t in found["tracks"]
        ),
        identities=tuple(
            Identity(i["identity_id"], tuple(i["track_ids"]), i["label"])
            for i in found["identities"]
        ),
        cuts=tuple(s["start_frame"] for s in found["shots"] if s["start_frame"] > 0),
    )
