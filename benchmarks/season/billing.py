"""A take in which only the cast is billed: everybody else is an extra, whoever they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from benchmarks.composed.looks import Look
from benchmarks.composed.takes import Take


@dataclass(frozen=True, slots=True)
class Billed:
    """A take whose main people are those in `names`."""

    take: Take
    names: frozenset[str]

    @property
    def frame_count(self) -> int:
        """How many frames there are."""
        return self.take.frame_count

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return self.take.size_px

    @property
    def is_exact(self) -> bool:
        """Whether any frame may be labelled."""
        return self.take.is_exact

    def main_people(self) -> frozenset[str]:
        """Return those of the take who are billed."""
        return self.take.main_people() & self.names

    def drawn_for(self, scale: float) -> Billed:
        """Return the take in the size that a picture `scale` times as large needs."""
        return replace(self, take=self.take.drawn_for(scale))

    def looks(self) -> Iterator[Look]:
        """Yield the frames in order."""
        return self.take.looks()
