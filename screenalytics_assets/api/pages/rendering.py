"""Templates into answers: everything escaped, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined

from screenalytics_assets.api.problems import status_of, told_of
from screenalytics_core.errors import ScreenalyticsError
from screenalytics_core.report.text import DASH

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}
_MINUTE_S: Final = 60


def page(
    template: str, status: int = HTTPStatus.OK, *, told: str = "", **shown: Any
) -> HTMLResponse:
    """Return a page.

    Args:
        told: What went wrong with what the reader asked for.
        shown: What the template names.
    """
    text = _environment().get_template(template).render(told=told, **shown)
    return HTMLResponse(text, status, headers=_HEADERS)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("screenalytics_assets.api.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = moment
    environment.filters["took"] = took
    return environment


class PageRoute(APIRoute):
    """A route for people: what goes wrong on the way to a page is a page, too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def shown(request: Request) -> Response:
            try:
                return await answer(request)
            except ScreenalyticsError as error:
                status = status_of(error)
                return page("problem.html", status, told=told_of(error))
            except RequestValidationError as error:
                told = "; ".join(f"{e['loc'][-1]}: {e['msg']}" for e in error.errors())
                return page("problem.html", HTTPStatus.UNPROCESSABLE_ENTITY, told=told)

        return shown


def moment(text: str | None) -> str:
    """Write a time of the ledger for people: `2026-01-02 03:04 UTC`."""
    if not text:
        return DASH
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC"


def took(duration_s: float) -> str:
    """Write how long something took: `42 s`, `3.5 min`; below 0 where the clock was set back."""
    if abs(duration_s) < _MINUTE_S:
        return f"{duration_s:.0f} s"
    return f"{duration_s / _MINUTE_S:.1f} min"
