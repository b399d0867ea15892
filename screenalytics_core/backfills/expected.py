"""How long a run will take, from the runs that have finished. Pure.

Seconds of run per second of video, the median of runs that computed everything in one go:
first those with the same settings, else those with the same models.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that computed everything in its first attempt.

    Attributes:
        config_hash: Over the settings that it is bound to.
        pack: Name of its models.
    """

    config_hash: str
    pack: str
    took_s: float
    video_s: float


@dataclass(frozen=True, slots=True)
class Rate:
    """Seconds of run per second of video; None without history.

    Attributes:
        basis: What it is the median of, for people.
    """

    s_per_video_s: float | None
    basis: str

    def expected_s(self, video_s: float | None) -> float | None:
        """Return the expected seconds of a run; None where nobody can tell."""
        if self.s_per_video_s is None or video_s is None:
            return None
        return self.s_per_video_s * video_s


@dataclass(frozen=True, slots=True)
class History:
    """Finished runs of a data root."""

    runs: tuple[Finished, ...] = field(default=())

    def rate(self, config_hash: str, pack: str) -> Rate:
        """Return the rate to expect of a run with these settings and models."""
        sound = [run for run in self.runs if run.video_s > 0 and run.took_s > 0]
        same = [run for run in sound if run.config_hash == config_hash]
        if same:
            return Rate(_median(same), f"{_runs(len(same))} with these settings")
        alike = [run for run in sound if run.pack == pack]
        if alike:
            return Rate(_median(alike), f"{_runs(len(alike))} with other settings of {pack}")
        return Rate(None, f"no finished run with {pack} yet, so nobody knows how long it takes")


def _median(runs: Iterable[Finished]) -> float:
    return median(run.took_s / run.video_s for run in runs)


def _runs(count: int) -> str:
    return f"median of {count} finished run{'s' if count > 1 else ''}"
