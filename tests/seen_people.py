"""Builders of faces, bodies and people for the tests of screen time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from screenalytics_core.vision.screen_time import ScreenTime, Sources, screen_time
from screenalytics_core.vision.spans import BodySpan, Extent, FaceSpan
from screenalytics_core.vision.time_bounds import Doubt

THRESH = 0.3


def extent(start_s: float, end_s: float, seen: Any = None, possible: Any = None) -> Extent:
    return Extent(seen or (start_s, end_s), (start_s, end_s), possible or (start_s, end_s))


def face(track_id: int, start_s: float, end_s: float, **more: Any) -> FaceSpan:
    return FaceSpan(track_id, extent(start_s, end_s, **more))


def body(
    body_track_id: int,
    start_s: float,
    end_s: float,
    identity_id: str | None = "id_0001",
    *voters: int,
    evidence: str = "face_in_body",
    confidence: float = 0.9,
    **more: Any,
) -> BodySpan:
    times = extent(start_s, end_s, **more)
    return BodySpan(body_track_id, times, identity_id, evidence, voters, confidence)


def identity(name: str, *track_ids: int) -> dict[str, Any]:
    return {"identity_id": name, "label": None, "track_ids": list(track_ids)}


def member(
    track_id: int,
    confidence: float = 0.9,
    rival_id: str | None = None,
    rival_similarity: float | None = None,
) -> dict[str, Any]:
    return {
        "track_id": track_id, "confidence": confidence, "rival_id": rival_id,
        "rival_similarity": rival_similarity,
    }  # fmt: skip


def named(
    identity_id: str | None, cast_id: str | None, track_id: int | None = None
) -> dict[str, Any]:
    return {
        "identity_id": identity_id,
        "track_id": track_id,
        "cast_id": cast_id,
        "label": None if cast_id is None else cast_id.title(),
        "source": "decision",
        "confidence": 1.0,
    }


def measure(
    faces: Sequence[FaceSpan],
    identities: Sequence[dict[str, Any]],
    cast: Sequence[dict[str, Any]] = (),
    bodies: Sequence[BodySpan] | None = None,
    members: Sequence[dict[str, Any]] | None = None,
    trims: Sequence[tuple[float, float]] = (),
    alike: Sequence[tuple[str, str]] = (),
) -> ScreenTime:
    """Measure; of tracks without a membership of their own the identity is sure."""
    known = {m["track_id"]: m for m in members or ()}
    owner_of = {t: i["identity_id"] for i in identities for t in i["track_ids"]}
    rows = [
        {**(known.get(f.track_id) or member(f.track_id)), "identity_id": owner_of.get(f.track_id)}
        for f in faces
    ]
    pairs = [{"identity_id": a, "other_id": b, "similarity": 0.4} for a, b in alike]
    return screen_time(Sources(faces, bodies, identities, Doubt(rows, pairs, THRESH), cast), trims)
