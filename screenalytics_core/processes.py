"""Who a process is, in a way that survives restarts, containers and reused pids."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from screenalytics_core.shapes import check_types

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE: Final = Path("/proc/self/ns/pid")
_PROC_SELF_STAT: Final = Path("/proc/self/stat")


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process on one boot of one machine.

    Attributes:
        boot_id: The kernel's boot id; elsewhere the boot time in s, as text.
        pid_namespace: What the pid counts in; empty where there are no namespaces.
        started_s: Start of the process, seconds of the boot clock where there is one, else
            since 1970. The boot clock is not set: a laptop whose time is corrected must not
            take its own running processes for dead.
    """

    host: str
    boot_id: str
    pid_namespace: str
    pid: int
    started_s: float

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Build it from a record; TypeError or KeyError if it is no process."""
        check_types(record, {"host": str, "boot_id": str, "pid_namespace": str, "pid": int})
        return cls(**{**record, "started_s": float(record["started_s"])})

    @classmethod
    def current(cls) -> Self:
        """Describe this process."""
        return cls(
            host=socket.gethostname(),
            boot_id=_boot_id(),
            pid_namespace=_pid_namespace(),
            pid=os.getpid(),
            started_s=pid_started_s(os.getpid()) or 0.0,
        )

    def shares_pids_with(self, other: ProcessIdentity) -> bool:
        """Tell whether a pid means the same process for both."""
        return (self.host, self.boot_id, self.pid_namespace) == (
            other.host,
            other.boot_id,
            other.pid_namespace,
        )


def pid_started_s(pid: int) -> float | None:
    """Return when the live process `pid` started, as `ProcessIdentity.started_s` counts.

    None if there is no such process, or only a zombie.
    """
    if not _PROC_SELF_STAT.exists():
        return _created_s(pid)
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # proc(5): the name stands in parentheses and may hold any; state is the first field after.
    fields = stat.rpartition(b")")[2].split()
    if fields[0] == b"Z":
        return None
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def wall_to_started_s(wall_s: float) -> float:
    """Return a time in seconds since 1970 as `ProcessIdentity.started_s` counts."""
    if not _PROC_SELF_STAT.exists():
        return wall_s
    return wall_s - (time.time() - time.clock_gettime(time.CLOCK_BOOTTIME))


def _created_s(pid: int) -> float | None:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time())
    except psutil.NoSuchProcess:
        return None


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        import psutil

        return f"{psutil.boot_time():.0f}"


def _pid_namespace() -> str:
    try:
        return str(_PID_NAMESPACE.readlink())
    except OSError:
        return ""
