"""The middleware that stands before every route: who is let in, and how much may be sent."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from screenalytics_assets.api.problems import BodyError, BodyFault, problem
from screenalytics_assets.api.security.admission import SIGN_IN, Refusal, refusal
from screenalytics_assets.settings import ApiSettings

BODY_LIMIT_BYTES: Final = 1 << 20
"""Of every request but an upload, which has a limit of its own."""
_UPLOAD: Final = re.compile(r"/episodes/[^/]+/video")


class Guard:
    """Refuses requests before any route sees them."""

    def __init__(self, app: ASGIApp, api: ApiSettings) -> None:
        self._app = app
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = self._refused(scope)
        if refused is not None:
            await refused(scope, receive, send)
            return
        limited = receive if _is_upload(scope) else _Limited(receive).receive
        await self._app(scope, limited, send)

    def _refused(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        why = refusal(
            scope["method"],
            scope["path"],
            headers,
            self._api.token,
            frozenset(self._api.cors_origins),
        )
        if why is not None:
            return _answer(scope, why)
        size = headers.get("content-length", "0")
        if not _is_upload(scope) and size.isdecimal() and int(size) > BODY_LIMIT_BYTES:
            fault = BodyFault.TOO_LARGE
            return problem(fault.status, _TOO_LARGE, fault)
        return None


class _Limited:
    """Counts what arrives, whatever the headers say."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._count = 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._count += len(message.get("body", b""))
        if self._count > BODY_LIMIT_BYTES:
            raise BodyError(BodyFault.TOO_LARGE, _TOO_LARGE)
        return message


_TOO_LARGE: Final = f"A request may hold {BODY_LIMIT_BYTES:,} bytes, but for uploads of videos."


READ_HEADERS: Final = (
    "authorization",
    "content-digest",
    "content-type",
    "idempotency-key",
    "if-none-match",
    "if-range",
    "last-event-id",
    "range",
    "x-screenalytics-by",
)
"""What scripts of an allowed origin may send, beside what any script may."""
SAID_HEADERS: Final = (
    "accept-ranges",
    "content-disposition",
    "content-range",
    "etag",
    "idempotency-replayed",
    "retry-after",
)
"""What they may read of an answer, beside what any script may."""


def add_security(app: FastAPI, api: ApiSettings) -> None:
    """Put the guard before every route, and before it what answers browsers of other origins."""
    app.add_middleware(Guard, api=api)
    if api.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=api.cors_origins,
            allow_methods=["*"],
            allow_headers=READ_HEADERS,
            expose_headers=SAID_HEADERS,
        )


def _is_upload(scope: Scope) -> bool:
    return scope["method"] == "PUT" and _UPLOAD.fullmatch(scope["path"]) is not None


def _answer(scope: Scope, why: Refusal) -> Response:
    if why.to_sign_in:
        return RedirectResponse(f"{SIGN_IN}?next={quote(scope['path'])}", HTTPStatus.SEE_OTHER)
    answer = problem(why.status, why.detail, why.code)
    answer.headers.update(why.headers)
    return answer
