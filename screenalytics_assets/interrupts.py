"""Interrupts that are not lost on their way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

import dagster as dg

# Dagster gives both the same handler.
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Remembers that a signal asked the process to end.

    A handler raises wherever the main thread is just then. Where that is a `__del__`, or what
    the garbage collector calls for a weak reference, Python prints the exception and goes on.
    """

    def __init__(self) -> None:
        # No lock: the handler runs between any two steps of the thread that reads it.
        self._is_asked = False

    def check(self) -> None:
        """Raise again what was asked for; to be called where nothing drops it.

        Raises:
            DagsterExecutionInterruptedError: The process was interrupted.
        """
        if self._is_asked:
            raise dg.DagsterExecutionInterruptedError

    def remembering(self, handler: Callable[[int, FrameType | None], Any]) -> Any:
        """Return a handler that remembers, and then does as the one before."""

        def remember(number: int, frame: FrameType | None) -> None:
            self._is_asked = True
            handler(number, frame)

        return remember


@contextmanager
def remembered_interrupts() -> Iterator[Callable[[], None]]:
    """Remember interrupts in a block; give what raises them again, as the block's end does.

    Raises:
        DagsterExecutionInterruptedError: The block was interrupted, and went on to its end.
    """
    interrupts = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield interrupts.check  # signals have their handlers in the main thread
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, interrupts.remembering(handler))
        yield interrupts.check
        interrupts.check()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
