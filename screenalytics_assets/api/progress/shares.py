"""How much of a launch is done, event by event: as the run index says it, but without a fold.

A fold reads every event of the run; a listener is told each one, so its progress must cost
the same however long the run is. A test holds that both say the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from screenalytics_core.ledger.events import EventKind, LedgerEvent
from screenalytics_core.stages import PipelineStage

# A stage's last step may have more to do than to count.
_MOST_BEFORE_THE_END = 99.0


@dataclass(slots=True)
class StepShare:
    """How far a step of a launch is.

    Attributes:
        is_own: It started, or is planned; not only another stage's step that made a share of it.
        reports: Newest report of each of its parts.
    """

    is_own: bool = False
    is_over: bool = False
    is_done: bool = False
    reports: dict[str, LedgerEvent] = field(default_factory=dict)

    def take(self, event: LedgerEvent) -> None:
        """Take the next event of this step."""
        kind = event.kind
        self.is_own = self.is_own or kind is not EventKind.ARTIFACT_PUBLISHED
        if kind is EventKind.STEP_STARTED:
            self.is_over = self.is_done = False
            self.reports = {}
        elif kind is EventKind.STEP_PROGRESS:
            self.reports[str(event.data.get("part", ""))] = event
        elif kind in {EventKind.STEP_SUCCEEDED, EventKind.STEP_FAILED} and not self.is_over:
            self.is_over = True
            self.is_done = kind is EventKind.STEP_SUCCEEDED

    @property
    def counted(self) -> tuple[int, int] | None:
        """Units done and to do, summed over its parts; None while it reported nothing."""
        if not self.reports:
            return None
        told = [event.data for event in self.reports.values()]
        return sum(int(d["done"]) for d in told), sum(int(d["total"]) for d in told)

    @property
    def reported_at(self) -> str:
        """When it last reported; empty before."""
        return max((event.at for event in self.reports.values()), default="")


class Shares:
    """How far each stage of one launch is."""

    def __init__(self) -> None:
        self._stages: dict[PipelineStage, dict[str, StepShare]] = {}

    def take(self, event: LedgerEvent) -> None:
        """Take the next event of the launch; those that are no step's say nothing."""
        if event.stage is not None and event.step is not None:
            steps = self._stages.setdefault(event.stage, {})
            steps.setdefault(event.step, StepShare()).take(event)

    def step(self, event: LedgerEvent) -> StepShare | None:
        """Return the step that an event is about."""
        if event.stage is None or event.step is None:
            return None
        return self._stages.get(event.stage, {}).get(event.step)

    def is_done(self, stage: PipelineStage) -> bool:
        """Tell whether every step of a stage has succeeded."""
        own = [step for step in self._stages.get(stage, {}).values() if step.is_own]
        return bool(own) and all(step.is_done for step in own)

    @property
    def pct(self) -> float:
        """Percent done of the stages that the launch planned or touched."""
        if not self._stages:
            return 0.0
        return round(sum(map(self._stage_pct, self._stages)) / len(self._stages), 1)

    def _stage_pct(self, stage: PipelineStage) -> float:
        if self.is_done(stage):
            return 100.0
        reporting = [step for step in self._stages[stage].values() if step.reports]
        newest = max(reporting, key=lambda step: step.reported_at, default=None)
        done, total = (newest.counted if newest else None) or (0, 0)
        pct = round(min(100.0, 100.0 * done / total), 1) if total else 0.0
        return min(pct, _MOST_BEFORE_THE_END)
