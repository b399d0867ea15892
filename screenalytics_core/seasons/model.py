"""What a season is made from: its episodes, each with where it stands and whom it shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

from screenalytics_core.vision.models.protocols import FloatArray


class EpisodeState(StrEnum):
    """Where an episode stands in its season."""

    DONE = "done"
    STALE = "stale"  # it has figures, but what they were made from has changed since
    RUNNING = "running"
    FAILED = "failed"
    MISSING = "missing"  # registered, but no run has come to its screen time
    UNREGISTERED = "unregistered"  # its number lies between others', but nobody registered it


COUNTED: Final = frozenset({EpisodeState.DONE, EpisodeState.STALE})
"""States of episodes that have figures."""


@dataclass(frozen=True, slots=True)
class EpisodeInput:
    """What a season takes of one episode.

    Attributes:
        reason: Why it does not simply stand as done, for people; empty if it does.
        run_id: The run that it is taken from; None where no run has figures.
        sha256s: Artifact -> content sha256 of what is read of that run.
        doubts: Why its figures may not compare with the others', for people.
    """

    ep_id: str
    state: EpisodeState
    reason: str = ""
    run_id: str | None = None
    sha256s: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    @property
    def is_counted(self) -> bool:
        """Whether it has figures."""
        return self.state in COUNTED

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {**asdict(self), "doubts": list(self.doubts)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Build it from `to_dict`; KeyError, TypeError or ValueError if it is not one."""
        values = dict(record)
        values["state"] = EpisodeState(values["state"])
        values["doubts"] = tuple(str(d) for d in values["doubts"])
        values["sha256s"] = {str(k): str(v) for k, v in values["sha256s"].items()}
        return cls(**values)


def signature(episodes: Sequence[EpisodeInput], *more: str) -> str:
    """Return one sha256 over what a season is made from: equal, so is the roll-up.

    Args:
        more: What else it is made from, as content hashes or versions.
    """
    told = [[e.to_dict() for e in episodes], *more]
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class EpisodePerson:
    """One person of an episode, as its cast says it.

    Attributes:
        person_id: The cast_id, else the identity_id.
        cast_id: None = unnamed.
        label: Display name.
        identity_ids: The identities that are this person; several where they were merged.
        track_ids: Their face tracks, ascending.
        vector: (D,) mean of the tracks' embedding x clarity, so that the dot product of two
            people's vectors is the mean similarity of their tracks; None where no track has one.
        is_settled: Somebody decided that this is nobody with a name.
        total_s: Seconds on screen.
    """

    ep_id: str
    person_id: str
    cast_id: str | None
    label: str | None
    identity_ids: tuple[str, ...]
    track_ids: tuple[int, ...]
    vector: FloatArray | None
    is_settled: bool = False
    total_s: float = 0.0


@dataclass(frozen=True, slots=True)
class EpisodePeople:
    """The people of one episode, to be linked with those of others.

    Attributes:
        embedder_sha256: The model that the vectors are of: only vectors of one model compare.
        cluster_thresh: The similarity that joined tracks of one person in this run.
        tracks_sha256: Content of the tracks that the track ids number.
        apart: Pairs of places in `people` that were seen at once in different places.
    """

    ep_id: str
    run_id: str
    embedder_sha256: str
    cluster_thresh: float
    tracks_sha256: str
    people: tuple[EpisodePerson, ...]
    apart: frozenset[tuple[int, int]] = frozenset()
