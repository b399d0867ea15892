"""A season's stated seconds per main person against the truth of its episodes. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import fsum
from typing import Any, Final

from screenalytics_core.evaluation.truth import FrameInterval, Truth

_DECIMALS: Final = 3


@dataclass(frozen=True, slots=True)
class PersonSeason:
    """One main person over all episodes.

    Attributes:
        episodes: In how many the truth has them.
        stated_episodes: In how many the season states more than nothing for them.
        true_s: Face visible, hard or not.
        least_s, most_s: What may be right as well: clear faces alone, and with what is
            doubtful besides.
        stated_s: What the season says.
    """

    person: str
    episodes: int
    stated_episodes: int
    true_s: float
    least_s: float
    most_s: float
    stated_s: float

    @property
    def error_percent(self) -> float:
        """How far the stated seconds are off, in percent of the true ones."""
        return round(100 * abs(self.stated_s - self.true_s) / self.true_s, _DECIMALS)

    @property
    def tolerant_error_percent(self) -> float:
        """How far they lie outside of what may be right, in percent of the true ones."""
        outside_s = max(0.0, self.least_s - self.stated_s, self.stated_s - self.most_s)
        return round(100 * outside_s / self.true_s, _DECIMALS)


def season_rows(
    truths: Mapping[str, Truth], stated: Mapping[str, Mapping[str, float]]
) -> tuple[PersonSeason, ...]:
    """Return a row per main person, by name.

    Args:
        truths: ep_id -> its truth. Somebody who is main in one of them is main in the season.
        stated: ep_id -> name -> seconds of visible face; who is missing has none.
    """
    main = sorted({p.name for truth in truths.values() for p in truth.persons if p.is_main})
    rows = []
    for person in main:
        seen = {ep_id: truth for ep_id, truth in truths.items() if truth.visible.get(person)}
        said = [stated.get(ep_id, {}).get(person, 0.0) for ep_id in truths]
        rows.append(
            PersonSeason(
                person,
                episodes=len(seen),
                stated_episodes=sum(seconds > 0 for seconds in said),
                true_s=_sum(_seconds(t, t.visible[person]) for t in seen.values()),
                least_s=_sum(_seconds(t, t.visible_clear[person]) for t in seen.values()),
                most_s=_sum(
                    _seconds(t, (*t.visible[person], *t.maybe[person])) for t in seen.values()
                ),
                stated_s=_sum(said),
            )
        )
    return tuple(rows)


def stated_seconds(screen_time: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return ep_id -> name -> seconds of visible face, as a roll-up states them.

    Args:
        screen_time: The document of `seasons.specs.SEASON_SCREEN_TIME`.
    """
    stated: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for row in screen_time["figures"]:
        if row["kind"] == "cast" and row["face_s"] is not None:
            stated[row["ep_id"]][row["label"]] = row["face_s"]
    return dict(stated)


def _seconds(truth: Truth, intervals: tuple[FrameInterval, ...]) -> float:
    """Return the length of the union; frames of a composed season are even."""
    frames = {frame for first, last in intervals for frame in range(first, last + 1)}
    return len(frames) / truth.fps


def _sum(seconds: Iterable[float]) -> float:
    return round(fsum(seconds), _DECIMALS)
