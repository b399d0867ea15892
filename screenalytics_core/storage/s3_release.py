"""Releases locks a little after they were let go: one that is wanted again is then still held."""

from __future__ import annotations

import threading
from collections.abc import Callable
from multiprocessing.util import Finalize
from typing import Final, Generic, TypeVar

from screenalytics_core.storage.clock import boot_s

Held = TypeVar("Held")
# A thread that has nothing to do would else stay for each storage.
_IDLE_S: Final = 5.0
# What the end of a process waits for at most: a server that is gone must not hold it up, and a
# lock that nobody renews ends by itself.
_END_S: Final = 5.0
_AT_ONCE: Final = float("-inf")


class LateRelease(Generic[Held]):
    """Calls `release` for each that it was given, once it is due, in a thread of its own.

    What is left when the process ends is released then. A process that is killed leaves such a
    lock behind as if it were killed while it held it.

    Args:
        release: It is to see for itself whether what it is told of was taken back meanwhile.
            It may raise nothing.
    """

    def __init__(self, release: Callable[[Held], None]) -> None:
        self._release = release
        self._changed = threading.Condition()
        self._due: list[tuple[float, Held]] = []
        self._is_running = False
        self._is_releasing = False
        self._ends_with_process = False

    def add(self, held: Held, due_s: float) -> None:
        """Release `held` soon after `due_s` of the boot clock."""
        with self._changed:
            if (due_s, held) not in self._due:
                self._due.append((due_s, held))
            if not self._ends_with_process:
                self._ends_with_process = True
                # Not atexit: processes that multiprocessing has started, as Dagster starts a
                # run's, end without it.
                Finalize(None, self.flush, exitpriority=0)
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="lock-release", daemon=True).start()
            self._changed.notify_all()

    def flush(self) -> None:
        """Release everything now; waits for some seconds at most."""
        with self._changed:
            self._due = [(_AT_ONCE, held) for _, held in self._due]
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._due and not self._is_releasing, _END_S)

    def _run(self) -> None:
        while (held := self._next()) is not None:
            self._release(held)
            with self._changed:
                self._is_releasing = False
                self._changed.notify_all()

    def _next(self) -> Held | None:
        """Wait for the next that is due; None if there was nothing for a while."""
        with self._changed:
            while True:
                if not self._due:
                    self._changed.wait(_IDLE_S)
                # Whatever woke it: what was added in the last moment counts.
                if not self._due:
                    self._is_running = False
                    return None
                first = min(self._due, key=lambda due: due[0])
                left_s = first[0] - boot_s()
                if left_s <= 0:
                    self._due.remove(first)
                    self._is_releasing = True
                    return first[1]
                self._changed.wait(left_s)
