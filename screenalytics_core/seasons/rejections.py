"""`link_decisions.jsonl` of a season: who was said not to be one person; append-only.

Like an episode's decisions these hold for tracks, not for numbers that the next run gives out
anew, so a rejected link is not proposed again after people are clustered another way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from screenalytics_core.decisions.records import TrackAnchor, track_anchor

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class RejectedMember:
    """A person of an episode as they were in the link.

    Attributes:
        person_id: What the run called them; for people only.
        tracks: Their face tracks.
        is_apart: They are not the same as any other member; else they are only not the same
            as those who are.
    """

    ep_id: str
    run_id: str
    person_id: str
    tracks: tuple[TrackAnchor, ...]
    is_apart: bool


@dataclass(frozen=True, slots=True)
class Rejection:
    """One line of `link_decisions.jsonl`: these people are not one.

    Attributes:
        sequence: 1-based line number.
        at: ISO 8601, UTC.
        by: Who decided, `user@host`.
        link_id: What the link was called then.
    """

    sequence: int
    at: str
    by: str
    link_id: str
    members: tuple[RejectedMember, ...]
    schema_version: int = SCHEMA_VERSION

    def to_dict(self) -> dict[str, Any]:
        """Return it as it stands in its line."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Build it from its line; ValueError, TypeError or KeyError if it is not one."""
        members = tuple(_member(m) for m in record["members"])
        return cls(**{**record, "members": members})


def _member(record: Mapping[str, Any]) -> RejectedMember:
    return RejectedMember(**{**record, "tracks": tuple(map(track_anchor, record["tracks"]))})
