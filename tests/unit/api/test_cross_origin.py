"""CORS: closed unless an origin was named, and then open for all that a script needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from screenalytics_assets.api import artifacts
from screenalytics_core.artifacts import ArtifactKind
from tests.api_reading import client_of
from tests.stores import EP, Stores

DESK, ELSEWHERE = "https://desk.example", "https://elsewhere.example"
REPORT = f"/runs/{EP}/first/report.pdf"
TOKEN = {"authorization": "Bearer secret"}
# What the Fetch standard lets every script read, and what no script asks for.
SAFE = {"cache-control", "content-length", "content-type"}
NOT_FOR_SCRIPTS = {"vary", "www-authenticate", "x-content-type-options"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    stores = Stores(tmp_path)
    stores.run("first")
    stores.publish("first", ArtifactKind.REPORT, {"pdf": b"%PDF-1.7", "html": b"<p>report</p>"})
    return tmp_path


@pytest.fixture
def client(root: Path) -> Iterator[TestClient]:
    named = {"token": "secret", "cors_origins": (DESK,)}
    with client_of(root, [artifacts.router], is_guarded=True, **named) as client:
        yield client


def preflight(client: TestClient, headers: str, origin: str = DESK) -> httpx.Response:
    asked = {
        "origin": origin,
        "access-control-request-method": "PUT",
        "access-control-request-headers": headers,
    }
    answer: httpx.Response = client.options(REPORT, headers=asked)
    return answer


def test_a_script_of_a_named_origin_may_send_what_the_service_reads(client: TestClient) -> None:
    for header in (
        "authorization", "content-digest", "content-type", "idempotency-key", "if-none-match",
        "if-range", "last-event-id", "range", "x-screenalytics-by",
    ):  # fmt: skip
        assert preflight(client, header).status_code == 200, header
    assert preflight(client, "x-anything").status_code == 400
    assert preflight(client, "range", ELSEWHERE).status_code == 400


def test_a_script_may_read_every_header_that_an_answer_says(client: TestClient) -> None:
    asked = {"origin": DESK, **TOKEN}
    whole = client.get(REPORT, headers=asked)
    etag = whole.headers["etag"]
    answers = {
        200: whole,
        206: client.get(REPORT, headers={**asked, "range": "bytes=0-1", "if-range": etag}),
        304: client.get(REPORT, headers={**asked, "if-none-match": etag}),
        401: client.get(REPORT, headers={"origin": DESK}),
        416: client.get(REPORT, headers={**asked, "range": "bytes=999-"}),
    }

    for status, answer in answers.items():
        assert answer.status_code == status
        readable = set(answer.headers["access-control-expose-headers"].lower().split(", "))
        of_cors = {name for name in answer.headers if name.startswith("access-control-")}
        assert set(answer.headers) - of_cors - SAFE - NOT_FOR_SCRIPTS <= readable, status
        assert {"idempotency-replayed", "retry-after"} <= readable


def test_a_script_of_another_origin_may_read_nothing(client: TestClient) -> None:
    answer = client.get(REPORT, headers={"origin": ELSEWHERE, **TOKEN})

    assert "access-control-allow-origin" not in answer.headers


def test_without_a_named_origin_no_script_of_another_site_may_read_anything(root: Path) -> None:
    with client_of(root, [artifacts.router], is_guarded=True, token="secret") as client:
        for answer in (
            preflight(client, "range"),
            client.get(REPORT, headers={"origin": DESK, **TOKEN}),
        ):
            assert not [name for name in answer.headers if name.startswith("access-control-")]
