"""What a listener is sent, as bytes of an event stream. Pure."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel
from sse_starlette.event import ServerSentEvent

from screenalytics_assets.api.progress.positions import Position
from screenalytics_assets.api.progress.view import ProgressView

NEWLINE: Final = "\n"
# Sent at once at most, so that one listener far behind holds nobody up.
_CHUNK_BYTES: Final = 1 << 16


def frame(event: str, position: Position, data: BaseModel) -> bytes:
    """Return one event of the stream."""
    text = data.model_dump_json()
    return ServerSentEvent(text, event=event, id=str(position), sep=NEWLINE).encode()


def chunk_after(view: ProgressView, sequence: int, job_id: str | None) -> tuple[bytes, int]:
    """Return the next events after a line, and the line that they go up to.

    No bytes mean that there are none up to the end of the view.
    """
    frames, size = [], 0
    for event in view.after(sequence, job_id):
        frames.append(frame("progress", Position(event.sequence), event))
        size += len(frames[-1])
        if size >= _CHUNK_BYTES:
            return b"".join(frames), event.sequence
    return b"".join(frames), max(sequence, view.state.sequence)
