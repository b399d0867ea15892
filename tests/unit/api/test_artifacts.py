"""Files of a run over HTTP: what is listed, whole and in parts, and never of two contents."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Message

from screenalytics_assets.api import artifacts
from screenalytics_core.artifacts import ArtifactKind
from tests.api_reading import client_of
from tests.run_samples import finished_run
from tests.stores import EP, Stores

RUN = f"/runs/{EP}/first"
DETECTIONS = f"{RUN}/artifacts/detections"
PAGE = b"<!doctype html><p>seen</p>"


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    stores = Stores(tmp_path)
    finished_run(stores, "first")
    stores.publish("first", ArtifactKind.REPORT, {"pdf": b"%PDF-1.7 seen", "html": PAGE})
    return stores


@pytest.fixture
def client(stores: Stores) -> Iterator[TestClient]:
    with client_of(stores.root, [artifacts.router]) as client:
        yield client


def listed(client: TestClient, kind: str) -> dict[str, Any]:
    found = client.get(f"{RUN}/artifacts").json()["artifacts"]
    return next(a for a in found if a["kind"] == kind)


def test_a_list_names_each_file_with_its_place_and_its_hash(client: TestClient) -> None:
    detections = listed(client, "detections")

    assert detections["stage"] == "detect"
    assert [f["part"] for f in detections["files"]] == ["detections", "sampled_frames"]
    for file in detections["files"]:
        content = client.get(file["path"]).content
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        assert len(content) == file["size_bytes"]


def test_a_file_comes_with_what_a_browser_must_know(client: TestClient, stores: Stores) -> None:
    answer = client.get(DETECTIONS)

    raw = stores.file("first", "detections.jsonl").read_bytes()
    assert answer.status_code == 200
    assert answer.content == raw
    said = answer.headers
    assert said["content-length"] == str(len(raw))
    assert said["etag"] == f'"{hashlib.sha256(raw).hexdigest()}"'
    assert said["content-type"] == "application/jsonl"
    assert said["content-disposition"] == f'attachment; filename="{EP}_first_detections.jsonl"'
    assert said["x-content-type-options"] == "nosniff"
    assert said["accept-ranges"] == "bytes"


def test_ranges_put_together_are_the_file(client: TestClient) -> None:
    whole = client.get(DETECTIONS).content
    parts, etag = b"", client.head(DETECTIONS).headers["etag"]

    for start in range(0, len(whole), 100):
        asked = {"range": f"bytes={start}-{start + 99}", "if-range": etag}
        answer = client.get(DETECTIONS, headers=asked)
        assert answer.status_code == 206
        end = min(start + 100, len(whole)) - 1
        assert answer.headers["content-range"] == f"bytes {start}-{end}/{len(whole)}"
        assert answer.headers["content-length"] == str(len(answer.content))
        parts += answer.content
    assert parts == whole


def test_a_range_behind_the_end_is_refused_with_the_size(client: TestClient) -> None:
    size = len(client.get(DETECTIONS).content)

    answer = client.get(DETECTIONS, headers={"range": f"bytes={size}-"})

    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{size}"
    assert answer.json()["code"] == "range_unsatisfiable"


def test_what_a_client_has_is_not_sent_again(client: TestClient) -> None:
    etag = client.get(DETECTIONS).headers["etag"]

    answer = client.get(DETECTIONS, headers={"if-none-match": etag, "range": "bytes=0-1"})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag


def test_a_head_says_what_a_get_would_say_and_sends_nothing(client: TestClient) -> None:
    asked, head = client.get(DETECTIONS), client.head(DETECTIONS, headers={"range": "bytes=0-1"})

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == asked.headers


def test_the_report_is_shown_under_its_name(client: TestClient) -> None:
    pdf, page = client.get(f"{RUN}/report.pdf"), client.get(f"{RUN}/report.html")

    assert (pdf.content, pdf.headers["content-type"]) == (b"%PDF-1.7 seen", "application/pdf")
    assert pdf.headers["content-disposition"].startswith("inline; ")
    assert (page.content, page.headers["content-type"]) == (PAGE, "text/html; charset=utf-8")
    # Its own policy stands in its head; one of ours beside it would forbid its style.
    assert page.headers["content-security-policy"] == "frame-ancestors 'self'"
    assert client.get(f"{RUN}/report.exe").status_code == 422


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/runs/{EP}/none/artifacts", 404),
        ("/runs/show-s09e09/first/artifacts", 404),
        (f"/runs/{EP}/active_run.json/artifacts", 422),
        (f"{RUN}/artifacts/faces", 404),
        (f"{RUN}/artifacts/video", 404),
        (f"{RUN}/artifacts/cookies", 422),
        (f"{DETECTIONS}/detections.jsonl", 404),
        (f"{DETECTIONS}/run.json", 404),
    ],
)
def test_what_is_not_there_is_a_problem(client: TestClient, path: str, status: int) -> None:
    answer = client.get(path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_damaged_file_is_not_sent(client: TestClient, stores: Stores) -> None:
    path = stores.file("first", "detections.jsonl")
    assert client.get(DETECTIONS).status_code == 200
    path.write_bytes(path.read_bytes().replace(b"0", b"1"))

    answer = client.get(DETECTIONS)

    assert answer.json()["code"] == "artifact_corrupt"


def test_a_file_that_is_replaced_while_it_is_sent_does_not_mix(
    client: TestClient, stores: Stores
) -> None:
    def write(letter: bytes) -> None:
        parts = {"pdf": b"%PDF-1.7", "html": letter * 2_000_000}
        stores.publish("first", ArtifactKind.REPORT, parts)

    write(b"a")
    sent = sent_piece_by_piece(client.app, f"{RUN}/report.html", lambda: write(b"b"))

    assert len(sent) > 2
    assert b"".join(sent) == b"a" * 2_000_000
    etag = f'"{hashlib.sha256(b"a" * 2_000_000).hexdigest()}"'
    again = client.get(f"{RUN}/report.html", headers={"range": "bytes=5-", "if-range": etag})
    assert (again.status_code, again.content) == (200, b"b" * 2_000_000)


def sent_piece_by_piece(app: ASGIApp, path: str, meanwhile: Callable[[], None]) -> list[bytes]:
    """GET a path; call `meanwhile` once, between the first piece of the body and the second."""
    pieces: list[bytes] = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            pieces.append(message["body"])
            if len(pieces) == 1:
                meanwhile()

    async def receive() -> Message:
        await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [],
    }
    asyncio.run(asyncio.wait_for(app(scope, receive, send), timeout=60))  # type: ignore[arg-type]
    return pieces


def test_a_run_that_is_being_redacted_is_waited_for(
    client: TestClient, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = stores.file("first", "manifest.json").read_bytes()
    stores.publish("first", ArtifactKind.REPORT, {"pdf": b"%PDF-1.7", "html": b"new"})
    after = stores.file("first", "manifest.json").read_bytes()
    stores.file("first", "manifest.json").write_bytes(manifest)

    def manifest_follows(_seconds: float) -> None:
        stores.file("first", "manifest.json").write_bytes(after)

    monkeypatch.setattr("screenalytics_assets.api.contents.time.sleep", manifest_follows)

    assert client.get(f"{RUN}/report.html").content == b"new"
