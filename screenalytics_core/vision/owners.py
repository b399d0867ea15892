"""Whose a face track or a body is: what the machine found, and what people decided over it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PersonKey = tuple[bool, str]
"""Names a person: whether it is a cast member, and the cast_id, else the identity_id."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who something belongs to; what has the same `key` is one person's."""

    identity_id: str | None
    cast_id: str | None
    label: str | None

    @property
    def key(self) -> PersonKey:
        """The person; an identity and a cast member of the same spelling stay two."""
        return self.cast_id is not None, self.cast_id or self.identity_id or ""


@dataclass(frozen=True, slots=True)
class Owners:
    """Who owns what.

    Attributes:
        of_tracks: track_id -> owner; tracks of nobody are left out.
        of_identities: identity_id -> owner.
        moved: Tracks that a row of their own moved, over what their identity says ->
            that row's confidence.
    """

    of_tracks: Mapping[int, Owner]
    of_identities: Mapping[str, Owner]
    moved: Mapping[int, float]

    def of_body(self, identity_id: str | None, track_ids: Collection[int]) -> Owner | None:
        """Return whose a body is: its identity's, unless all the faces in it were moved.

        Then it goes where they went; where they went apart, it is nobody's.

        Args:
            identity_id: The identity that it was tied to; None = nobody.
            track_ids: The face tracks that voted.
        """
        if self.is_decided(track_ids):
            owners = [self.of_tracks.get(track_id) for track_id in track_ids]
            is_one = len({owner and owner.key for owner in owners}) == 1
            return owners[0] if is_one else None
        return None if identity_id is None else self.of_identities.get(identity_id)

    def is_decided(self, track_ids: Collection[int]) -> bool:
        """Return whether a row of their own moved all of these tracks, of which there are some."""
        return bool(track_ids) and all(track_id in self.moved for track_id in track_ids)


def find_owners(
    identities: Iterable[Mapping[str, Any]], cast: Sequence[Mapping[str, Any]]
) -> Owners:
    """Put the cast over the identities.

    Args:
        identities: Rows `identities` of `artifacts.IDENTITIES`.
        cast: Rows `people` of `artifacts.CAST`. A row with a track_id says whose this one
            track is, over what its identity says: a cast member's, else the row's
            identity's, else nobody's.
    """
    names = {
        row["identity_id"]: Owner(row["identity_id"], row.get("cast_id"), row.get("label"))
        for row in cast
        if row.get("track_id") is None and row.get("identity_id") is not None
    }
    of_identities, of_tracks = dict(names), {}
    for identity in identities:
        identity_id = identity["identity_id"]
        owner = names.get(identity_id) or Owner(identity_id, None, identity.get("label"))
        of_identities[identity_id] = owner
        of_tracks.update(dict.fromkeys(identity["track_ids"], owner))
    rows = [row for row in cast if row.get("track_id") is not None]
    for row in rows:
        owner_of_row = _owner_of_row(row, of_identities)
        if owner_of_row is None:
            of_tracks.pop(row["track_id"], None)
        else:
            of_tracks[row["track_id"]] = owner_of_row
    return Owners(of_tracks, of_identities, {row["track_id"]: row["confidence"] for row in rows})


def _owner_of_row(row: Mapping[str, Any], of_identities: Mapping[str, Owner]) -> Owner | None:
    identity_id = row.get("identity_id")
    if row.get("cast_id") is not None:
        return Owner(None, row["cast_id"], row.get("label"))
    if identity_id is None:
        return None
    return of_identities.get(identity_id) or Owner(identity_id, None, row.get("label"))
