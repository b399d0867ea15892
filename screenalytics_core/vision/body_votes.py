"""Whose a body track is, and from when to when, by the faces that lie in it.

A body has votes where an identified face is its face, and votes against an identity where
that identity's face is seen outside of it: nobody is in two places. While the face is hidden,
the tracker's continuity carries the identity to the next vote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.box_tracks import BoxTracks
from screenalytics_core.vision.boxes import Float64Array, IntArray
from screenalytics_core.vision.face_in_body import FacesInBodies
from screenalytics_core.vision.intervals import Interval

NOBODY: Final = -1

# What a change of owner within a body track must be worth, in votes. One stray face at the
# end of a track, or two in its middle (there and back are two changes), change nothing.
_CHANGE_COST: Final = 1.0


class Claim(NamedTuple):
    """A stretch of a body track that is one identity's."""

    body: int
    start_s: float
    end_s: float
    identity: int

    @property
    def interval(self) -> Interval:
        """The seconds, half-open."""
        return self.start_s, self.end_s


@dataclass(frozen=True, slots=True)
class Votes:
    """Faces seen in their body, ascending by body and frame; at most one per body and frame.

    Attributes:
        bodies: (V,) faces: (V,) rows. frame_idxs: (V,).
        times_s: (V,) of the frames.
        identities: (V,) the faces' identities; faces of nobody do not vote.
        weights: (V,) 0 to 1, how well the face fits.
    """

    bodies: IntArray
    faces: IntArray
    frame_idxs: IntArray
    times_s: Float64Array
    identities: IntArray
    weights: Float64Array

    def within(self, claim: Claim) -> IntArray:
        """Return the rows of a claim's body and time, whoever they vote for."""
        begin, end = np.searchsorted(self.bodies, [claim.body, claim.body + 1]).tolist()
        times_s = self.times_s[begin:end]
        inside = (times_s >= claim.start_s) & (times_s < claim.end_s)
        return np.asarray(begin + np.flatnonzero(inside), np.int64)

    def of(self, claim: Claim) -> IntArray:
        """Return the rows of a claim's body and time that vote for its identity."""
        rows = self.within(claim)
        votes_for = self.identities[rows] == claim.identity
        return np.asarray(rows[votes_for], np.int64)


def votes_of(pairs: FacesInBodies, identities: IntArray, frame_times_s: Float64Array) -> Votes:
    """Return the votes.

    Args:
        identities: (faces,) identity of each face track, or `NOBODY`.
    """
    own = identities[pairs.faces]
    at = np.flatnonzero(pairs.is_match & pairs.is_observed & (own != NOBODY))
    frames = pairs.frame_idxs[at]
    return Votes(
        pairs.bodies[at], pairs.faces[at], frames, frame_times_s[frames], own[at], pairs.fits[at]
    )


def claims_by_votes(
    votes: Votes,
    pairs: FacesInBodies,
    faces: BoxTracks,
    bodies: BoxTracks,
    identities: IntArray,
    frame_times_s: Float64Array,
) -> list[Claim]:
    """Give every body track with votes to identities, stretch by stretch.

    The owners over time are those that the fewest votes contradict, weighted, where a change
    of owner counts as one vote more (dynamic programming over the frames with votes; a vote
    that is overruled counts as noise). Nobody owns a body while the one who had it is seen
    elsewhere. Owners change half way between the last vote of the one and the first of the
    other; the first has the track from its start and the last to its end.
    """
    seen = _SeenFrames(faces, identities)
    inside = _InsideFrames(pairs, identities)
    begins = np.searchsorted(votes.bodies, np.arange(len(bodies) + 1))
    firsts, lasts = bodies.first_frame_idxs, bodies.last_frame_idxs
    claims = []
    for body in np.unique(votes.bodies).tolist():
        own = slice(begins[body], begins[body + 1])
        owners = np.unique(votes.identities[own])
        elsewhere = [
            np.setdiff1d(seen.within(owner, firsts[body], lasts[body]), inside.of(body, owner))
            for owner in owners.tolist()
        ]
        events, costs = _costs(
            votes.frame_idxs[own], votes.weights[own], votes.identities[own], owners, elsewhere
        )
        runs = _cheapest_runs(costs)
        borders = _borders(events, runs, frame_times_s)
        edges = [float(bodies.start_s[body]), *borders, float(bodies.end_s[body])]
        claims += [
            Claim(body, edges[n], edges[n + 1], int(owners[run.state]))
            for n, run in enumerate(runs)
            if run.state < len(owners)
        ]
    return claims


def _costs(
    frame_idxs: IntArray,
    weights: Float64Array,
    identities: IntArray,
    owners: IntArray,
    elsewhere: Sequence[IntArray],
) -> tuple[IntArray, Float64Array]:
    """Return the frames with votes on one body, and what each owner leaves unexplained there.

    Args:
        frame_idxs: (V,) weights: (V,) identities: (V,) of the body's votes.
        owners: (K,) who may own it; nobody is one column more.
        elsewhere: Frames on which each of them is seen outside of the body.
    """
    events = np.unique(np.concatenate([frame_idxs, *elsewhere]))
    costs = np.zeros((len(events), len(owners) + 1))
    at = np.searchsorted(events, frame_idxs)
    costs[at] += weights[:, None]
    costs[at, np.searchsorted(owners, identities)] = 0.0
    for column, frames in enumerate(elsewhere):
        costs[np.searchsorted(events, frames), column] += 1.0
    return events, costs


class _SeenFrames:
    """On which frames each identity's face was seen."""

    def __init__(self, faces: BoxTracks, identities: IntArray) -> None:
        owner = identities[faces.owners][faces.is_observed]
        frames = faces.frame_idxs[faces.is_observed]
        order = np.lexsort((frames, owner))
        self._frames = frames[order]
        known = np.arange(identities.max(initial=NOBODY) + 2)
        self._begins = np.searchsorted(owner[order], known)

    def within(self, identity: int, first: int, last: int) -> IntArray:
        frames = self._frames[self._begins[identity] : self._begins[identity + 1]]
        begin, end = np.searchsorted(frames, [first, last + 1])
        return frames[begin:end]


class _InsideFrames:
    """On which frames an identity's face lies in a body, whether or not it is its match."""

    def __init__(self, pairs: FacesInBodies, identities: IntArray) -> None:
        self._count = int(identities.max(initial=NOBODY)) + 2
        key = self._key(pairs.bodies, identities[pairs.faces])
        order = np.argsort(key, kind="stable")
        self._keys, self._frames = key[order], pairs.frame_idxs[order]

    def _key(self, body: IntArray | int, identity: IntArray | int) -> IntArray:
        return np.asarray(body * np.int64(self._count) + identity + 1)

    def of(self, body: int, identity: int) -> IntArray:
        key = int(self._key(body, identity))
        begin, end = np.searchsorted(self._keys, [key, key + 1])
        return self._frames[begin:end]


class _Run(NamedTuple):
    """Events from first to last, included, with one owner."""

    state: int
    first: int
    last: int


def _cheapest_runs(costs: NDArray[np.float64]) -> list[_Run]:
    """Return the owner of every event, as runs: the Viterbi path with a fixed cost of change.

    Args:
        costs: (events, states) what each owner leaves unexplained at each event. Of equal
            paths the one that changes later is taken, and ends in the lowest state.
    """
    unopposed = np.flatnonzero(~costs.any(axis=0))
    if len(unopposed):
        return [_Run(int(unopposed[0]), 0, len(costs) - 1)]
    total = costs[0].copy()
    came_from = np.zeros(costs.shape, np.int64)
    stays = np.arange(costs.shape[1])
    for event in range(1, len(costs)):
        cheapest = int(total.argmin())
        changes = total[cheapest] + _CHANGE_COST < total
        came_from[event] = np.where(changes, cheapest, stays)
        total = np.where(changes, total[cheapest] + _CHANGE_COST, total) + costs[event]
    state = int(total.argmin())
    runs = [_Run(state, len(costs) - 1, len(costs) - 1)]
    for event in range(len(costs) - 1, 0, -1):
        before = int(came_from[event, runs[0].state])
        if before == runs[0].state:
            runs[0] = runs[0]._replace(first=event - 1)
        else:
            runs.insert(0, _Run(before, event - 1, event - 1))
    return runs


def _borders(events: IntArray, runs: list[_Run], frame_times_s: Float64Array) -> list[float]:
    """Return where owners change: half way between two events; each lasts a whole frame."""
    befores = events[[run.last for run in runs[:-1]]]
    afters = events[[run.first for run in runs[1:]]]
    middles = (frame_times_s[befores + 1] + frame_times_s[afters]) / 2
    return [float(middle) for middle in middles]
