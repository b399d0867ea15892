"""Wall time in which at least one thread is at work on something that is one thing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class BusyClock:
    """Adds up the time in which a device is held, by however many threads at once.

    A GPU is paid for by the second, not by the second and thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders = 0
        self._since_s = 0.0
        self._busy_s = 0.0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the device; a call that fails held it as well."""
        with self._lock:
            if not self._holders:
                self._since_s = time.perf_counter()
            self._holders += 1
        try:
            yield
        finally:
            with self._lock:
                self._holders -= 1
                if not self._holders:
                    self._busy_s += time.perf_counter() - self._since_s

    def busy_s(self) -> float:
        """Return the seconds so far, those of a hold that goes on included."""
        with self._lock:
            going_on_s = time.perf_counter() - self._since_s if self._holders else 0.0
            return self._busy_s + going_on_s
