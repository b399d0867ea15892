"""People of a run, their tracks, and decisions about them, as plain data for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from screenalytics_core.decisions.records import Decision
    from screenalytics_core.decisions.roster import Roster, Somebody


def person_dict(person: Somebody, suggestions: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a person with whom the gallery suggests, the likeliest first."""
    return {
        "person_id": person.person_id,
        "identity_ids": list(person.identity_ids),
        "cast_id": person.cast_id,
        "label": person.label,
        "source": person.source,
        "decision": person.decision,
        "tracks": list(person.tracks),
        "face_s": round(person.face_s, 6),
        "suggestions": [s for s in suggestions if s["identity_id"] == person.person_id],
    }


def track_dicts(roster: Roster, people: Iterable[Somebody]) -> list[dict[str, Any]]:
    """Return the tracks of people, in the order of time."""
    rows = [
        {
            "track_id": track_id,
            "start_s": roster.span_s(track_id)[0],
            "end_s": roster.span_s(track_id)[1],
            "person_id": person.person_id,
        }
        for person in people
        for track_id in person.tracks
    ]
    return sorted(rows, key=lambda r: (r["start_s"], r["track_id"]))


def decision_dict(decision: Decision, every: Sequence[Decision]) -> dict[str, Any]:
    """Return a decision for people: tracks by number, and whether it holds."""
    from screenalytics_core.decisions.standing import holding

    return {
        "sequence": decision.sequence,
        "at": decision.at,
        "by": decision.by,
        "run_id": decision.run_id,
        "verb": decision.verb.value,
        "identity_ids": list(decision.identity_ids),
        "cast_id": decision.cast_id,
        "label": decision.label,
        "tracks": [a.track_id for a in decision.tracks],
        "others": [a.track_id for a in decision.others],
        "undoes": decision.undoes,
        "via": decision.via,
        "holds": decision in holding(every),
    }
