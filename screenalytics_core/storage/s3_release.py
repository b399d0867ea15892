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


class LateRelease(Generic[Held]):
    """Calls `release` for each that it was given, once it is due, in a thread of its own.

    What is left when the process ends is released then. A process that is killed leaves such a
    lock behind as if it were killed while it held it.

    Args:
        release: It is to see for itself whether what it is told of was taken back meanwhile.
    """

    def __init__(self, release: Callable[[Held], None]) -> None:
        self._release = release
        self._changed = threading.Condition()
        # Held while one is released, so that no process ends in the middle of a request.
        self._releasing = threading.Lock()
        self._due: list[tuple[float, Held]] = []
        self._is_running = False
        self._ends_with_process = False

    def add(self, held: Held, due_s: float) -> None:
        """Release `held` soon after `due_s` of the boot clock."""
        with self._changed:
            self._due.append((due_s, held))
            if not self._ends_with_process:
                self._ends_with_process = True
                # Not atexit: processes that multiprocessing has started, as Dagster starts a
                # run's, end without it.
                Finalize(None, self.flush, exitpriority=0)
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="lock-release", daemon=True).start()
            self._changed.notify()

    def flush(self) -> None:
        """Release everything now."""
        with self._releasing:
            with self._changed:
                due, self._due = self._due, []
            for _, held in due:
                self._release(held)

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._due and not self._changed.wait(_IDLE_S):
                    self._is_running = False
                    return
                if not self._due:
                    continue
                first = min(self._due, key=lambda due: due[0])
                left_s = first[0] - boot_s()
                if left_s > 0:
                    self._changed.wait(left_s)
                    continue
            with self._releasing:
                with self._changed:
                    if first not in self._due:
                        continue
                    self._due.remove(first)
                self._release(first[1])
