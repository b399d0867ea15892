"""People, episodes and documents of seasons, as tests need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from screenalytics_core.seasons.cast_document import cast_document
from screenalytics_core.seasons.linking import link_people
from screenalytics_core.seasons.model import (
    EpisodeInput,
    EpisodePeople,
    EpisodePerson,
    EpisodeState,
)
from screenalytics_core.vision.models.protocols import FloatArray

SEASON = "show-s01"
THRESHOLD = 0.3


def looks(face: int, *, like: int | None = None, alike: float = 0.0) -> FloatArray:
    """A vector of somebody: those of different faces are at right angles.

    Args:
        like: Another face that it resembles, with the cosine `alike`.
    """
    vector = np.zeros(16, np.float32)
    vector[face] = 1.0
    if like is not None:
        vector[face] = (1 - alike**2) ** 0.5
        vector[like] = alike
    return vector


def person(
    ep_id: str,
    identity_id: str,
    vector: FloatArray | None,
    *,
    name: str | None = None,
    tracks: Sequence[int] | None = None,
    settled: bool = False,
    total_s: float = 10.0,
) -> EpisodePerson:
    return EpisodePerson(
        ep_id=ep_id,
        person_id=name.lower() if name else identity_id,
        cast_id=name.lower() if name else None,
        label=name,
        identity_ids=(identity_id,),
        track_ids=tuple(tracks if tracks is not None else [int(identity_id[-4:])]),
        vector=vector,
        is_settled=settled,
        total_s=total_s,
    )


def episode(
    ep_id: str,
    people: Sequence[EpisodePerson],
    apart: Sequence[tuple[int, int]] = (),
    *,
    embedder: str = "e" * 64,
    thresh: float = THRESHOLD,
) -> EpisodePeople:
    return EpisodePeople(
        ep_id=ep_id,
        run_id="first",
        embedder_sha256=embedder,
        cluster_thresh=thresh,
        tracks_sha256="t" * 64,
        people=tuple(people),
        apart=frozenset(apart),
    )


def done(ep_id: str, **more: Any) -> EpisodeInput:
    return EpisodeInput(ep_id, EpisodeState.DONE, run_id="first", **more)


def seen(identity_id: str | None, *segments: tuple[float, float], **more: Any) -> dict[str, Any]:
    """A row of screen_time's people, of its face alone."""
    total_s = sum(end - start for start, end in segments)
    return {
        "identity_id": identity_id,
        "cast_id": None,
        "label": None,
        "face_s": total_s,
        "body_only_s": None,
        "total_s": total_s,
        "low_s": total_s - 1,
        "high_s": total_s + 2,
        "share": total_s / 100,
        "segments": [{"start_s": s, "end_s": e, "source": "face"} for s, e in segments],
        **more,
    }


def named(name: str, *segments: tuple[float, float], **more: Any) -> dict[str, Any]:
    return seen(None, *segments, cast_id=name.lower(), label=name, **more)


def screen_time(*people: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "duration_s": 100.0,
        "counted_s": 100.0,
        "covered_s": 60.0,
        "unknown_s": 3.0,
        "has_bodies": False,
        "people": list(people),
        **more,
    }


def cast_of(inputs: Sequence[EpisodeInput], people: Sequence[EpisodePeople] = ()) -> dict[str, Any]:
    """The document of `season_cast` of some episodes' people."""
    return cast_document(SEASON, inputs, people, link_people(people))
