"""Whether a request is let in. Pure: facts of the request in, a refusal or nothing out.

Without a token the server is reached from this machine alone, but so is every browser on it: a
page of another site may send requests there (forged ones, RFC 6265 section 8.2), or have its
own name lead there (DNS rebinding). So a host must be this machine's name then, and what
changes anything must come from the server's own pages, or from no page at all.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Final

SESSION_COOKIE: Final = "screenalytics_session"
SIGN_IN: Final = "/sign-in"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# Who may know that the server is there may know that it is well.
_OPEN_PATHS: Final = frozenset({"/health", SIGN_IN})
_OPEN_FOLDER: Final = "/static/"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not let in.

    Attributes:
        to_sign_in: A browser wants a page: it is sent to where it can sign in.
    """

    status: HTTPStatus
    code: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    to_sign_in: bool = False


def session_of(token: str) -> str:
    """Return what a browser that signed in carries: it cannot be turned into the token."""
    return hmac.new(token.encode(), b"screenalytics session 1", hashlib.sha256).hexdigest()


def is_token(given: str, token: str) -> bool:
    """Compare in a time that tells nothing of the token."""
    return hmac.compare_digest(given.encode(), token.encode())


def refusal(
    method: str,
    path: str,
    headers: Mapping[str, str],
    token: str | None,
    own_origins: frozenset[str] = frozenset(),
) -> Refusal | None:
    """Return why a request is refused; None lets it in.

    Args:
        headers: By lower-case name.
        token: What requests must bear; None = the server is bound to loopback.
        own_origins: Origins that are let in beside the server's own.
    """
    bears_it = token is not None and _bears(headers, token)
    if token is None and not _is_this_machine(headers.get("host", "")):
        return Refusal(
            HTTPStatus.MISDIRECTED_REQUEST,
            "host_unknown",
            "Without a token only this machine is served, by the name localhost or its address.",
        )
    is_open = path in _OPEN_PATHS or path.startswith(_OPEN_FOLDER)
    if token is not None and not (is_open or bears_it or _has_session(headers, token)):
        return _unknown(method, headers)
    if method not in _SAFE and not bears_it and _is_foreign(headers, own_origins):
        return Refusal(
            HTTPStatus.FORBIDDEN,
            "origin_refused",
            "A page of another site may not change anything here.",
        )
    return None


def _bears(headers: Mapping[str, str], token: str) -> bool:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and is_token(given.strip(), token)


def _has_session(headers: Mapping[str, str], token: str) -> bool:
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return False
    given = cookies.get(SESSION_COOKIE)
    return given is not None and is_token(given.value, session_of(token))


def _unknown(method: str, headers: Mapping[str, str]) -> Refusal:
    return Refusal(
        HTTPStatus.UNAUTHORIZED,
        "token_required",
        "Send the server's token: Authorization: Bearer <token>.",
        {"www-authenticate": 'Bearer realm="screenalytics"'},
        to_sign_in=method == "GET" and "text/html" in headers.get("accept", ""),
    )


def _is_this_machine(host: str) -> bool:
    name = host.rpartition(":")[0] if _has_port(host) else host
    name = name.strip("[]").lower().removesuffix(".")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _has_port(host: str) -> bool:
    return ":" in host and not host.endswith("]") and (host.count(":") == 1 or "]:" in host)


def _is_foreign(headers: Mapping[str, str], own_origins: frozenset[str]) -> bool:
    """Tell whether a page of another origin sends it; programs say no origin."""
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}
    if origin in own_origins:
        return False
    # Behind a proxy the scheme may be another; the host and its port are what the browser sees.
    return origin.partition("://")[2] != headers.get("host")
