"""What becomes of a run that somebody interrupts, wherever it hits."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from screenalytics_assets.assets.shell import build_asset
from screenalytics_assets.interrupts import remembered_interrupts
from screenalytics_assets.io_manager import ArtifactIOManager
from screenalytics_assets.mirror import read_events
from screenalytics_assets.work import StepWork
from screenalytics_core.ledger.attempt_fold import fold_attempt
from screenalytics_core.ledger.events import LedgerEvent
from screenalytics_core.steps.base import Progress, Step
from screenalytics_core.steps.scan import STEP


class Interrupting(dg.IOManager):
    """Is interrupted while it publishes, where no step of ours is at work."""

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    def load_input(self, context: dg.InputContext) -> None:
        return None


def events_of_an_interrupted_run(name: str) -> list[LedgerEvent]:
    @dg.asset(name=name, io_manager_def=dg.IOManagerDefinition.hardcoded_io_manager(Interrupting()))
    def published() -> int:
        return 1

    job = dg.Definitions(
        assets=[published], jobs=[dg.define_asset_job("all")], executor=dg.in_process_executor
    ).resolve_job_def("all")
    with dg.DagsterInstance.ephemeral() as instance:
        run_id = "0b7f1f3e-0000-4000-8000-000000000001"
        job.execute_in_process(instance=instance, run_id=run_id, raise_on_error=False)
        return read_events(instance, run_id)


def test_the_step_that_it_hit_is_no_bug() -> None:
    attempt = fold_attempt("any", events_of_an_interrupted_run("tracks"))

    assert attempt.error is not None
    assert attempt.error.code == "interrupted"


def test_nor_is_the_run_where_it_hit_no_step() -> None:
    attempt = fold_attempt("any", events_of_an_interrupted_run("no_step_of_ours"))

    assert attempt.error is not None
    assert attempt.error.code == "interrupted"


class Interrupted:
    """Interrupts the process while it is finalised, where Python drops what is raised."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000):
            pass


def lose_an_interrupt() -> None:
    Interrupted()


@dataclass
class Losing:
    """A session, and the pipeline that has it, whose step loses an interrupt and goes on.

    Attributes:
        reports: How often it says how far it is then.
    """

    reports: int
    said: int = 0
    listener: None = None

    def session(self, *_: Any) -> Losing:
        return self

    def to_config(self) -> None:
        return None

    def begin(self, step: Step, outputs: Any, inputs: Mapping[Any, Any]) -> StepWork:
        return StepWork(step, outputs, inputs, "unknown")

    def produce(self, work: StepWork, progress: Progress) -> list[Any]:
        lose_an_interrupt()
        for _ in range(self.reports):
            progress(1, 2, "half of it")
            self.said += 1
        return []

    def publish(self, pending: Any) -> list[Any]:
        lose_an_interrupt()
        return []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("reports", [2, 0])
def test_a_run_in_which_an_interrupt_was_lost_ends_canceled(reports: int) -> None:
    losing = Losing(reports)
    pipeline = dg.ResourceDefinition.hardcoded_resource(losing)
    job = dg.Definitions(
        assets=[build_asset(STEP)],
        jobs=[dg.define_asset_job("all")],
        resources={"pipeline": pipeline, "settings": pipeline, "io_manager": Interrupting()},
        executor=dg.in_process_executor,
    ).resolve_job_def("all")
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("ep_id", ["show-s01e01"])
        run_id = "0b7f1f3e-0000-4000-8000-000000000002"
        job.execute_in_process(
            instance=instance, run_id=run_id, partition_key="show-s01e01", raise_on_error=False
        )
        run = instance.get_run_by_id(run_id)

    assert run is not None
    assert run.status is dg.DagsterRunStatus.CANCELED
    assert losing.said == 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_was_lost_while_an_output_was_published_is_raised_then() -> None:
    losing: Any = Losing(reports=0)
    context: Any = SimpleNamespace(
        step_context=SimpleNamespace(previous_attempt_count=0), asset_partition_key="show-s01e01"
    )
    reused: Any = SimpleNamespace(reused="by another run")

    with pytest.raises(dg.DagsterExecutionInterruptedError):
        ArtifactIOManager(losing, losing).handle_output(context, reused)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_who_is_not_interrupted_finds_the_handlers_as_they_were() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    with remembered_interrupts() as check:
        check()
    with pytest.raises(dg.DagsterExecutionInterruptedError), remembered_interrupts():
        lose_an_interrupt()

    after = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert after == before
