"""A clock that nobody sets and that goes on while the machine sleeps."""

from __future__ import annotations

import time


def boot_s() -> float:
    """Return seconds of the boot clock; where there is none, of the monotonic one."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
