"""What the ledger says of a run that somebody interrupted outside its steps' own work."""

from __future__ import annotations

import os
import signal
from typing import Any

import dagster as dg

from screenalytics_assets.mirror import read_events
from screenalytics_core.ledger.attempt_fold import fold_attempt
from screenalytics_core.ledger.events import LedgerEvent


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
