"""What can be said about who is who: each verb makes a decision of what was looked at.

The command line and the API say the same through these. Nothing is recorded here; a label may
put faces into the show's gallery, which comes first: a decision that is recorded stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from screenalytics_assets.deciding import LookedAt, Member
from screenalytics_assets.settings import Settings
from screenalytics_core.decisions.records import Decision, Verb
from screenalytics_core.decisions.roster import Roster
from screenalytics_core.errors import DecisionError


@dataclass(frozen=True, slots=True)
class Saying:
    """A decision before it is recorded.

    Attributes:
        notes: What whoever decides should know, for people.
        enrolled: How many faces the gallery took; None where it was not asked.
    """

    decision: Decision
    notes: tuple[str, ...] = ()
    enrolled: int | None = None


@dataclass(frozen=True, slots=True)
class Decider:
    """Somebody who looks at a run and decides about its people.

    Attributes:
        by: Who it is, as records name them.
        via: cli, api or season.
    """

    looked_at: LookedAt
    settings: Settings
    by: str
    via: str = "cli"

    def label(self, person: str, name: str | None, *, enrols: bool = True) -> Saying:
        """Say who somebody is; None: nobody that has a name.

        Raises:
            DecisionError: Nobody is called so.
            InvalidIdError: The name cannot be one.
            GalleryError, ModelError: The gallery cannot take their faces.
        """
        roster = self.looked_at.roster
        found, tracks = roster.find(person), roster.tracks_of(person)
        member = None if name is None else self.looked_at.member(name)
        decision = self._decision(
            Verb.LABEL,
            tracks,
            identity_ids=tuple(p.person_id for p in found),
            cast_id=member.cast_id if member else None,
            label=member.label if member else None,
        )
        if member is None:
            return Saying(decision)
        others = roster.called(member.cast_id) - tracks
        notes = at_once(roster, person, tracks, member.label, others)
        if not enrols:
            return Saying(decision, notes)
        taken, told = self._enrolled(member, tracks)
        return Saying(decision, notes + told, taken)

    def merge(self, person: str, other: str) -> Saying:
        """Say that two are one person, who is called as the first one; raises DecisionError."""
        roster = self.looked_at.roster
        tracks, others = roster.tracks_of(person), roster.tracks_of(other)
        if tracks & others:
            raise DecisionError(thing=f"{person} and {other}", reason="are one person already")
        found = (*roster.find(person), *roster.find(other))
        ids = tuple(p.person_id for p in found)
        decision = self._decision(Verb.MERGE, tracks, others, identity_ids=ids)
        return Saying(decision, at_once(roster, person, tracks, other, others))

    def split(self, person: str, track_ids: Sequence[int]) -> Saying:
        """Say that some tracks of a person show somebody else; raises DecisionError."""
        roster = self.looked_at.roster
        found, whole = roster.find(person), roster.tracks_of(person)
        roster.check_tracks(track_ids, whole)
        rest = whole - set(track_ids)
        if not rest:
            raise DecisionError(
                thing=f"person {person!r}",
                reason="has no other tracks than these",
                way_out="Name fewer tracks, or label the person.",
            )
        ids = tuple(p.person_id for p in found)
        return Saying(self._decision(Verb.SPLIT, track_ids, rest, identity_ids=ids))

    def move_track(self, track_id: int, to: str | None) -> Saying:
        """Say whose one track is; None: nobody's. Raises DecisionError."""
        self.looked_at.roster.check_tracks([track_id])
        more = {} if to is None else self._destination(track_id, to)
        return Saying(self._decision(Verb.MOVE_TRACK, [track_id], **more))

    def lock(self, person: str) -> Saying:
        """Say that a person is exactly these tracks; raises DecisionError."""
        roster = self.looked_at.roster
        ids = tuple(p.person_id for p in roster.find(person))
        return Saying(self._decision(Verb.LOCK, roster.tracks_of(person), identity_ids=ids))

    def undo(self, sequence: int | None) -> Saying:
        """Take a decision back; None: the last one that holds. Raises DecisionError."""
        undone = self.looked_at.to_undo(sequence)
        return Saying(
            self._decision(Verb.UNDO, identity_ids=undone.identity_ids, undoes=undone.sequence)
        )

    def _decision(self, verb: Verb, *tracks: Any, **more: Any) -> Decision:
        return self.looked_at.decision(verb, *tracks, by=self.by, via=self.via, **more)

    def _enrolled(
        self, member: Member, tracks: frozenset[int]
    ) -> tuple[int | None, tuple[str, ...]]:
        """Put the good faces of somebody new into the gallery; return how many, and a note."""
        show = self.looked_at.show
        if show is None:
            note = f"{self.looked_at.ep_id} names no show, so no gallery takes {member.label}"
            return None, (note,)
        if member.has_faces:
            return None, ()
        taken = self.looked_at.enrol(member, tracks, self.by, self.settings)
        return taken, (f"gallery of {show}: {member.label} ({member.cast_id}), {taken} faces new",)

    def _destination(self, track_id: int, to: str) -> dict[str, Any]:
        """Return who a track is moved to, as fields of the decision."""
        try:
            found = self.looked_at.roster.find(to)
        except DecisionError:
            # Somebody of the cast need not have been found in the episode.
            member = self.looked_at.member(to)
            if not member.is_known:
                raise
            return {"cast_id": member.cast_id, "label": member.label}
        others = self.looked_at.roster.tracks_of(to) - {track_id}
        if not others:
            raise DecisionError(
                thing=f"track {track_id}", reason=f"is all that there is of {to} already"
            )
        if not any(person.identity_ids for person in found):
            # Single tracks were moved to them: there is no identity that this one could join.
            return {"cast_id": found[0].cast_id, "label": found[0].label}
        return {"others": others, "identity_ids": tuple(p.person_id for p in found)}


def at_once(
    roster: Roster, who: str, tracks: frozenset[int], whom: str, others: frozenset[int]
) -> tuple[str, ...]:
    """Return a note if two who are to be one person are seen at the same time."""
    at_once_s = roster.at_once_s(tracks, others)
    if at_once_s <= 0:
        return ()
    return (f"{who} and {whom} are seen at the same time for {at_once_s:.2f} s",)
