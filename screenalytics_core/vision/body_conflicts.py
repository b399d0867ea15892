"""Nobody has two bodies: claims of one identity on several bodies at the same time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from screenalytics_core.vision.body_votes import Claim, Votes
from screenalytics_core.vision.box_tracks import BoxTracks
from screenalytics_core.vision.boxes import Float64Array, IntArray, areas_px
from screenalytics_core.vision.intervals import Interval, subtraction

# A detector may give one person two boxes, down to the hip and down to the feet: the smaller
# lies in the larger and both begin at the top of the head.
_SAME_INSIDE: Final = 0.8
_SAME_TOP: Final = 0.1


def one_body_each(
    claims: Sequence[Claim], votes: Votes, bodies: BoxTracks, frame_times_s: Float64Array
) -> list[Claim]:
    """Settle where an identity claims two bodies at once, ascending by body and time.

    Of two bodies that both are one identity's at a time, the one with more votes (weighted)
    for it in that time keeps it; if both have the same, or none, the one with more in the
    whole claim, then the one with the lower id. The other is nobody's there. Both keep it if
    they are two boxes of one person. What is left of a claim stays only where it has a vote
    of its own: continuity ends where the track was somebody else's.
    """
    lost: dict[Claim, list[Interval]] = defaultdict(list)
    for first, second in _overlapping(claims, bodies):
        start_s, end_s = max(first.start_s, second.start_s), min(first.end_s, second.end_s)
        if is_same_body(bodies, first.body, second.body, (start_s, end_s), frame_times_s):
            continue
        loser = min(first, second, key=lambda c: (*_strength(c, start_s, end_s, votes), -c.body))
        lost[loser].append((start_s, end_s))
    return [
        piece
        for claim in sorted(claims)
        for piece in _pieces(claim, lost[claim])
        if len(votes.of(piece))
    ]


def is_same_body(
    bodies: BoxTracks, first: int, second: int, when: Interval, frame_times_s: Float64Array
) -> bool:
    """Tell whether two body tracks are two boxes of one person during `when`.

    On average over its frames, at least 0.8 of the smaller box lies in the larger one, and
    their top edges are at most a tenth of the larger one's height apart.
    """
    frames = np.union1d(_frames_of(bodies, first), _frames_of(bodies, second))
    times_s = frame_times_s[frames]
    frames = frames[(times_s >= when[0]) & (times_s < when[1])]
    if len(frames) == 0:
        return False
    a, b = (bodies.boxes_at(row, frames, frame_times_s) for row in (first, second))
    sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    smaller = np.maximum(np.minimum(areas_px(a), areas_px(b)), 1e-6)
    inside = np.maximum(sides, 0.0).prod(axis=1) / smaller
    heights = np.maximum(np.maximum(a[:, 3] - a[:, 1], b[:, 3] - b[:, 1]), 1e-6)
    tops = np.abs(a[:, 1] - b[:, 1]) / heights
    return bool(inside.mean() >= _SAME_INSIDE and tops.mean() <= _SAME_TOP)


def _overlapping(claims: Iterable[Claim], bodies: BoxTracks) -> Iterable[tuple[Claim, Claim]]:
    """Yield pairs of one shot and identity, on different bodies, with time in common."""
    groups: dict[tuple[int, int], list[Claim]] = defaultdict(list)
    for claim in sorted(claims, key=lambda c: (c.start_s, c.body)):
        groups[int(bodies.shot_ids[claim.body]), claim.identity].append(claim)
    for group in groups.values():
        for at, first in enumerate(group):
            for second in group[at + 1 :]:
                if second.start_s >= first.end_s:
                    break
                if second.body != first.body:
                    yield first, second


def _strength(claim: Claim, start_s: float, end_s: float, votes: Votes) -> tuple[float, float]:
    within = claim._replace(start_s=start_s, end_s=end_s)
    here, everywhere = (float(votes.weights[votes.of(c)].sum()) for c in (within, claim))
    return here, everywhere


def _pieces(claim: Claim, lost: Iterable[Interval]) -> list[Claim]:
    left = subtraction([claim.interval], lost)
    return [claim._replace(start_s=start_s, end_s=end_s) for start_s, end_s in left]


def _frames_of(bodies: BoxTracks, row: int) -> IntArray:
    return bodies.frame_idxs[bodies.offsets[row] : bodies.offsets[row + 1]]
