"""What a supervisor keeps alive: processes that are started, taken over, restarted and ended."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import psutil
import yaml

from screenalytics_assets.supervisor.place import DAEMON, LOCATION, Pid, Place

_LOG: Final = logging.getLogger(__name__)
CODE_SERVER: Final = "code_server"
# A run keeps every core busy; who waits for a page or polls a job comes before it.
_NICENESS_OF_RUNS: Final = 10
_MOST_NICE: Final = 19
# Between two restarts of a child that dies at once.
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 30.0
_LOG_LIMIT_BYTES: Final = 10_000_000
_LISTENS_S: Final = 1.0


class Child:
    """One process, in a group of its own.

    Args:
        known: As an earlier supervisor left it; taken over if it still lives.
    """

    def __init__(
        self, name: str, command: list[str], log: Path, known: Pid | None, niceness: int = 0
    ) -> None:
        self.name = name
        self.pid = known if known is not None and known.is_alive() else None
        self._command = command
        self._log = log
        self._niceness = niceness
        self._process: subprocess.Popen[bytes] | None = None
        self._pause_s = 0.0
        self._not_before_s = 0.0

    def is_alive(self) -> bool:
        """Tell whether it runs."""
        if self._process is not None and self._process.poll() is not None:
            return False
        return self.pid is not None and self.pid.is_alive()

    def keep(self) -> bool:
        """Start it if it does not run; return whether it was started just now."""
        now_s = time.monotonic()
        if self.is_alive() or now_s < self._not_before_s:
            return False
        if self.pid is not None:
            _LOG.warning("%s ended and is started again", self.name)
        self._start()
        # It has a minute to prove itself; then the next end counts as the first one.
        lived_long = now_s - self._not_before_s > 2 * _LONGEST_PAUSE_S
        doubled_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        self._pause_s = _FIRST_PAUSE_S if lived_long or not doubled_s else doubled_s
        self._not_before_s = now_s + self._pause_s
        return True

    def _start(self) -> None:
        if self._log.exists() and self._log.stat().st_size > _LOG_LIMIT_BYTES:
            self._log.replace(self._log.with_suffix(".old.log"))
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = Pid.of(self._process.pid)
        if self._niceness:
            _step_back(self._process.pid, self._niceness)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its group, unless the process has gone."""
        if self.pid is None:
            return
        try:
            os.killpg(self.pid.pid, number)
        except ProcessLookupError:
            _LOG.debug("%s has gone already", self.name)


def _step_back(pid: int, by: int) -> None:
    """Let others before a process and what it starts."""
    process = psutil.Process(pid)
    niceness = min(process.nice() + by, _MOST_NICE)
    process.nice(niceness)
    # Linux may share the cores among sessions first: then it is the session's that counts.
    session = Path(f"/proc/{pid}/autogroup")
    if session.exists():
        try:
            session.write_text(str(niceness))
        except OSError as error:
            _LOG.debug("the session of %d keeps its place: %s", pid, error)


def code_server(place: Place, path: str, known: Pid | None) -> Child:
    """Return the process that holds the code and starts the runs, reached at a socket."""
    command = [sys.executable, "-m", "dagster", "code-server", "start",
               "--socket", path, "--module-name", LOCATION, "--location-name", LOCATION,
               "--log-level", "warning"]  # fmt: skip
    return Child(CODE_SERVER, command, place.log(CODE_SERVER), known, _NICENESS_OF_RUNS)


def daemon(place: Place, known: Pid | None) -> Child:
    """Return the process that takes runs from the queue, and ticks the sensors."""
    command = [sys.executable, "-m", "dagster._daemon", "run",
               "--workspace", str(place.workspace)]  # fmt: skip
    return Child(DAEMON, command, place.log(DAEMON), known)


def write_workspace(place: Place, path: str) -> None:
    """Tell Dagster's own commands where the code server is reached."""
    server = {"host": "localhost", "socket": path, "location_name": LOCATION}
    place.workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}))


def listens(path: str) -> bool:
    """Tell whether somebody answers at a socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_LISTENS_S)
        try:
            probe.connect(path)
        except OSError:
            return False
    return True
