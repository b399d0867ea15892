"""Builders of decisions about numbered tracks, and who the tracks show once they are applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from screenalytics_core.decisions.anchors import TrackAnchor
from screenalytics_core.decisions.apply import decide, people_rows
from screenalytics_core.decisions.records import Decision, Sighting, Verb
from screenalytics_core.decisions.standing import find_all
from screenalytics_core.vision.owners import Owners, find_owners

Groups = Mapping[str, Sequence[int]]


def anchors(track_ids: Iterable[int]) -> tuple[TrackAnchor, ...]:
    """Anchors that are found by number."""
    seen = (Sighting(0.0, (0.0, 0.0, 9.0, 9.0)),)
    return tuple(TrackAnchor(track_id, "same", seen) for track_id in track_ids)


def decision(
    verb: str, tracks: Iterable[int] = (), others: Iterable[int] = (), **more: Any
) -> Decision:
    """A decision; `story` gives it its sequence."""
    said = {"at": "2026-01-01T00:00:00+00:00", "by": "anna@host", "run_id": "r", **more}
    return Decision(0, verb=Verb(verb), tracks=anchors(tracks), others=anchors(others), **said)


def label(name: str | None, *tracks: int) -> Decision:
    return decision("label", tracks, cast_id=name, label=name.title() if name else None)


def merge(tracks: Iterable[int], others: Iterable[int]) -> Decision:
    return decision("merge", tracks, others)


def split(tracks: Iterable[int], others: Iterable[int]) -> Decision:
    return decision("split", tracks, others)


def move(tracks: Iterable[int], others: Iterable[int] = (), cast: str | None = None) -> Decision:
    return decision("move_track", tracks, others, cast_id=cast, label=cast and cast.title())


def lock(*tracks: int) -> Decision:
    return decision("lock", tracks)


def undo(sequence: int) -> Decision:
    return decision("undo", undoes=sequence)


def story(*decisions: Decision) -> list[Decision]:
    """The decisions, numbered in their order."""
    return [
        Decision.from_dict({**d.to_dict(), "sequence": n}) for n, d in enumerate(decisions, start=1)
    ]


def rows_of_identities(groups: Groups) -> list[dict[str, Any]]:
    return [
        {"identity_id": i, "track_ids": list(tracks), "confidence": 0.5, "label": None}
        for i, tracks in groups.items()
    ]


def cast_rows(
    groups: Groups,
    decisions: Sequence[Decision],
    seconds: Mapping[int, float] | None = None,
    loose: Iterable[int] = (),
    matched: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """The rows of the cast; tracks last a second unless `seconds` says otherwise.

    Args:
        loose: Tracks of nobody.
    """
    lasting = {t: 1.0 for tracks in (*groups.values(), loose) for t in tracks} | dict(seconds or {})
    identities = rows_of_identities(groups)

    def find(wanted: Iterable[Any]) -> frozenset[int]:
        return frozenset(a.track_id for a in wanted) & set(lasting)

    tracks_of = {row["identity_id"]: row["track_ids"] for row in identities}
    named = decide(tracks_of, find_all(decisions, find), lasting)
    return people_rows(identities, named, matched or {}, labels or {})


def owners(groups: Groups, rows: Sequence[Mapping[str, Any]]) -> Owners:
    return find_owners(rows_of_identities(groups), rows)


def who(groups: Groups, *decisions: Decision, **more: Any) -> dict[int, str | None]:
    """Whom each track shows after a story: the cast member, else the person, else None."""
    rows = cast_rows(groups, story(*decisions), **more)
    found = owners(groups, rows).of_tracks
    tracks = {t for some in (*groups.values(), more.get("loose", ())) for t in some}
    return {t: found[t].key[1] if t in found else None for t in sorted(tracks)}
