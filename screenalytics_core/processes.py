"""Who a process is, in a way that survives restarts, containers and reused pids."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import psutil

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE: Final = Path("/proc/self/ns/pid")


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process on one boot of one machine.

    Attributes:
        boot_id: The kernel's boot id; elsewhere the boot time in s, as text.
        pid_namespace: What the pid counts in; empty where there are no namespaces.
        started_at: Start of the process, seconds since 1970.
    """

    host: str
    boot_id: str
    pid_namespace: str
    pid: int
    started_at: float

    @classmethod
    def current(cls) -> Self:
        """Describe this process."""
        return cls(
            host=socket.gethostname(),
            boot_id=_boot_id(),
            pid_namespace=_pid_namespace(),
            pid=os.getpid(),
            started_at=psutil.Process().create_time(),
        )

    def shares_pids_with(self, other: ProcessIdentity) -> bool:
        """Tell whether a pid means the same process for both."""
        return (self.host, self.boot_id, self.pid_namespace) == (
            other.host,
            other.boot_id,
            other.pid_namespace,
        )


def pid_started_at(pid: int) -> float | None:
    """Return when the live process `pid` started; None if there is none, or only a zombie."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return process.create_time()
    except psutil.NoSuchProcess:
        return None


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return f"{psutil.boot_time():.0f}"


def _pid_namespace() -> str:
    try:
        return str(_PID_NAMESPACE.readlink())
    except OSError:
        return ""
