"""A decision of a person about who is who, as it stands in `decisions.jsonl`.

Decisions hold for what was seen, not for numbers that the next run gives out anew: each names
its tracks by where and when they were seen (`TrackAnchor`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, Self

SCHEMA_VERSION: Final = 1


class Verb(StrEnum):
    """What can be decided."""

    LABEL = "label"
    MERGE = "merge"
    SPLIT = "split"
    MOVE_TRACK = "move_track"
    LOCK = "lock"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Sighting:
    """One look at a face: when, on the video's clock, and where, in px of the source frame."""

    timestamp_s: float
    bbox_xyxy: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class TrackAnchor:
    """A track, found again by what was seen of it.

    Attributes:
        track_id: Its number in the tracks that the decision was made on.
        tracks_sha256: Content of those tracks; where they are the same, so is the number.
        sightings: Some of its observed boxes, ascending in time; at least one.
    """

    track_id: int
    tracks_sha256: str
    sightings: tuple[Sighting, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """One line of `decisions.jsonl`.

    Attributes:
        sequence: 1-based line number.
        at: ISO 8601, UTC.
        by: Who decided, `user@host` or what the API was told.
        run_id: The run whose identities were looked at.
        tracks: What it is about: the tracks of the identity that is labelled, locked or merged
            into; those that are split off or moved.
        others: merge: the tracks of the other identity; move_track: those of the identity that
            they are moved to, none where `cast_id` says it; split: those that stay.
        identity_ids: What people called it then, e.g. ("id_0003",); for people only.
        cast_id: label: the cast member, None = nobody that has a name; move_track: to whom.
        label: Display name that goes with `cast_id`.
        undoes: undo: the sequence of the decision that no longer holds.
        via: cli, api or season (a link that was confirmed).
        request: What asked for it, where that may be repeated: the same one adds no second line.
    """

    sequence: int
    at: str
    by: str
    run_id: str
    verb: Verb
    tracks: tuple[TrackAnchor, ...] = ()
    others: tuple[TrackAnchor, ...] = ()
    identity_ids: tuple[str, ...] = ()
    cast_id: str | None = None
    label: str | None = None
    undoes: int | None = None
    via: str = "cli"
    request: str | None = None
    schema_version: int = SCHEMA_VERSION

    def to_dict(self) -> dict[str, Any]:
        """Return it as it stands in its line."""
        line = asdict(self)
        if self.request is None:
            del line["request"]  # as in lines, and in hashes of them, from before there were any
        return line

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Build it from its line; ValueError, TypeError or KeyError if it is not one."""
        values = dict(record)
        values["verb"] = Verb(values["verb"])
        values["tracks"] = tuple(track_anchor(a) for a in values["tracks"])
        values["others"] = tuple(track_anchor(a) for a in values["others"])
        values["identity_ids"] = tuple(values["identity_ids"])
        return cls(**values)


def track_anchor(record: Mapping[str, Any]) -> TrackAnchor:
    """Build an anchor from its part of a line; ValueError, TypeError or KeyError if it is none."""
    sightings = tuple(
        Sighting(float(s["timestamp_s"]), _box(s["bbox_xyxy"])) for s in record["sightings"]
    )
    if not sightings:
        raise ValueError("a track without sightings cannot be found again")
    return TrackAnchor(int(record["track_id"]), str(record["tracks_sha256"]), sightings)


def _box(values: Any) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(v) for v in values)
    return left, top, right, bottom
