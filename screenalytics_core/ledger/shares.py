"""How much of a launch is done, event by event: the one place where that is counted. Pure.

Every stage of the plan counts alike, and so does every step of a stage: it is a share of the
plan and not of the time. No share ever falls: a step that is tried again does over what it had
done, and what nobody planned makes more to do, but no less done.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from screenalytics_core.ledger.events import EventKind, LedgerEvent
from screenalytics_core.stages import PipelineStage

# A step may have more to do than to count.
_MOST_BEFORE_THE_END: Final = 0.99
# What is not done must not be rounded to what is.
_MOST_PCT: Final = 99.9


def counted(reports: Iterable[LedgerEvent]) -> tuple[int, int] | None:
    """Return units done and to do, summed over the parts of a step; None without a report."""
    told = [event.data for event in reports]
    if not told:
        return None
    return sum(int(d["done"]) for d in told), sum(int(d["total"]) for d in told)


@dataclass(slots=True)
class StepShare:
    """How far a step of a launch is.

    Attributes:
        share: Done of it, 0 to 1; the most that it ever was.
        reports: Newest report of each of its parts.
    """

    share: float = 0.0
    is_over: bool = False
    is_done: bool = False
    reports: dict[str, LedgerEvent] = field(default_factory=dict)

    def take(self, event: LedgerEvent) -> None:
        """Take the next event of this step."""
        kind = event.kind
        if kind is EventKind.STEP_STARTED:
            self.is_over = self.is_done = False
            self.reports = {}
        elif kind is EventKind.STEP_PROGRESS:
            self.reports[str(event.data.get("part", ""))] = event
            done, total = self.counted or (0, 0)
            told = done / total if total else 0.0
            self.share = max(self.share, min(told, _MOST_BEFORE_THE_END))
        elif kind in {EventKind.STEP_SUCCEEDED, EventKind.STEP_FAILED} and not self.is_over:
            self.is_over = True
            self.is_done = kind is EventKind.STEP_SUCCEEDED
            self.share = 1.0 if self.is_done else self.share

    @property
    def counted(self) -> tuple[int, int] | None:
        """Units done and to do, summed over its parts; None while it reported nothing."""
        return counted(self.reports.values())


@dataclass(slots=True)
class StageShare:
    """How far a stage of a launch is: the mean over its steps, planned or begun.

    Attributes:
        least: What it was before its last step was known.
    """

    steps: dict[str, StepShare] = field(default_factory=dict)
    least: float = 0.0

    def take(self, name: str, event: LedgerEvent) -> None:
        """Take the next event of one of its steps."""
        if name not in self.steps:
            self.least = self.share
            self.steps[name] = StepShare()
        self.steps[name].take(event)

    @property
    def share(self) -> float:
        """Done of it, 0 to 1."""
        shares = [step.share for step in self.steps.values()]
        return max(self.least, sum(shares) / len(shares)) if shares else self.least


class Shares:
    """How far each stage of one launch is, and the launch."""

    def __init__(self) -> None:
        self._stages: dict[PipelineStage, StageShare] = {}
        self._least = 0.0

    def take(self, event: LedgerEvent) -> None:
        """Take the next event of the launch; those that are no step's say nothing."""
        if event.stage is None or event.step is None:
            return
        is_known = event.step in self._steps(event.stage)
        # What another stage's step makes for this one is no step of it.
        if not is_known and event.kind is EventKind.ARTIFACT_PUBLISHED:
            return
        if event.stage not in self._stages:
            self._least = self._share
            self._stages[event.stage] = StageShare()
        self._stages[event.stage].take(event.step, event)

    def step(self, event: LedgerEvent) -> StepShare | None:
        """Return the step that an event is about; None if it is no step of the event's stage."""
        return self._steps(event.stage).get(event.step or "")

    def is_done(self, stage: PipelineStage) -> bool:
        """Tell whether every step of a stage has succeeded."""
        steps = self._steps(stage)
        return bool(steps) and all(step.is_done for step in steps.values())

    @property
    def pct(self) -> float:
        """Percent done of the stages that the launch planned or began."""
        return _pct(self._share)

    def stage_pct(self, stage: PipelineStage) -> float:
        """Return the percent done of a stage; 0 of one that is not the launch's."""
        return _pct(self._stages[stage].share) if stage in self._stages else 0.0

    def _steps(self, stage: PipelineStage | None) -> dict[str, StepShare]:
        return self._stages[stage].steps if stage in self._stages else {}

    @property
    def _share(self) -> float:
        shares = [stage.share for stage in self._stages.values()]
        return max(self._least, sum(shares) / len(shares)) if shares else self._least


def _pct(share: float) -> float:
    return 100.0 if share >= 1.0 else min(round(100.0 * share, 1), _MOST_PCT)
