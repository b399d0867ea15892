"""Who is let in: by token or session, from this machine, and from no other site's pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from screenalytics_assets.api.app import create_app
from screenalytics_assets.api.pages.sign_in import own_path
from screenalytics_assets.api.security.admission import SESSION_COOKIE, refusal, session_of
from screenalytics_assets.api.security.guard import BODY_LIMIT_BYTES
from screenalytics_assets.api.security.rates import Rates
from screenalytics_assets.settings import ApiSettings
from screenalytics_core.errors import RateLimitedError, SettingsError
from tests.api_reading import KeptLauncher, settings_of

TOKEN = "correct horse battery"
HERE = {"host": "localhost:8000"}
BEARER = {"authorization": f"Bearer {TOKEN}"}
COOKIE = {"cookie": f"{SESSION_COOKIE}={session_of(TOKEN)}"}
LETS_IN = [
    pytest.param("GET", "/episodes", HERE, None, id="this machine by name"),
    pytest.param("GET", "/episodes", {"host": "127.0.0.1:8000"}, None, id="by address"),
    pytest.param("GET", "/episodes", {"host": "[::1]:8000"}, None, id="by IPv6 address"),
    pytest.param("GET", "/episodes", {"host": "[::1]"}, None, id="by IPv6 address, no port"),
    pytest.param("POST", "/launch", HERE, None, id="a program, which says no origin"),
    pytest.param(
        "POST", "/launch", {**HERE, "origin": "http://localhost:8000"}, None, id="its own page"
    ),
    pytest.param("GET", "/episodes", {"host": "tv.example", **BEARER}, TOKEN, id="the token"),
    pytest.param("GET", "/", {"host": "tv.example", **COOKIE}, TOKEN, id="who signed in"),
    pytest.param(
        "POST",
        "/jobs/episode-run",
        {"host": "tv.example", "origin": "https://other.example", **BEARER},
        TOKEN,
        id="the token from another site's page, which had to know it",
    ),
    pytest.param("GET", "/health", {"host": "tv.example"}, TOKEN, id="health, for whoever asks"),
    pytest.param("GET", "/static/page.css", {"host": "tv.example"}, TOKEN, id="style"),
]
KEEPS_OUT = [
    pytest.param("GET", "/", {"host": "evil.example"}, None, 421, id="another name for here"),
    pytest.param("GET", "/", {"host": "localhost.evil.example"}, None, 421, id="a longer name"),
    pytest.param("GET", "/", {}, None, 421, id="no name at all"),
    pytest.param(
        "POST", "/launch", {**HERE, "origin": "https://evil.example"}, None, 403, id="other site"
    ),
    pytest.param("POST", "/launch", {**HERE, "origin": "null"}, None, 403, id="a page of nowhere"),
    pytest.param(
        "POST", "/launch", {**HERE, "origin": "http://localhost:3000"}, None, 403, id="other port"
    ),
    pytest.param(
        "POST", "/launch", {**HERE, "sec-fetch-site": "cross-site"}, None, 403, id="no origin said"
    ),
    pytest.param("GET", "/episodes", {"host": "tv.example"}, TOKEN, 401, id="no token"),
    pytest.param(
        "GET", "/episodes", {**HERE, "authorization": "Bearer wrong"}, TOKEN, 401, id="wrong token"
    ),
    pytest.param(
        "GET", "/episodes", {**HERE, "authorization": f"Basic {TOKEN}"}, TOKEN, 401, id="no bearer"
    ),
    pytest.param(
        "GET",
        "/",
        {**HERE, "cookie": f"{SESSION_COOKIE}={TOKEN}"},
        TOKEN,
        401,
        id="token as cookie",
    ),
    pytest.param(
        "POST",
        "/launch",
        {"host": "tv.example", "origin": "https://evil.example", **COOKIE},
        TOKEN,
        403,
        id="another site's page in a browser that signed in",
    ),
    pytest.param(
        "GET", "/healthy", {"host": "tv.example"}, TOKEN, 401, id="a path like an open one"
    ),
]


@pytest.mark.parametrize(("method", "path", "headers", "token"), LETS_IN)
def test_who_may_is_let_in(
    method: str, path: str, headers: dict[str, str], token: str | None
) -> None:
    assert refusal(method, path, headers, token) is None


@pytest.mark.parametrize(("method", "path", "headers", "token", "status"), KEEPS_OUT)
def test_who_may_not_is_kept_out(
    method: str, path: str, headers: dict[str, str], token: str | None, status: int
) -> None:
    why = refusal(method, path, headers, token)
    assert why is not None
    assert why.status == status
    assert TOKEN not in why.detail


def test_an_origin_that_was_named_is_let_in() -> None:
    headers = {**HERE, "origin": "https://desk.example"}
    assert refusal("POST", "/launch", headers, None) is not None
    named = frozenset({"https://desk.example"})
    assert refusal("POST", "/launch", headers, None, named) is None


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[TestClient]:
    settings = settings_of(tmp_path, token=TOKEN, launch_rate="2/hour")
    app = create_app(settings, KeptLauncher())
    with TestClient(app, base_url="http://tv.example", follow_redirects=False) as client:
        yield client


def test_a_browser_signs_in_once_and_a_program_is_told_how(guarded: TestClient) -> None:
    as_page = guarded.get("/", headers={"accept": "text/html"})
    as_program = guarded.get("/episodes")
    assert (as_page.status_code, as_page.headers["location"]) == (303, "/sign-in?next=/")
    assert (as_program.status_code, as_program.json()["code"]) == (401, "token_required")
    assert as_program.headers["www-authenticate"].startswith("Bearer")

    assert guarded.get("/sign-in").status_code == 200
    assert guarded.post("/sign-in", data={"token": "wrong"}).status_code == 403
    welcomed = guarded.post("/sign-in", data={"token": TOKEN, "next": "/ui/a-s01e01"})

    assert (welcomed.status_code, welcomed.headers["location"]) == (303, "/ui/a-s01e01")
    cookie = welcomed.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert guarded.get("/episodes").status_code == 200


def test_launches_of_a_client_are_counted(guarded: TestClient) -> None:
    def launch() -> int:
        body = {"ep_id": "a-s01e01"}
        answer = guarded.post("/jobs/episode-run", json=body, headers=BEARER)
        if answer.status_code == 429:
            assert int(answer.headers["retry-after"]) > 0
        return answer.status_code

    assert [launch() for _ in range(3)] == [202, 202, 429]
    assert guarded.get("/episodes", headers=BEARER).status_code == 200


@pytest.mark.parametrize("path", ["/jobs/episode-run", "/launch", "/nowhere"])
def test_a_body_that_is_too_large_is_refused(guarded: TestClient, path: str) -> None:
    answer = guarded.post(path, content=b"x" * (BODY_LIMIT_BYTES + 1), headers=BEARER)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_body_of_unsaid_length_is_counted(guarded: TestClient) -> None:
    pieces = (b" " * (1 << 16) for _ in range((BODY_LIMIT_BYTES >> 16) + 1))
    answer = guarded.post("/jobs/episode-run", content=pieces, headers=BEARER)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("text", ["//evil.example", "/\\evil.example", "https://evil.example", ""])
def test_signing_in_leads_to_no_other_site(text: str) -> None:
    assert own_path(text) == "/"


def test_a_rate_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(SettingsError, match="is no rate"):
        Rates("often")


def test_a_token_is_not_tried_for_ever(guarded: TestClient) -> None:
    tried = [guarded.post("/sign-in", data={"token": "wrong"}).status_code for _ in range(21)]
    assert tried == [403] * 20 + [429]


@pytest.mark.parametrize("token", ["schlüssel", " abc", "a\nb"])
def test_a_token_that_no_header_carries_is_refused_at_the_start(token: str) -> None:
    with pytest.raises(SettingsError, match="no header can carry"):
        ApiSettings.from_env({"SCREENALYTICS_API_TOKEN": token})


def test_clients_are_counted_apart() -> None:
    rates = Rates("1/hour")
    rates.count("a")
    rates.count("b")
    with pytest.raises(RateLimitedError):
        rates.count("a")


def test_the_token_is_in_nothing_that_settings_show() -> None:
    assert TOKEN not in repr(ApiSettings(token=TOKEN))
