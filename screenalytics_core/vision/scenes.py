"""Scenes: runs of shots that show the same people within a short time.

After the overlapping links of Hanjalic, Lagendijk and Biemond, "Automated high-level movie
segmentation for advanced video-retrieval systems" (1999): where something of a shot comes
back a little later, everything in between belongs together, and links that overlap make one
unit. What comes back here is an identified face, not a likeness of colours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

# Shot and reverse shot come back within seconds; in a talk of several people one of them can
# be off screen for a while. Longer, the same face is as likely to be in another place.
MAX_LINK_S: Final = 20.0


class ShotSpan(NamedTuple):
    """A shot and its time, half-open."""

    shot_id: int
    start_s: float
    end_s: float


class Scene(NamedTuple):
    """Neighbouring shots, first and last included, and their time, half-open."""

    first_shot_id: int
    last_shot_id: int
    start_s: float
    end_s: float


def find_scenes(
    shots: Sequence[ShotSpan],
    appearances: Iterable[tuple[int, int]],
    max_link_s: float = MAX_LINK_S,
) -> list[Scene]:
    """Return the scenes, in time order; they share no shot.

    Two shots are linked when the same identity's face is in both and at most `max_link_s`
    lie between the end of the one and the start of the other. A scene is a maximal run of
    shots that links cover; a shot with an identified face but without a link is a scene by
    itself. A shot without one belongs to a scene only where a link spans over it.

    Args:
        shots: In time order.
        appearances: (shot_id, identity) of every identified face track, any order.
    """
    place = {shot.shot_id: at for at, shot in enumerate(shots)}
    has_face = np.zeros(len(shots), bool)
    # How many links hold a shot and the next one together, as the sum of +1 and -1 so far.
    steps = np.zeros(len(shots) + 1, np.int64)
    last_place: dict[int, int] = {}
    for at, identity in sorted({(place[shot_id], identity) for shot_id, identity in appearances}):
        has_face[at] = True
        before = last_place.get(identity)
        if before is not None and shots[at].start_s - shots[before].end_s <= max_link_s:
            steps[before] += 1
            steps[at] -= 1
        last_place[identity] = at
    return _scenes(shots, has_face.tolist(), (np.cumsum(steps) > 0).tolist())


def _scenes(
    shots: Sequence[ShotSpan], has_face: Sequence[bool], is_linked_on: Sequence[bool]
) -> list[Scene]:
    scenes = []
    first: int | None = None
    for at, shot in enumerate(shots):
        if first is None and has_face[at]:
            first = at
        if first is not None and not is_linked_on[at]:
            start = shots[first]
            scenes.append(Scene(start.shot_id, shot.shot_id, start.start_s, shot.end_s))
            first = None
    return scenes
