"""docs/api.md says what the service does: its routes, its codes, its settings. No more, no less."""

from __future__ import annotations

import re
from collections import Counter
from http import HTTPStatus
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.routing import Match

from screenalytics_assets.api.app import create_app
from screenalytics_assets.api.problems import STATUSES, BodyFault, add_problem_handlers
from screenalytics_assets.api.security.guard import (
    BODY_LIMIT_BYTES,
    READ_HEADERS,
    SAID_HEADERS,
    add_security,
)
from screenalytics_assets.settings import ApiSettings
from screenalytics_core.errors import ScreenalyticsError
from tests.api_reading import settings_of
from tests.documents import API, DOCUMENTS, rows_under

TEXT = API.read_text(encoding="utf-8")
VARIABLE = "SCREENALYTICS_API_"
NAMED_ROUTE = re.compile(r"`(GET|HEAD|POST|PUT|PATCH|DELETE) (/[^`?\s]*)")


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    return create_app(settings_of(tmp_path))


def operations(app: FastAPI) -> list[str]:
    paths = app.openapi()["paths"]
    return [f"{method.upper()} {path}" for path in paths for method in paths[path]]


def test_every_route_stands_in_the_tables_once_and_no_other(app: FastAPI) -> None:
    told = Counter(row[0] for row in rows_under(TEXT, "route"))

    assert told == Counter(operations(app))


def test_every_route_that_any_document_names_exists(app: FastAPI) -> None:
    named = {
        f"{method} {path}"
        for document in DOCUMENTS
        for method, path in NAMED_ROUTE.findall(document.read_text(encoding="utf-8"))
    }

    # Every stage has a route of its own; `...` stands for any of those that begin so.
    whole = {name for name in named if not name.endswith("...")}
    assert whole - {*operations(app)} == set()
    for beginning in named - whole:
        assert any(one.startswith(beginning[:-3]) for one in operations(app)), beginning


def test_every_page_that_is_named_exists(app: FastAPI) -> None:
    def is_there(path: str) -> bool:
        asked = {"type": "http", "method": "GET", "path": path, "headers": []}
        return any(route.matches(asked)[0] is Match.FULL for route in app.routes)

    named = [text for text in re.findall(r"`(/[^`\s]*)`", TEXT) if not text.endswith("/static/")]

    assert {"/", "/docs", "/openapi.json", "/sign-in", "/ui/{ep_id}"} <= set(named)
    assert [path for path in named if not is_there(path)] == []
    assert not is_there("/nowhere")


def test_the_table_of_codes_is_the_one_that_decides_the_status() -> None:
    told = {code: int(status) for code, status, _ in rows_under(TEXT, "code")}

    assert told == {code: int(status) for code, status in STATUSES.items()}


def test_a_code_that_is_told_is_that_of_an_error() -> None:
    def codes(kind: type[ScreenalyticsError]) -> set[str]:
        return {kind.code}.union(*(codes(child) for child in kind.__subclasses__()))

    assert {row[0] for row in rows_under(TEXT, "code")} <= codes(ScreenalyticsError)


def test_the_codes_of_the_server_are_told_with_their_statuses(app: FastAPI) -> None:
    def answer(method: str, path: str, api: ApiSettings, **headers: str) -> tuple[str, int]:
        guarded = FastAPI()
        add_security(guarded, api)
        add_problem_handlers(guarded)

        @guarded.get("/number/{number}")
        def number(number: int) -> float:
            return 1 / number

        client = TestClient(guarded, "http://localhost", raise_server_exceptions=False)
        said = client.request(method, path, headers=headers)
        assert said.json()["status"] == said.status_code
        return said.json()["code"], said.status_code

    open_, locked = ApiSettings(), ApiSettings(token="secret")
    given = [
        answer("GET", "/number/1", locked),
        answer("POST", "/", open_, origin="https://elsewhere.example"),
        answer("POST", "/", open_, **{"content-length": str(BODY_LIMIT_BYTES + 1)}),
        answer("GET", "/number/1", open_, host="elsewhere.example"),
        answer("GET", "/number/one", open_),
        answer("GET", "/number/0", open_),
    ]

    told = {code: int(status) for code, status, _ in rows_under(TEXT, "code of the server")}
    # What a range gets is the matter of test_ranges and test_artifacts, what a body gets that of
    # test_uploads and test_problems.
    range_ = {"range_unsatisfiable": int(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)}
    bodies = {fault.value: int(fault.status) for fault in BodyFault}
    assert told == dict(given) | range_ | bodies


def test_the_headers_that_scripts_of_other_sites_may_use_are_told() -> None:
    found = re.search(r"Their scripts may send\s(.*?), and read (.*?)\.\n", TEXT, re.DOTALL)
    assert found is not None

    sent, read = (re.findall(r"`([\w-]+)`", names) for names in found.groups())

    assert [name.lower() for name in sent] == list(READ_HEADERS)
    assert [name.lower() for name in read] == list(SAID_HEADERS)


class Asked(dict[str, str]):
    """An environment without anything, which remembers what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.names.add(name)
        return default


def variables() -> dict[str, str]:
    rows = rows_under(TEXT, "variable")
    return {name: default for name, _, default in rows}


def test_the_table_of_variables_names_every_one_that_is_read_and_no_other() -> None:
    env = Asked()
    ApiSettings.from_env(env)

    assert set(variables()) == env.names
    assert set(re.findall(rf"{VARIABLE}\w+", TEXT)) == env.names


def test_the_defaults_that_are_told_are_those_that_hold() -> None:
    given = {name: text for name, text in variables().items() if text != "none"}

    assert ApiSettings.from_env(given) == ApiSettings()
    assert given.keys() == {f"{VARIABLE}UPLOAD_LIMIT_GB", f"{VARIABLE}LAUNCH_RATE"}
