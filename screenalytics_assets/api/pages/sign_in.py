"""Where a browser signs in: the token once, then a cookie that pages of other sites never send."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from screenalytics_assets.api.pages.rendering import PageRoute, page
from screenalytics_assets.api.security.admission import (
    SESSION_COOKIE,
    SIGN_IN,
    is_token,
    session_of,
)
from screenalytics_assets.api.service import ServiceDep

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get(SIGN_IN)
def show_sign_in(next_: Annotated[str, Query(alias="next", max_length=2048)] = "/") -> Response:
    """Ask for the token."""
    return page("sign_in.html", next=own_path(next_))


@router.post(SIGN_IN)
def sign_in(
    request: Request,
    service: ServiceDep,
    token: Annotated[str, Form(max_length=4096)],
    next_: Annotated[str, Form(alias="next", max_length=2048)] = "/",
) -> Response:
    """Let a browser in that knows the token."""
    service.sign_ins.count(request.client.host if request.client else "unknown")
    held = service.settings.api.token
    if held is None:
        return RedirectResponse(own_path(next_), HTTPStatus.SEE_OTHER)
    if not is_token(token.strip(), held):
        told = "That is not the server's token."
        return page("sign_in.html", HTTPStatus.FORBIDDEN, told=told, next=own_path(next_))
    answer = RedirectResponse(own_path(next_), HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        SESSION_COOKIE,
        session_of(held),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


def own_path(text: str) -> str:
    """Return a path of this server; whatever else a link says leads to the first page."""
    is_own = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if is_own else "/"
