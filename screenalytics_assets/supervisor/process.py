"""The supervisor's own process, which outlives the servers that need it.

It keeps a code server and a daemon alive for as long as a server lives, or a run that one of
them queued has not ended. So a server may be killed at any moment: its jobs go on, and the next
server finds them. A supervisor that was killed leaves its children to the next one.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

from screenalytics_assets.supervisor import children
from screenalytics_assets.supervisor.place import DAEMON, Pid, Place, Record

MODULE: Final = "screenalytics_assets.supervisor.process"
SUPERVISOR: Final = "supervisor"
_LOG: Final = logging.getLogger(__name__)
_LOOK_S: Final = 0.5
# A server that is restarted is back by then.
_LINGER_S: Final = 10.0
_ASK_FOR_RUNS_S: Final = 5.0
_GRACE_S: Final = 10.0
# Until an earlier supervisor has ended its children.
_TAKE_OVER_S: Final = 2 * _GRACE_S


class Supervisor:
    """Keeps the children of one DAGSTER_HOME."""

    def __init__(self, dagster_home: Path, data_root: str) -> None:
        self._home = dagster_home
        self._data_root = data_root
        self._place = Place(dagster_home)
        self._stopped = threading.Event()
        self._needed_s = time.monotonic()
        before = self._place.record()
        known = dict(before.children) if before else {}
        if before is not None and Path(before.socket).parent.is_dir():
            self._socket = before.socket
        else:
            # In the home its path could be longer than the 107 characters that a socket has.
            self._socket = str(Path(tempfile.mkdtemp(prefix="screenalytics-")) / "code")
        self._code_server = children.code_server(
            self._place, self._socket, known.get(children.CODE_SERVER)
        )
        self._daemon = children.daemon(self._place, known.get(DAEMON))

    def run(self) -> None:
        """Supervise until nobody needs it, or it is told to stop."""
        children.write_workspace(self._place, self._socket)
        self._announce()
        while not self._stopped.is_set():
            # The daemon reads the code's sensors and schedules once it starts.
            is_changed = self._code_server.keep()
            if children.listens(self._socket):
                is_changed |= self._daemon.keep()
            if is_changed:
                self._announce()
            if not self._is_needed() and self._say_goodbye():
                break
            self._stopped.wait(_LOOK_S)
        self._end()

    def stop(self) -> None:
        """End the children, whatever they do, and then itself."""
        self._stopped.set()

    def _announce(self) -> None:
        everybody = (self._code_server, self._daemon)
        pids = {child.name: child.pid for child in everybody if child.pid is not None}
        me = Pid.of(os.getpid())
        self._place.write_record(Record(me, self._data_root, self._socket, pids))

    def _is_needed(self) -> bool:
        now_s = time.monotonic()
        if self._place.clients():
            self._needed_s = now_s
        elif now_s - self._needed_s > _LINGER_S and _has_work(self._home):
            self._needed_s = now_s - _LINGER_S + _ASK_FOR_RUNS_S
        return now_s - self._needed_s <= _LINGER_S

    def _say_goodbye(self) -> bool:
        """Take the record away, unless somebody came meanwhile; return whether it was taken."""
        with self._place.door():
            if self._place.clients():
                return False
            self._place.forget_record()
            return True

    def _end(self) -> None:
        everybody = (self._daemon, self._code_server)
        for child in everybody:
            child.signal(signal.SIGTERM)
        deadline_s = time.monotonic() + _GRACE_S
        while any(c.is_alive() for c in everybody) and time.monotonic() < deadline_s:
            time.sleep(0.1)
        for child in everybody:
            child.signal(signal.SIGKILL)
        self._place.forget_record()
        shutil.rmtree(Path(self._socket).parent, ignore_errors=True)


def _has_work(dagster_home: Path) -> bool:
    """Tell whether a run has not ended yet; asked only once no server lives."""
    # Dagster is imported late: a supervisor of servers that live needs none of its memory.
    import dagster as dg

    from screenalytics_assets.instance import open_instance
    from screenalytics_assets.liveness import UNENDED
    from screenalytics_core.errors import ScreenalyticsError

    try:
        with open_instance(dagster_home) as instance:
            return instance.get_runs_count(dg.RunsFilter(statuses=list(UNENDED))) > 0
    except ScreenalyticsError as error:
        _LOG.warning("nobody can say whether a run goes on: %s", error)
        return False


def main() -> None:
    """Supervise the DAGSTER_HOME of the first argument over the data root of the second."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    home, data_root = Path(sys.argv[1]), sys.argv[2]
    with Place(home).lock(SUPERVISOR).acquire(timeout=_TAKE_OVER_S):
        supervisor = Supervisor(home, data_root)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _signum, _frame: supervisor.stop())
        supervisor.run()


if __name__ == "__main__":
    main()
