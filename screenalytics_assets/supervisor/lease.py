"""How a server takes part: it finds the supervisor of its DAGSTER_HOME, or starts one."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import Final, Self

from filelock import FileLock, Timeout

from screenalytics_assets.settings import Settings
from screenalytics_assets.supervisor.children import listens
from screenalytics_assets.supervisor.place import Client, Pid, Place, Record
from screenalytics_assets.supervisor.process import MODULE, SUPERVISOR
from screenalytics_core.errors import DaemonMissingError, ServerRunningError

_LOG: Final = logging.getLogger(__name__)
_LOOK_S: Final = 2.0
_POLL_S: Final = 0.1
# Loading the code takes 5 to 10 s; a busy machine may need several times that.
_READY_S: Final = 120.0
# The supervisor gives its children 10 s, and the next one waits for it.
_END_S: Final = 15.0
_START_S: Final = 30.0


class Lease:
    """A server's share in the supervisor, from `with` to its end.

    While it is held, a supervisor that dies is replaced. Whoever stops being a server leaves
    the supervisor to the other servers, and to the runs that have not ended.

    Args:
        kind: dev or api; of each kind there is one server per DAGSTER_HOME.
        url: Where the server is reached.
    """

    def __init__(self, settings: Settings, kind: str, url: str) -> None:
        self._settings = settings
        self._kind = kind
        self._url = url
        self._place = Place(settings.dagster_home)
        self._alone: FileLock = self._place.lock(kind)
        self._stopped = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        try:
            self._alone.acquire(blocking=False)
        except Timeout:
            raise self._taken() from None
        try:
            with self._place.door():
                self._check_data_root()
                me = Client(self._kind, Pid.of(os.getpid()), self._url)
                self._place.write_client(me)
                self._start_if_needed()
        except BaseException:
            self._alone.release()
            raise
        self._keeper.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._keeper.join()
        self._place.forget_client(self._kind)
        self._alone.release()

    def ready(self, timeout_s: float = _READY_S) -> Record:
        """Wait for the code server; return who runs.

        Raises:
            DaemonMissingError: It did not come up; its log says why.
        """
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            record = self._place.living()
            if record is not None and listens(record.socket):
                return record
            time.sleep(_POLL_S)
        raise DaemonMissingError(
            thing=f"code server of {self._settings.dagster_home}",
            reason=f"did not start within {timeout_s:g} s",
            way_out=f"Its logs lie in {self._place.folder}.",
        )

    def stop_supervisor(self) -> bool:
        """End code server and daemon, with whatever runs, unless another server needs them.

        Returns:
            False if one does.
        """
        self._stopped.set()
        self._keeper.join()
        with self._place.door():
            if any(c.kind != self._kind for c in self._place.clients()):
                return False
            if self._place.record() is not None:
                self._start_if_needed()  # one that was killed has left its children
            record = self._place.living()
            if record is None:
                return True
            os.kill(record.process.pid, signal.SIGTERM)
        deadline_s = time.monotonic() + _END_S
        while record.process.is_alive() and time.monotonic() < deadline_s:
            time.sleep(_POLL_S)
        return True

    def _keep(self) -> None:
        while not self._stopped.wait(_LOOK_S):
            with self._place.door():
                self._start_if_needed()

    def _start_if_needed(self) -> None:
        """Start a supervisor unless one lives; call it behind the door."""
        if self._place.living() is not None:
            return
        with self._place.log(SUPERVISOR).open("ab") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    MODULE,
                    str(self._settings.dagster_home),
                    str(self._settings.data_root),
                ],
                env=self._settings.child_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        # It says so itself once it has its lock; till then nobody else may start another.
        deadline_s = time.monotonic() + _START_S
        while self._place.living() is None and time.monotonic() < deadline_s:
            if process.poll() is not None:
                _LOG.warning("the supervisor ended at once; see %s", self._place.log(SUPERVISOR))
                return
            time.sleep(_POLL_S)

    def _check_data_root(self) -> None:
        record = self._place.living()
        mine = str(self._settings.data_root)
        if record is not None and record.data_root != mine:
            raise ServerRunningError(
                thing=f"DAGSTER_HOME {self._settings.dagster_home}",
                reason=f"works over the data root {record.data_root}, not over {mine}",
                way_out="End the servers that use it, or give this one a DAGSTER_HOME of its own.",
            )

    def _taken(self) -> ServerRunningError:
        there = next((c for c in self._place.clients() if c.kind == self._kind), None)
        where = f" at {there.url} (process {there.process.pid})" if there else ""
        return ServerRunningError(
            thing=f"DAGSTER_HOME {self._settings.dagster_home}",
            reason=f"has its `screenalytics {self._kind}` already{where}",
            way_out="Use that one, or end it first.",
        )
