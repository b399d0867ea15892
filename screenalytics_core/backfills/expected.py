"""How long a run will take, from the runs that have finished. Pure.

Seconds of run per second of video, the median of runs that computed everything in one go:
first those with the same settings, else those with the same models. A run that takes most over
is expected to need the part of it that its own stages took in those runs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that computed everything in its first attempt.

    Attributes:
        config_hash: Over the settings that it is bound to.
        pack: Name of its models.
        stage_s: Stage -> seconds that it took.
    """

    config_hash: str
    pack: str
    took_s: float
    video_s: float
    stage_s: Mapping[str, float] = field(default_factory=dict)

    def share(self, stages: Collection[str]) -> float:
        """Return the part of the run, 0 to 1, that some stages took, and what is of no stage."""
        others_s = sum(took for stage, took in self.stage_s.items() if stage not in stages)
        return min(1.0, max(0.0, 1 - others_s / self.took_s))


@dataclass(frozen=True, slots=True)
class Rate:
    """Seconds of run per second of video; None without history.

    Attributes:
        basis: What it is the median of, for people.
        runs: Those.
    """

    s_per_video_s: float | None
    basis: str
    runs: tuple[Finished, ...] = ()

    def expected_s(self, video_s: float | None, stages: Collection[str] = ()) -> float | None:
        """Return the expected seconds of a run; None where nobody can tell.

        Args:
            stages: Those that it makes anew; empty = all.
        """
        if self.s_per_video_s is None or video_s is None:
            return None
        share = median(run.share(stages) for run in self.runs) if self.runs and stages else 1.0
        return self.s_per_video_s * video_s * share


@dataclass(frozen=True, slots=True)
class History:
    """Finished runs of a data root."""

    runs: tuple[Finished, ...] = field(default=())

    def rate(self, config_hash: str, pack: str) -> Rate:
        """Return the rate to expect of a run with these settings and models."""
        sound = [run for run in self.runs if run.video_s > 0 and run.took_s > 0]
        same = [run for run in sound if run.config_hash == config_hash]
        if same:
            return Rate(_median(same), f"{_runs(len(same))} with these settings", tuple(same))
        alike = [run for run in sound if run.pack == pack]
        if alike:
            basis = f"{_runs(len(alike))} with other settings of {pack}"
            return Rate(_median(alike), basis, tuple(alike))
        return Rate(None, f"no finished run with {pack} yet, so nobody knows how long it takes")


def _median(runs: Iterable[Finished]) -> float:
    return median(run.took_s / run.video_s for run in runs)


def _runs(count: int) -> str:
    return f"median of {count} finished run{'s' if count > 1 else ''}"
