"""Keeps a run's ledger current while this process executes the run."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Final, Self

import dagster as dg

from screenalytics_assets.mirror import mirror_runs, tolerated
from screenalytics_assets.stores import Stores

_PERIOD_S: Final = 2.0
# Where each question to the data root takes long, looking takes no more of the time than this.
_SHARE: Final = 0.04


class Follower:
    """Mirrors one Dagster run about every two seconds from `with` to its end, and once more then.

    A thread in the process that executes the run needs no daemon; when a daemon mirrors the
    same run, each finds what the other has written.
    """

    def __init__(self, instance: dg.DagsterInstance, stores: Stores, dagster_run_id: str) -> None:
        self._instance = instance
        self._stores = stores
        self._dagster_run_id = dagster_run_id
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)

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
        self._mirror()
        with tolerated(self._dagster_run_id, []):
            self._stores.ledger.registry.publish(wait=True)

    def _run(self) -> None:
        took_s = 0.0
        while not self._stopped.wait(max(_PERIOD_S, took_s / _SHARE)):
            began_s = time.monotonic()
            self._mirror()
            took_s = time.monotonic() - began_s

    def _mirror(self) -> None:
        mirror_runs(self._instance, self._stores, [self._dagster_run_id])
