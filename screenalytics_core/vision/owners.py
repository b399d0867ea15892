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
        parted: Those of them that the gallery moved, not a person.
    """

    of_tracks: Mapping[int, Owner]
    of_identities: Mapping[str, Owner]
    moved: Mapping[int, float]
    parted: frozenset[int] = frozenset()

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
        cast: Rows `people` of `artifacts.CAST`. An identity that is merged into another one is
            that one's owner's. A row with a track_id says whose this one track is, over what
            its identity says: a cast member's, else that of the row's identity, which may be a
            part that was split off and has no other row, else nobody's.
    """
    of_identities, of_tracks = _owners_of_identities(identities, cast), {}
    for identity in identities:
        owner = of_identities[identity["identity_id"]]
        of_tracks.update(dict.fromkeys(identity["track_ids"], owner))
    rows = [row for row in cast if row.get("track_id") is not None]
    for row in rows:
        owner_of_row = _owner_of_row(row, of_identities)
        if owner_of_row is None:
            of_tracks.pop(row["track_id"], None)
        else:
            of_tracks[row["track_id"]] = owner_of_row
    return Owners(
        of_tracks,
        of_identities,
        {row["track_id"]: row["confidence"] for row in rows},
        frozenset(row["track_id"] for row in rows if _is_parted(row)),
    )


def _is_parted(row: Mapping[str, Any]) -> bool:
    """Tell whether the gallery moved a track; of a part that was split off it says the name."""
    return row.get("source") == "gallery" and row.get("decision") is None


def _owners_of_identities(
    identities: Iterable[Mapping[str, Any]], cast: Sequence[Mapping[str, Any]]
) -> dict[str, Owner]:
    """Return the owner of every identity and of every part that was split off."""
    rows = [row for row in cast if row.get("identity_id") is not None]
    whole = {row["identity_id"]: row for row in rows if row.get("track_id") is None}
    owners = {
        identity_id: Owner(identity_id, row.get("cast_id"), row.get("label"))
        for identity_id, row in whole.items()
    }
    for identity in identities:
        identity_id = identity["identity_id"]
        owners.setdefault(identity_id, Owner(identity_id, None, identity.get("label")))
    for row in rows:
        part = Owner(row["identity_id"], row.get("cast_id"), row.get("label"))
        owners.setdefault(row["identity_id"], part)
    merged = {i: row["merged_into"] for i, row in whole.items() if row.get("merged_into")}
    return owners | {i: owners[into] for i, into in merged.items() if into in owners}


def _owner_of_row(row: Mapping[str, Any], of_identities: Mapping[str, Owner]) -> Owner | None:
    identity_id, cast_id = row.get("identity_id"), row.get("cast_id")
    owner = None if identity_id is None else of_identities[identity_id]
    if cast_id is None or (owner is not None and owner.cast_id == cast_id):
        return owner
    return Owner(None, cast_id, row.get("label"))
