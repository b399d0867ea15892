"""Who was said not to be one person, found among the people of today's runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from screenalytics_core.decisions.anchors import TrackFinder
from screenalytics_core.seasons.linking import Place
from screenalytics_core.seasons.model import EpisodePeople
from screenalytics_core.seasons.rejections import RejectedMember, Rejection


def held_apart(
    rejections: Iterable[Rejection],
    episodes: Sequence[EpisodePeople],
    finders: Mapping[str, TrackFinder],
) -> tuple[tuple[Place, Place], ...]:
    """Return the pairs of people that rejections keep apart.

    Where a person of then is several people now, all of them are kept apart from the others;
    one who cannot be found keeps nobody apart.

    Args:
        finders: ep_id -> finds tracks of its run.
    """
    place_of = [
        {track_id: j for j, person in enumerate(e.people) for track_id in person.track_ids}
        for e in episodes
    ]
    index = {e.ep_id: i for i, e in enumerate(episodes)}
    pairs: set[tuple[Place, Place]] = set()
    for rejection in rejections:
        now = [
            [(index[m.ep_id], j) for j in _found(m, place_of[index[m.ep_id]], finders[m.ep_id])]
            if m.ep_id in index
            else []
            for m in rejection.members
        ]
        for one, other in _pairs(rejection):
            pairs |= {(min(a, b), max(a, b)) for a in now[one] for b in now[other] if a != b}
    return tuple(sorted(pairs))


def _pairs(rejection: Rejection) -> Iterator[tuple[int, int]]:
    """Yield pairs of members of whom at least one is apart from all others."""
    for one, other in combinations(range(len(rejection.members)), 2):
        if rejection.members[one].is_apart or rejection.members[other].is_apart:
            yield one, other


def _found(member: RejectedMember, place_of: Mapping[int, int], finder: TrackFinder) -> list[int]:
    """Return the people of today who hold the member's tracks, those with any of them."""
    counts = Counter(place_of[t] for t in finder.find(member.tracks) if t in place_of)
    return sorted(counts)
