"""A run as server-sent events: what one listener is sent, from where it left off to the end."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Final

from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse, SendTimeoutError
from starlette.types import Receive, Scope, Send

from screenalytics_assets.api.progress.feeds import Feeds
from screenalytics_assets.api.progress.frames import NEWLINE, frame
from screenalytics_assets.api.progress.positions import Position
from screenalytics_core.run_record import RunKey

HEARTBEAT_S: Final = 15
"""Seconds between two comments that keep a connection open; proxies close at 30 to 60."""
SEND_TIMEOUT_S: Final = 60
"""Seconds after which a listener that takes nothing is let go; it may come back."""
RETRY_MS: Final = 2000
"""Milliseconds that a browser waits before it comes back."""

_LOG: Final = logging.getLogger(__name__)


class ProgressResponse(EventSourceResponse):
    """The stream as an answer to a request; a listener that takes nothing is let go quietly."""

    def __init__(
        self,
        frames: AsyncIterator[bytes],
        heartbeat_s: float = HEARTBEAT_S,
        send_timeout_s: float = SEND_TIMEOUT_S,
    ) -> None:
        super().__init__(
            frames,
            ping=heartbeat_s,
            ping_message_factory=lambda: ServerSentEvent(comment="heartbeat", sep=NEWLINE),
            send_timeout=send_timeout_s,
            sep=NEWLINE,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            _LOG.info("a listener took nothing for %s s and is let go", self.send_timeout)


async def stream(
    feeds: Feeds, key: RunKey, job_id: str | None, heard: Position | None
) -> AsyncIterator[bytes]:
    """Yield what a listener is to be sent; it ends with an `end`, or when the server does.

    Args:
        job_id: Only what concerns this launch, up to its own end; None = the run.
        heard: The last that it was sent; None, or a line that this log has not: a snapshot
            comes first.
    """
    yield ServerSentEvent(retry=RETRY_MS, sep=NEWLINE).encode()
    async with feeds.follow(key) as feed:
        generation: int | None = None
        sequence = heard.sequence if heard else -1
        while True:
            view = await feed.view()
            is_other = generation not in {None, view.generation}
            generation = view.generation
            if is_other or not 0 <= sequence <= view.state.sequence:
                sequence = view.state.sequence
                yield frame("snapshot", Position(sequence), view.snapshot(job_id))
            chunk, sequence = feed.chunk_after(view, sequence, job_id)
            while chunk:
                yield chunk
                chunk, sequence = feed.chunk_after(view, sequence, job_id)
            ending = view.ending(job_id)
            if ending is not None:
                yield frame("end", Position(ending.sequence, is_end=True), ending)
                return
            if not feed.is_open:
                return
            await feed.wait_for_news(view)
