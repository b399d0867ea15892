"""Ids that nobody means well: every route refuses them, and no file outside the root is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from screenalytics_assets.api import (
    artifacts,
    cast,
    costs,
    deciding,
    episodes,
    faces,
    identities,
    jobs,
    runs,
    uploads,
)
from screenalytics_assets.api.pages import routes as pages
from screenalytics_assets.api.progress import routes as progress
from tests.api_reading import client_of, seen_run
from tests.stores import EP, Stores

SECRET = "secret of another folder"
ROUTERS = [
    module.router
    for module in (
        *(artifacts, cast, costs, deciding, episodes, faces, identities, jobs, runs, uploads),
        *(progress, pages),
    )
]
GETS = [
    "/episodes/{ep}/status",
    "/episodes/{ep}/status?run_id={run}",
    "/episodes/{ep}/runs",
    "/episodes/{ep}/runs?after={run}",
    "/episodes/{ep}/decisions",
    "/runs/{ep}/{run}",
    "/runs/{ep}/{run}/artifacts",
    "/runs/{ep}/{run}/artifacts/tracks",
    "/runs/{ep}/{run}/artifacts/tracks/tracks",
    "/runs/{ep}/{run}/report.pdf",
    "/runs/{ep}/{run}/report.html",
    "/runs/{ep}/{run}/identities",
    "/runs/{ep}/{run}/tracks",
    "/runs/{ep}/{run}/cast",
    "/runs/{ep}/{run}/faces/0.jpg",
    "/runs/{ep}/{run}/invoice",
    "/runs/{ep}/{run}/progress",
    "/runs/{ep}/{run}/events",
    "/episodes/{ep}/cost",
    "/seasons/{ep}/cost",
    "/jobs/{run}",
    "/jobs/{run}/progress",
    "/jobs/{run}/events",
    "/ui/{ep}/{run}",
]
OUT = (
    "..",
    "../..",
    "../secret",
    "../../secret/run.json",
    "../../../../../../etc/passwd",
    "rhobh-s05e14/../../secret",
    "./x",
    ".",
    "/etc/passwd",
    "//etc",
)
ENCODED = [
    text.replace(".", dot).replace("/", slash)
    for text in OUT
    for dot in (".", "%2e", "%252e", "%c0%ae", "%e0%80%ae", "%u002e")
    for slash in ("%2f", "%5c", "%252f", "%c0%af")
]
ODD = [
    "%00",
    "a%00b",
    "%00..%00",
    "a%0ab",
    "a%0d%0aSet-Cookie:%20x=1",
    "%20",
    "%09",
    "a%20b",
    "a*b",
    "a%3Fb",
    "%7e",
    "%7Eroot",
    "$HOME",
    "%24%7BHOME%7D",
    "%60id%60",
    ";id",
    "a|b",
    "%3Cscript%3E",
    "%27%20OR%201=1--",
    "{}",
    "%7B7*7%7D",
    "-rf",
    "--help",
    "_hashes",
    ".dagster",
    ".env",
    "a..b",
    "...",
    "a" * 129,
    "a" * 5000,
    "%41" * 2000,
    "%EF%BC%8E%EF%BC%8E",
    "%E2%80%AE",
    "caf%C3%A9",
    "%F0%9F%8E%AC",
    "%ff%fe",
    "%ed%a0%80",
    "%D9%A1",
    "rhobh-s05e14%E2%81%84..",
    "rhobh-s05e14%20",
    "rhobh-s05e14%00.mp4",
    "C:",
    "C:%5Cwindows",
    "%5C%5C?%5CC:%5C",
    "%5C%5Cserver%5Cshare",
    "file:..",
    "a:b",
    "a::$DATA",
]
# What Windows takes for devices is a plain name here: it must only not be found.
WINDOWS = ["CON", "con", "NUL", "nul.txt", "AUX", "PRN.json", "COM1", "LPT9.mp4", "CLOCK$", "a."]
IDS = list(dict.fromkeys([*ENCODED, *ODD, *WINDOWS]))
# All routes parse ids in one place: each list is tried on some of them, a part of it on the rest.
SOME = IDS[::12]
TRIED_ON_ALL = {
    "/episodes/{ep}/status?run_id={run}",
    "/runs/{ep}/{run}",
    "/runs/{ep}/{run}/artifacts/tracks",
    "/runs/{ep}/{run}/progress",
    "/episodes/{ep}/cost",
    "/jobs/{run}",
    "/ui/{ep}/{run}",
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A data root beside a folder with a secret that looks like a run."""
    outside = tmp_path_factory.mktemp("outside")
    seen_run(Stores(outside / "data"), "first")
    for name in ("run.json", "manifest.json", "video.json", "tracks.jsonl", "report.html"):
        (outside / "secret").mkdir(exist_ok=True)
        (outside / "secret" / name).write_text(SECRET)
    with client_of(outside / "data", ROUTERS) as client:
        yield client


def files_of(client: TestClient) -> set[Path]:
    root: Path = client.app.state.service.settings.data_root  # type: ignore[attr-defined]
    files = {path for path in root.parent.rglob("*") if path.is_file()}
    return {path for path in files if ".lock" not in path.name}


def test_the_list_is_long_enough() -> None:
    assert len(IDS) >= 200


@pytest.mark.parametrize("template", GETS)
def test_no_route_reads_what_a_hostile_id_names(client: TestClient, template: str) -> None:
    for hostile in IDS if template in TRIED_ON_ALL else SOME:
        for ep, run in ((hostile, "first"), (EP, hostile)):
            if template.format(ep=ep, run=run) == template.format(ep=EP, run="first"):
                continue
            if template in {"/jobs/{run}", "/ui/{ep}/{run}"} and hostile in {".", ".."}:
                continue  # the client itself asks for another page then
            answer = client.get(template.format(ep=ep, run=run), follow_redirects=False)
            assert answer.status_code in {404, 422}, (hostile, answer.status_code)
            is_page = template.startswith("/ui")
            kind = "text/html; charset=utf-8" if is_page else "application/problem+json"
            assert answer.headers["content-type"] in {kind, "application/problem+json"}, hostile
            assert SECRET not in answer.text
            assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("verb", ["label", "merge", "split", "move-track", "lock", "undo", "apply"])
def test_no_verb_writes_where_a_hostile_id_names(client: TestClient, verb: str) -> None:
    before = files_of(client)
    bodies = {
        "label": {"person": "id_0001", "nobody": True},
        "merge": {"person": "id_0001", "other": "id_0002"},
        "split": {"person": "id_0001", "track_ids": [0]},
        "move-track": {"track_id": 0, "nobody": True},
        "lock": {"person": "id_0001"},
        "undo": {"sequence": 1},
        "apply": {},
    }
    for hostile in SOME:
        path = f"/episodes/{hostile}/identities/{verb}"
        assert client.post(path, json=bodies[verb]).status_code in {404, 405, 422}, hostile
    assert files_of(client) == before


def test_no_video_goes_where_a_hostile_id_names(client: TestClient) -> None:
    before = files_of(client)

    for hostile in IDS:
        sent = client.put(f"/episodes/{hostile}/video", content=b"no video")
        named = client.post(f"/episodes/{hostile}/video", json={"path": "/etc/passwd"})
        assert {sent.status_code, named.status_code} <= {404, 405, 422}, hostile
    assert files_of(client) == before


@pytest.mark.parametrize("text", ["../secret", "first/../../..", "\0", "a" * 5000, "CON", "ﬁrst"])
def test_no_hostile_id_of_a_body_is_looked_at(client: TestClient, text: str) -> None:
    body = {"person": "id_0001", "run_id": text}

    answer = client.post(f"/episodes/{EP}/identities/lock", json=body)

    assert answer.status_code in {404, 422}


@pytest.mark.parametrize("raw", [b'{"person": "\\ud800"}', b'{"\\ud800": 1}', b"[", b"\xff", b"1"])
def test_a_body_that_is_no_text_is_a_problem(client: TestClient, raw: bytes) -> None:
    kind = {"content-type": "application/json"}

    answer = client.post(f"/episodes/{EP}/identities/lock", content=raw, headers=kind)

    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"
