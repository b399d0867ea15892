"""One tailer per run, however many listen: it looks into the log about once a second.

A listener holds nothing but its own position: who is slow is behind, and costs no memory and
nobody's time. With a run's last listener its tailer ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Final

from anyio import CapacityLimiter, to_thread

from screenalytics_assets.api.progress.frames import chunk_after
from screenalytics_assets.api.progress.teller import ProgressTeller
from screenalytics_assets.api.progress.view import ProgressView, view_of
from screenalytics_core.errors import ScreenalyticsError
from screenalytics_core.ledger.ledger import Ledger
from screenalytics_core.run_record import RunKey

PERIOD_S: Final = 1.0
"""Seconds between two looks into a log. What is mirrored arrives about once a second."""
# Looks at once: a store that hangs must not take the threads that answer requests.
_LOOKS: Final = 4
# Nearly all listeners of a run are at the same line: what one is sent, the next is sent too.
_CHUNKS_KEPT: Final = 8
# Woken at once: between two lots the loop answers whoever else asks.
_LOT: Final = 16

_LOG: Final = logging.getLogger(__name__)

Look = Callable[[], ProgressView]


class Reader:
    """Reads one run's log from where it was left. Not for two threads at once."""

    def __init__(self, ledger: Ledger, key: RunKey) -> None:
        self._ledger = ledger
        self._key = key
        self._before: tuple[ProgressTeller, ProgressView] | None = None

    def look(self) -> ProgressView:
        """Return the run as it is now; the same object while nothing is new.

        Raises:
            StorageError: The log cannot be read.
        """
        state = self._ledger.log.state(*self._key)
        if self._before is None or self._before[1].state is not state:
            self._before = view_of(self._key, state, self._before)
        teller, view = self._before
        if not state.attempts and not state.refused:
            # Nothing tells but what there is.
            derived = self._ledger.facts(*self._key).status
            if derived is not view.derived:
                view = replace(view, derived=derived)
                self._before = (teller, view)
        return view


class Feed:
    """What the listeners of one run share.

    Attributes:
        chunk_after: `frames.chunk_after`, encoded once for all who are at the same line.
        is_open: False when nobody looks any more.
    """

    def __init__(self, look: Look, limiter: CapacityLimiter) -> None:
        self._look = look
        self._limiter = limiter
        self._guard = asyncio.Lock()
        self._waiting: set[asyncio.Future[None]] = set()
        self._view: ProgressView | None = None
        self.chunk_after = lru_cache(maxsize=_CHUNKS_KEPT)(chunk_after)
        self.listeners = 0
        self.is_open = True

    async def view(self) -> ProgressView:
        """Return the run as it was at the last look."""
        if self._view is None:
            async with self._guard:
                self._view = self._view or await self._looked()
        return self._view

    async def refresh(self) -> None:
        """Look now, and wake the listeners if anything is new."""
        async with self._guard:
            view = await self._looked()
            if view is not self._view:
                self._view = view
                waiting = list(self._waiting)
                for first in range(0, len(waiting), _LOT):
                    _wake(waiting[first : first + _LOT])
                    await asyncio.sleep(0)

    async def _looked(self) -> ProgressView:
        return await to_thread.run_sync(self._look, limiter=self._limiter)

    async def wait_for_news(self, seen: ProgressView) -> None:
        """Wait until there is another view than the one seen, or nothing more to come."""
        if self._view is not seen or not self.is_open:
            return
        news = asyncio.get_running_loop().create_future()
        self._waiting.add(news)
        try:
            await news
        finally:
            self._waiting.discard(news)

    def close(self) -> None:
        """Let the listeners go: nobody looks any more."""
        self.is_open = False
        _wake(self._waiting)


def _wake(waiting: Iterable[asyncio.Future[None]]) -> None:
    for news in waiting:
        if not news.done():
            news.set_result(None)


class Feeds:
    """The feeds of the runs that somebody listens to; of one event loop."""

    def __init__(self, ledger: Ledger, period_s: float = PERIOD_S) -> None:
        self._ledger = ledger
        self._period_s = period_s
        self._limiter = CapacityLimiter(_LOOKS)
        self._feeds: dict[RunKey, tuple[Feed, asyncio.Task[None]]] = {}

    @asynccontextmanager
    async def follow(self, key: RunKey) -> AsyncIterator[Feed]:
        """Give the feed of a run for as long as somebody listens."""
        feed = self._join(key)
        feed.listeners += 1
        try:
            yield feed
        finally:
            feed.listeners -= 1
            if not feed.listeners:
                self._drop(key, feed)

    async def view(self, key: RunKey) -> ProgressView:
        """Return a run as it is: as of the last look, if somebody listens to it.

        Raises:
            StorageError: The log cannot be read.
        """
        held = self._feeds.get(key)
        if held is not None:
            return await held[0].view()
        return await to_thread.run_sync(Reader(self._ledger, key).look, limiter=self._limiter)

    async def close(self) -> None:
        """Let every listener go and end the tailers."""
        tasks = []
        for key, (feed, task) in list(self._feeds.items()):
            feed.close()
            self._drop(key, feed)
            tasks.append(task)
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def followed(self) -> int:
        """How many runs are looked at."""
        return len(self._feeds)

    def _join(self, key: RunKey) -> Feed:
        held = self._feeds.get(key)
        if held is not None and held[0].is_open:
            return held[0]
        feed = Feed(Reader(self._ledger, key).look, self._limiter)
        task = asyncio.create_task(self._tail(key, feed), name=f"progress of {key}")
        self._feeds[key] = (feed, task)
        return feed

    def _drop(self, key: RunKey, feed: Feed) -> None:
        held = self._feeds.get(key)
        if held is not None and held[0] is feed:
            del self._feeds[key]
            held[1].cancel()

    async def _tail(self, key: RunKey, feed: Feed) -> None:
        is_told = False
        try:
            while True:
                await asyncio.sleep(self._period_s)
                try:
                    await feed.refresh()
                    is_told = False
                except (ScreenalyticsError, OSError) as error:
                    # The store may come back, and listeners lose nothing meanwhile.
                    _LOG.log(
                        logging.DEBUG if is_told else logging.WARNING,
                        "progress of run %s/%s is late: %s", *key, error,
                    )  # fmt: skip
                    is_told = True
        finally:
            # Whatever ended it, nobody waits for news that will not come: they ask again.
            feed.close()
