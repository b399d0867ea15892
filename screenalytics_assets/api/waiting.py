"""Requests that wait for what is being started: a few, since each of them keeps a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from screenalytics_core.errors import DaemonMissingError

# Of the 40 threads that answer requests the others are left for whoever does not wait.
_PLACES: Final = 8
# A code server or daemon that was ended is there again by then, on a machine that is not busy.
_AGAIN_S: Final = 10


class WaitingRoom:
    """Lets so many threads wait at once, and turns the others away.

    Args:
        who: Waits, for people.
    """

    def __init__(self, who: str, places: int = _PLACES) -> None:
        self._who = who
        self._places = threading.BoundedSemaphore(places)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place.

        Raises:
            DaemonMissingError: All are taken; it says when to come again.
        """
        if not self._places.acquire(blocking=False):
            raise DaemonMissingError(
                thing=self._who,
                reason="is one too many while the code server or the daemon is awaited",
                way_out="Try again in some seconds.",
                retry_after_s=_AGAIN_S,
            )
        try:
            yield
        finally:
            self._places.release()
