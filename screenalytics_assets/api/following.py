"""Keeps the ledger and the jobs' views current while the server runs, daemon or not."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import dagster as dg

from screenalytics_assets.api.canceling import Insistence
from screenalytics_assets.api.idempotency import Turns
from screenalytics_assets.api.job_view import JobViews
from screenalytics_assets.api.launching import REQUEST_TAG, submit_run
from screenalytics_assets.liveness import UNENDED, sweep
from screenalytics_assets.mirror import mirror_runs, run_key_of, tolerated
from screenalytics_assets.stores import Stores
from screenalytics_core.processes import ProcessIdentity

_LOG: Final = logging.getLogger(__name__)
_PERIOD_S: Final = 1.0
_SWEEP_EVERY: Final = 3
# Who has created a job queues it within milliseconds; on a busy machine within seconds.
_LEFT_AFTER_S: Final = 5.0
_WAITING: Final = (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.QUEUED)


class Following:
    """A thread that mirrors every run that goes on, each second, from `with` to its end.

    The daemon's sensor does the same every five seconds; each finds what the other has written.
    """

    def __init__(
        self,
        instance: dg.DagsterInstance,
        stores: Stores,
        views: JobViews,
        turns: Turns | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._instance = instance
        self._stores = stores
        self._views = views
        self._turns = turns or Turns()
        self._clock = clock
        self._insistence = Insistence(instance, stores, clock)
        self._going_on: dict[str, dg.DagsterRunStatus] = {}
        self._rounds = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="following", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        with tolerated("the queue", []):
            self._submit_left_over(min_age_s=0.0)
        while not self._stopped.wait(_PERIOD_S):
            with tolerated("those that go on", []):
                self.look()

    def look(self) -> None:
        """Take in what is new once."""
        if self._rounds % _SWEEP_EVERY == 0:
            sweep(self._instance, self._stores.attempts, ProcessIdentity.current())
        self._rounds += 1
        runs = self._instance.get_runs(dg.RunsFilter(statuses=list(UNENDED)))
        now = {run.run_id: run.status for run in runs if run_key_of(run) is not None}
        # What waits tells nothing new until it starts; what has gone has ended.
        new = [i for i, s in now.items() if s not in _WAITING or self._going_on.get(i) is not s]
        ended = [job_id for job_id in self._going_on if job_id not in now]
        mirror_runs(self._instance, self._stores, [*new, *ended])
        self._going_on = now
        self._insistence.look(runs)
        if dg.DagsterRunStatus.NOT_STARTED in now.values():
            self._submit_left_over(min_age_s=_LEFT_AFTER_S)
        self._views.refresh()
        if new or ended:
            self._stores.ledger.registry.publish(wait=False)

    def _submit_left_over(self, min_age_s: float) -> None:
        """Queue what was created so long ago, by a server that was killed or failed then."""
        waiting = dg.RunsFilter(statuses=[dg.DagsterRunStatus.NOT_STARTED])
        for record in self._instance.get_run_records(waiting):
            run = record.dagster_run
            age_s = self._clock() - record.create_timestamp.timestamp()
            if REQUEST_TAG not in run.tags or age_s < min_age_s:
                continue
            # In its turn: two who queue it at once would put it there twice.
            with tolerated(run.run_id, []), self._turns.of(run.run_id):
                _LOG.info("job %s was created and is queued now", run.run_id)
                submit_run(self._instance, run.run_id)
