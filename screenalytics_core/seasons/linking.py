"""Unnamed people linked across the episodes of a season; named ones say who they may be.

The similarity of two people is the mean similarity (cosine x clarity of both) of their tracks:
the quantity that `cluster_thresh` is calibrated for, so the threshold that joined tracks into
people within an episode joins people of several. Nothing is named here: a link is a proposal,
and one that holds two names is a conflict for people to decide.

Takes O(n^2) memory and about O(n^2) time in the season's people: 24 episodes of 60 need 8 MB.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.seasons.model import EpisodePeople, EpisodePerson
from screenalytics_core.vision.clustering import cluster_tracks
from screenalytics_core.vision.models.protocols import FloatArray

METHOD: Final = "average linkage on the mean similarity of tracks, cannot-link"
THRESHOLD_FROM: Final = (
    "cluster_thresh of the runs, the strictest: the mean similarity of tracks that makes one "
    "person within an episode makes one of several episodes"
)
Pair = tuple[int, int]
Place = tuple[int, int]
"""Of a person: which episode, and which of its people."""


class LinkStatus(StrEnum):
    """What a link has to say."""

    PROPOSAL = "proposal"  # one name, and people without one
    UNNAMED = "unnamed"  # nobody has a name
    CONFLICT = "conflict"  # two names or more
    AGREED = "agreed"  # all of one name: nothing to decide


@dataclass(frozen=True, slots=True)
class LinkMember:
    """A person of one episode in a link.

    Attributes:
        similarity: Mean similarity to the other members.
        rival_similarity: The highest mean similarity to any other group of people that they
            could belong to; None if there is none.
    """

    run_id: str
    person: EpisodePerson
    similarity: float
    rival_similarity: float | None


@dataclass(frozen=True, slots=True)
class Link:
    """People of at least two episodes who look like one person.

    Attributes:
        link_id: Made from the tracks of its members, so it never comes to mean other people.
        similarity: Mean similarity of all its pairs.
    """

    link_id: str
    members: tuple[LinkMember, ...]
    similarity: float

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        """The cast members in it, (cast_id, label), by cast_id."""
        labels: dict[str, str] = {}
        for member in self.members:
            if member.person.cast_id is not None:
                # The last episode's spelling counts.
                labels[member.person.cast_id] = member.person.label or member.person.cast_id
        return tuple(sorted(labels.items()))

    @property
    def status(self) -> LinkStatus:
        """What it has to say."""
        if len(self.names) > 1:
            return LinkStatus.CONFLICT
        if not self.names:
            return LinkStatus.UNNAMED
        return LinkStatus.PROPOSAL if self.unnamed else LinkStatus.AGREED

    @property
    def unnamed(self) -> tuple[LinkMember, ...]:
        """Its members without a name."""
        return tuple(m for m in self.members if m.person.cast_id is None)

    @property
    def ep_ids(self) -> tuple[str, ...]:
        """Its episodes, in their order."""
        return tuple(dict.fromkeys(m.person.ep_id for m in self.members))

    @property
    def total_s(self) -> float:
        """Seconds of its members together."""
        return round(sum(m.person.total_s for m in self.members), 6)


@dataclass(frozen=True, slots=True)
class SeasonLinks:
    """The links of a season.

    Attributes:
        links: Most seconds first.
        thresholds: Embedder's sha256 -> minimum mean similarity to join.
    """

    links: tuple[Link, ...]
    thresholds: dict[str, float]


def link_people(
    episodes: Sequence[EpisodePeople], held_apart: Iterable[tuple[Place, Place]] = ()
) -> SeasonLinks:
    """Link the people of several episodes.

    People of one episode are never one if they were seen at once, else they may be. People
    whose vectors are of different embedders are not compared; one who was decided to be nobody
    with a name, or whose face was never recognisable, is in no link.

    Args:
        episodes: In the season's order.
        held_apart: People that somebody said are not one.
    """
    table = _People.of(episodes)
    thresholds = _thresholds(episodes)
    apart = table.apart(episodes, held_apart)
    links: list[Link] = []
    for embedder, threshold in thresholds.items():
        rows = np.array([i for i, e in enumerate(table.embedders) if e == embedder], np.int64)
        links += _links_among(table, rows, apart, threshold)
    ordered = sorted(links, key=lambda link: (-link.total_s, link.link_id))
    return SeasonLinks(tuple(ordered), thresholds)


@dataclass(frozen=True, slots=True)
class _People:
    """The people of all episodes in one row.

    Attributes:
        vectors: (N, D).
        row_of: Place -> row; those who are in no link have none.
    """

    people: tuple[EpisodePerson, ...]
    run_ids: tuple[str, ...]
    tracks_sha256s: tuple[str, ...]
    embedders: tuple[str, ...]
    vectors: FloatArray
    row_of: dict[Place, int]

    @classmethod
    def of(cls, episodes: Sequence[EpisodePeople]) -> _People:
        """Put those who can be linked in one row."""
        rows = [
            ((i, j), episode, person)
            for i, episode in enumerate(episodes)
            for j, person in enumerate(episode.people)
            if person.vector is not None and not person.is_settled
        ]
        vectors = [person.vector for _, _, person in rows]
        return cls(
            people=tuple(person for _, _, person in rows),
            run_ids=tuple(episode.run_id for _, episode, _ in rows),
            tracks_sha256s=tuple(episode.tracks_sha256 for _, episode, _ in rows),
            embedders=tuple(episode.embedder_sha256 for _, episode, _ in rows),
            vectors=np.array(vectors, np.float32) if rows else np.zeros((0, 1), np.float32),
            row_of={place: row for row, (place, _, _) in enumerate(rows)},
        )

    def apart(
        self, episodes: Sequence[EpisodePeople], held_apart: Iterable[tuple[Place, Place]]
    ) -> NDArray[np.int64]:
        """Return (P, 2) rows that must not be one person.

        People of one name are one, so who is not one of them is none of them.
        """
        places = [*_seen_at_once(episodes), *held_apart]
        known = [p for p in places if p[0] in self.row_of and p[1] in self.row_of]
        pairs = {
            (one, other)
            for pair in known
            for one in self._same(self.row_of[pair[0]])
            for other in self._same(self.row_of[pair[1]])
            if self._name(one) is None or self._name(one) != self._name(other)
        }
        return np.array(sorted(pairs), np.int64).reshape(-1, 2)

    def _name(self, row: int) -> str | None:
        return self.people[row].cast_id

    def _same(self, row: int) -> list[int]:
        """Return all rows of a row's name; of one without a name the row alone."""
        name = self._name(row)
        if name is None:
            return [row]
        return [i for i, person in enumerate(self.people) if person.cast_id == name]


def _seen_at_once(episodes: Sequence[EpisodePeople]) -> Iterator[tuple[Place, Place]]:
    for i, episode in enumerate(episodes):
        yield from (((i, one), (i, other)) for one, other in sorted(episode.apart))


def _thresholds(episodes: Sequence[EpisodePeople]) -> dict[str, float]:
    """Return for each embedder the strictest threshold that its runs had."""
    given: dict[str, list[float]] = defaultdict(list)
    for episode in episodes:
        given[episode.embedder_sha256].append(episode.cluster_thresh)
    return {embedder: max(values) for embedder, values in sorted(given.items())}


def _links_among(
    table: _People, rows: NDArray[np.int64], apart: NDArray[np.int64], threshold: float
) -> Iterator[Link]:
    """Yield the links between people whose vectors compare."""
    vectors = table.vectors[rows]
    groups = [
        np.searchsorted(rows, group) for group in cluster_tracks(rows, vectors, apart, threshold)
    ]
    if not groups:
        return
    similarity = np.asarray(vectors @ vectors.T, np.float64)
    # (people, groups): the mean similarity to each group but one's own.
    of = np.zeros((len(rows), len(groups)))
    for number, group in enumerate(groups):
        of[group, number] = 1 / len(group)
    to_groups = similarity @ of
    to_groups[of > 0] = -np.inf
    known = apart[np.isin(apart, rows).all(axis=1)]
    ones, others = np.searchsorted(rows, np.concatenate([known, known[:, ::-1]])).T
    to_groups[ones, of[others].argmax(axis=1)] = -np.inf
    rivals = to_groups.max(axis=1)
    for group in groups:
        if len({table.people[i].ep_id for i in rows[group]}) > 1:
            yield _link(table, rows[group], similarity[np.ix_(group, group)], rivals[group])


def _link(
    table: _People,
    rows: NDArray[np.int64],
    similarity: NDArray[np.float64],
    rivals: NDArray[np.float64],
) -> Link:
    """Return the link of `rows`, whose similarity to each other is (M, M)."""
    to_others = (similarity.sum(axis=1) - np.diag(similarity)) / (len(rows) - 1)
    members = tuple(
        LinkMember(
            run_id=table.run_ids[row],
            person=table.people[row],
            similarity=round(float(to_others[i]), 6),
            rival_similarity=round(float(rivals[i]), 6) if np.isfinite(rivals[i]) else None,
        )
        for i, row in enumerate(rows.tolist())
    )
    return Link(_link_id(table, rows.tolist()), members, round(float(to_others.mean()), 6))


def _link_id(table: _People, group: Iterable[int]) -> str:
    lines = sorted(
        f"{table.people[i].ep_id} {table.tracks_sha256s[i]} {table.people[i].track_ids}\n"
        for i in group
    )
    return f"link_{hashlib.sha256(''.join(lines).encode()).hexdigest()[:8]}"
