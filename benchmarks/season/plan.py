"""Which of the cast occur in which episode, in which stretches, and how they are filmed.

The plan draws each person's stretches evenly, those first that were shown least: an episode
shows frames of an earlier one only when a clip has no others left, and then in another light,
size and quality.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from benchmarks.composed.camera import Pace
from benchmarks.composed.compose import Episode
from benchmarks.composed.encoding import Encoding
from benchmarks.composed.mixing import CUT, Join
from benchmarks.composed.shots import EpisodeShot
from benchmarks.season.billing import Billed
from benchmarks.season.people import People, Person
from benchmarks.season.stretches import Stretch

# How many of the cast an episode has, in turn: small and large ones, five and a half of eight.
_CAST_SIZES: Final = (6, 5, 7, 4, 6, 7, 5, 3, 6, 7, 5, 6)
# Twelve are run in minutes on two cores; a round of the cast is about ten seconds more.
LENGTH_S: Final = 36.0
# Television's rates; the shares below are of shots, guessed from what is usual there.
_RATES: Final = (Fraction(24), Fraction(25), Fraction(30_000, 1001), Fraction(30))
_JOINS: Final = (CUT, Join("blend", 1), Join("dissolve", 8))
_JOIN_SHARES: Final = (0.88, 0.06, 0.06)
_SLOW_SHARE: Final = 0.5
_DIM_SHARE: Final = 0.45
# From a bit over half to not quite double: a dim room and a window, not night and a flash.
_GAINS: Final = (0.55, 1.7)
_LOW_BITRATE_SHARE: Final = 0.25
_STRETCHES_PER_EPISODE: Final = 2


@dataclass(frozen=True, slots=True)
class Showing:
    """A shot of the plan: whom it is about, and what it shows."""

    person: str
    stretch: str


@dataclass(frozen=True, slots=True)
class PlannedEpisode:
    """An episode to compose, with what is needed to say how names may carry over."""

    episode: Episode
    showings: tuple[Showing, ...]


@dataclass(frozen=True, slots=True)
class SeasonPlan:
    """What a season is made of.

    Attributes:
        show: Its episodes are `{show}-s01e01` and so on.
        length_s: An episode ends with the first round of its cast from here on.
    """

    people: People
    show: str = "demo"
    episodes: int = 12
    seed: int = 0
    length_s: float = LENGTH_S

    def __iter__(self) -> Iterator[PlannedEpisode]:
        """Yield the episodes in order, the same every time."""
        uses: Counter[str] = Counter()
        for number, cast in enumerate(self._casting(), start=1):
            random = np.random.default_rng((self.seed, number))
            yield self._episode(random, number, cast, uses)

    def _casting(self) -> Iterator[tuple[Person, ...]]:
        """Yield who of the cast occurs; those who occurred least come first."""
        random = np.random.default_rng((self.seed, 0))
        seen: Counter[str] = Counter()
        for number in range(self.episodes):
            size = min(_CAST_SIZES[number % len(_CAST_SIZES)], len(self.people.cast))
            order = {p.name: float(random.random()) for p in self.people.cast}
            ranked = sorted(self.people.cast, key=lambda p: (seen[p.name], order[p.name]))
            chosen = {p.name for p in ranked[:size]}
            seen.update(chosen)
            yield tuple(p for p in self.people.cast if p.name in chosen)

    def _episode(
        self,
        random: np.random.Generator,
        number: int,
        cast: Sequence[Person],
        uses: Counter[str],
    ) -> PlannedEpisode:
        encoding = _encoding(random)
        wanted = self.length_s * float(encoding.fps)
        parts = {p.name: self._parts(p, cast, uses) for p in (*cast, *self._strangers(random))}
        shots: list[EpisodeShot] = []
        showings: list[Showing] = []
        rounds = 0
        while sum(shot.frame_count - shot.join.frames for shot in shots) < wanted:
            for name in _order(random, parts, showings):
                if rounds > 0 and name not in {p.name for p in cast}:
                    continue
                stretch = parts[name][rounds % len(parts[name])]
                shots.append(self._shot(random, stretch, is_first=not shots))
                showings.append(Showing(name, stretch.key))
            rounds += 1
        name = f"{self.show}-s01e{number:02d}"
        return PlannedEpisode(Episode(name, tuple(shots), encoding), tuple(showings))

    def _strangers(self, random: np.random.Generator) -> list[Person]:
        """Return up to two who are none of the cast; each is shown once."""
        count = min(int(random.integers(0, 3)), len(self.people.strangers))
        chosen = random.choice(len(self.people.strangers), size=count, replace=False)
        return [self.people.strangers[int(i)] for i in sorted(chosen)]

    def _parts(
        self, person: Person, cast: Sequence[Person], uses: Counter[str]
    ) -> tuple[Stretch, ...]:
        """Return the stretches for one episode: those shown least, with nobody else's leads."""
        others = self.people.names - {p.name for p in cast}
        alone = [s for s in person.stretches if not s.company & others] or person.stretches
        ranked = sorted(alone, key=lambda s: uses[s.key])[:_STRETCHES_PER_EPISODE]
        uses.update(s.key for s in ranked)
        return tuple(ranked)

    def _shot(
        self, random: np.random.Generator, stretch: Stretch, *, is_first: bool
    ) -> EpisodeShot:
        take, lens = stretch.shown(random)
        return EpisodeShot(
            Billed(take, self.people.names),
            lens,
            Pace(0.5 if random.random() < _SLOW_SHARE else 1.0),
            _gain(random),
            join=CUT if is_first else _JOINS[int(random.choice(len(_JOINS), p=_JOIN_SHARES))],
        )


def _order(
    random: np.random.Generator, parts: dict[str, tuple[Stretch, ...]], shown: Sequence[Showing]
) -> list[str]:
    """Return everybody in random order, the one who was shown last not first."""
    names = [str(name) for name in random.permutation(np.array(sorted(parts)))]
    if len(names) > 1 and shown and shown[-1].person == names[0]:
        names.append(names.pop(0))
    return names


def _encoding(random: np.random.Generator) -> Encoding:
    is_poor = random.random() < _LOW_BITRATE_SHARE
    return Encoding(
        fps=_RATES[int(random.integers(len(_RATES)))],
        crf=int(random.integers(18, 30)),
        bitrate_kbps=int(random.integers(250, 500)) if is_poor else None,
    )


def _gain(random: np.random.Generator) -> tuple[tuple[float, float], ...]:
    if random.random() >= _DIM_SHARE:
        return ((0.0, 1.0),)
    low, high = np.log(_GAINS)
    start, end = (float(np.exp(v)) for v in random.uniform(low, high, 2))
    return ((0.0, start),) if random.random() < 0.6 else ((0.0, start), (1.0, end))
