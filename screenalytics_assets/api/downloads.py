"""Files as answers: one content from the first byte to the last, by its hash.

A content is opened once and told by what is read through that handle. Whoever replaces the
file meanwhile (`cast forget`) gives its name to another content: an answer that has begun goes
on with the old one, and a range that is asked for later does not fit its entity tag any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, BinaryIO, Final, Literal

from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from screenalytics_assets.api.problems import problem
from screenalytics_assets.api.ranges import (
    Span,
    UnsatisfiableRangeError,
    asked_span,
    etag_of,
    is_known,
)
from screenalytics_core.errors import StorageError

_CHUNK_BYTES: Final = 256 * 1024
_JSON: Final = "application/json"
Disposition = Literal["inline", "attachment"]


@dataclass(frozen=True, slots=True)
class Content:
    """An open content, which `answer` closes.

    Attributes:
        filename: What it is called where it is saved; of ASCII letters, digits, `._-`.
        headers: More of its own.
    """

    file: BinaryIO
    sha256: str
    size_bytes: int
    media_type: str
    filename: str
    disposition: Disposition = "attachment"
    headers: Mapping[str, str] | None = None


class _Sent(StreamingResponse):
    """Sends a part of a file, and closes it however that ends."""

    def __init__(self, file: BinaryIO, span: Span, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(_pieces(file, span), status, headers)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()


def answer(request: Request, content: Content) -> Response:
    """Return the answer to a GET or HEAD of a content: 200, 206, 304 or 416."""
    etag, size = etag_of(content.sha256), content.size_bytes
    headers = _headers(content, etag)
    asked = request.headers
    if is_known(asked.get("if-none-match"), etag):
        content.file.close()
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if request.method == "HEAD":  # to which a range means nothing
        content.file.close()
        return Response(headers={**headers, "content-length": str(size)}, media_type=None)
    try:
        span = asked_span(asked.get("range"), asked.get("if-range"), etag, size)
    except UnsatisfiableRangeError:
        content.file.close()
        return _unsatisfiable(asked.get("range", ""), size)
    if span is None:
        whole = {**headers, "content-length": str(size)}
        return _Sent(content.file, Span(0, size), HTTPStatus.OK, whole)
    part = {
        **headers,
        "content-length": str(span.size_bytes),
        "content-range": f"bytes {span.start}-{span.end - 1}/{size}",
    }
    return _Sent(content.file, span, HTTPStatus.PARTIAL_CONTENT, part)


def file_responses(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """Return `responses=` of a route that answers with a file of one of some types."""
    binary: dict[str, Any] = {
        # Of JSON a schema would be one of its value: of any.
        media: {"schema": {} if media == _JSON else {"type": "string", "format": "binary"}}
        for media in media_types
    }
    return {
        200: {"description": "The whole content.", "content": binary},
        206: {"description": "The range that was asked for.", "content": binary},
        304: {"description": "It is the content that the client has."},
    }


def _headers(content: Content, etag: str) -> dict[str, str]:
    return {
        "content-type": content.media_type,
        "content-disposition": f'{content.disposition}; filename="{content.filename}"',
        "etag": etag,
        "accept-ranges": "bytes",
        # Somebody may be taken out of a run at any time: what is kept is asked for again.
        "cache-control": "private, no-cache",
        "x-content-type-options": "nosniff",
        **(content.headers or {}),
    }


def _unsatisfiable(range_: str, size: int) -> Response:
    said = problem(
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        f"Nothing of the {size:,} bytes lies in the range {range_!r}.",
        "range_unsatisfiable",
    )
    said.headers["content-range"] = f"bytes */{size}"
    return said


def _pieces(file: BinaryIO, span: Span) -> Iterator[bytes]:
    file.seek(span.start)
    left = span.size_bytes
    while left:
        piece = file.read(min(left, _CHUNK_BYTES))
        if not piece:
            # The client sees fewer bytes than it was promised, and knows.
            raise StorageError(thing=str(file), reason="ended while it was sent")
        left -= len(piece)
        yield piece
