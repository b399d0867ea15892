"""Episodes over HTTP: which there are, how far each is, and its runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from screenalytics_assets.api import episodes, runs
from screenalytics_assets.stores import Stores as OpenStores
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.ledger.ledger import Ledger
from screenalytics_core.storage.local import LocalStorage
from tests.api_reading import client_of
from tests.run_samples import finished_run
from tests.stores import EP, Stores


def register(root: Path, *ep_ids: str) -> None:
    """Put the record of a registered video in place, with a file as long as it says."""
    for ep_id in ep_ids:
        folder = root / "videos" / ep_id
        folder.mkdir(parents=True)
        (folder / "episode.mp4").write_bytes(b"video")
        facts = {
            "ep_id": ep_id,
            "source": "a.mp4",
            "sha256": "a" * 64,
            "size_bytes": 5,
            "duration_s": 4.0,
            "fps": "25/1",
            "width_px": 160,
            "height_px": 96,
            "codec": "h264",
            "pixel_format": "yuv420p",
            "container": "mp4",
            "has_audio": False,
            "rotation_deg": 0,
        }
        (folder / "video.json").write_text(json.dumps(facts))


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return Stores(tmp_path)


@pytest.fixture
def ledger(stores: Stores) -> Ledger:
    return OpenStores.open(stores.root).ledger


@pytest.fixture
def client(stores: Stores) -> Iterator[TestClient]:
    with client_of(stores.root, [episodes.router, runs.router]) as client:
        yield client


def pages(client: TestClient, path: str, **asked: Any) -> list[dict[str, Any]]:
    """Follow a list to its end."""
    found, after = [], None
    for _ in range(50):
        page = client.get(path, params={**asked, **({"after": after} if after else {})}).json()
        found.append(page)
        after = page["next"]
        if after is None:
            return found
    raise AssertionError("the list has no end")


def test_pages_together_are_all_episodes_in_natural_order(
    client: TestClient, tmp_path: Path
) -> None:
    ids = ["b-s01e01", "a-s01e100", "a-s01e99", "a-s02e01", "pilot"]
    register(tmp_path, *ids)

    found = pages(client, "/episodes", limit=2)

    assert [[e["ep_id"] for e in page["episodes"]] for page in found] == [
        ["a-s01e99", "a-s01e100"],
        ["a-s02e01", "b-s01e01"],
        ["pilot"],
    ]
    assert {page["total"] for page in found} == {5}


def test_a_full_last_page_says_that_it_is_the_last(client: TestClient, tmp_path: Path) -> None:
    register(tmp_path, "a-s01e01", "a-s01e02")

    assert client.get("/episodes", params={"limit": 2}).json()["next"] is None


def test_episodes_of_one_show_and_season_are_found(client: TestClient, tmp_path: Path) -> None:
    register(tmp_path, "a-s01e01", "a-s02e01", "b-s01e01", "pilot")

    def ids(**asked: Any) -> list[str]:
        return [e["ep_id"] for e in client.get("/episodes", params=asked).json()["episodes"]]

    assert ids(show="A") == ["a-s01e01", "a-s02e01"]
    assert ids(season=1) == ["a-s01e01", "b-s01e01"]
    assert ids(show="a", season=2) == ["a-s02e01"]
    assert ids(show="none") == []


def test_an_episode_tells_of_its_video_and_its_newest_run(
    client: TestClient, stores: Stores, ledger: Ledger
) -> None:
    register(stores.root, EP, "a-s01e01")
    for run_id in ("first", "second"):
        finished_run(stores, run_id)
        ledger.render(EP, run_id)
    stores.runs.activate(EP, "first")

    bare, full = client.get("/episodes").json()["episodes"]

    assert (full["ep_id"], full["video"], full["duration_s"]) == (EP, "ok", 4.0)
    assert (full["show"], full["season"], full["episode"]) == ("rhobh", 5, 14)
    assert (full["runs"], full["active_run_id"]) == (2, "second")
    assert full["newest_run"]["run_id"] == "second"
    assert full["newest_run"]["state"] == "completed"
    assert (bare["runs"], bare["newest_run"], bare["active_run_id"]) == (0, None, None)


def test_what_became_of_a_video_is_told_without_reading_it(
    client: TestClient, tmp_path: Path
) -> None:
    register(tmp_path, *(f"a-s01e0{n}" for n in range(1, 5)))
    videos = tmp_path / "videos"
    (videos / "a-s01e01" / "episode.mp4").unlink()
    (videos / "a-s01e02" / "episode.mp4").write_bytes(b"another video")
    (videos / "a-s01e03" / "episode.mp4").write_bytes(b"oediv")
    (videos / "a-s01e04" / "video.json").write_text("{")

    found = [e["video"] for e in client.get("/episodes").json()["episodes"]]

    assert found == ["missing", "replaced", "unchecked", "damaged record"]


def test_a_damaged_registry_hides_no_episode(client: TestClient, stores: Stores) -> None:
    register(stores.root, EP)
    path = stores.root / "registry" / "runs.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1 is not all")

    [found] = client.get("/episodes").json()["episodes"]

    assert (found["ep_id"], found["runs"]) == (EP, 0)


@pytest.mark.parametrize(
    "asked", [{"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"after": "../x"}, {"season": -1}]
)
def test_a_page_that_cannot_be_is_refused(client: TestClient, asked: dict[str, Any]) -> None:
    assert client.get("/episodes", params=asked).status_code == 422


def test_a_status_is_that_of_the_active_run_else_of_the_one_that_is_named(
    client: TestClient, stores: Stores, ledger: Ledger
) -> None:
    for run_id in ("first", "second"):
        finished_run(stores, run_id)
        ledger.render(EP, run_id)

    now = client.get(f"/episodes/{EP.upper()}/status").json()
    then = client.get(f"/episodes/{EP}/status", params={"run_id": "first"}).json()

    assert (now["run_id"], now["state"]) == ("second", "completed")
    assert then["run_id"] == "first"
    held = json.loads(stores.file("first", "episode_status.json").read_text())
    assert {name: then[name] for name in held} == held


@pytest.mark.parametrize("left", [None, "{", "{}", '{"run_id": "first", "state": "odd"}'])
def test_a_status_whose_file_is_no_use_comes_from_the_folder(
    client: TestClient, stores: Stores, ledger: Ledger, left: str | None
) -> None:
    finished_run(stores, "first")
    ledger.render(EP, "first")
    path = stores.file("first", "episode_status.json")
    path.unlink()
    if left is not None:
        path.write_text(left)

    answer = client.get(f"/episodes/{EP}/status")

    assert (answer.status_code, answer.json()["state"]) == (200, "completed")


def test_an_episode_that_nobody_knows_has_no_status_and_no_runs(client: TestClient) -> None:
    for what in ("status", "runs"):
        answer = client.get(f"/episodes/show-s01e01/{what}")
        assert (answer.status_code, answer.json()["code"]) == (404, "run_not_found")


def test_runs_are_listed_from_the_newest_and_page_by_page(
    client: TestClient, stores: Stores, ledger: Ledger
) -> None:
    for run_id in ("first", "second"):
        finished_run(stores, run_id)
        ledger.render(EP, run_id)
    stores.run("third")

    found = pages(client, f"/episodes/{EP}/runs", limit=2)

    rows = [row for page in found for row in page["runs"]]
    assert [len(page["runs"]) for page in found] == [2, 1]
    assert [(r["run_id"], r["state"], r["active"]) for r in rows] == [
        ("third", "unknown", False),
        ("second", "completed", True),
        ("first", "completed", False),
    ]
    assert rows[1]["people"] == 1


def test_a_registered_episode_has_an_empty_list_of_runs(client: TestClient, tmp_path: Path) -> None:
    register(tmp_path, EP)

    assert client.get(f"/episodes/{EP}/runs").json()["runs"] == []


def test_the_run_index_is_the_file_and_names_no_path_of_the_server(
    client: TestClient, stores: Stores, ledger: Ledger
) -> None:
    finished_run(stores, "first")
    ledger.patch_index(EP, "first", {"slate": {"colour": "blue"}, "reportUrl": "file:///srv/r.pdf"})

    answer = client.get(f"/runs/{EP}/first")

    index = answer.json()
    held = json.loads((stores.root / f"projects/{EP}/runs/first/index.json").read_text())
    assert index == {
        **held,
        "reportUrl": f"/runs/{EP}/first/report.pdf",
        "dashboardUrl": f"/ui/{EP}/first",
    }
    assert index["slate"] == {"colour": "blue"}


def test_the_dashboard_of_a_run_is_its_page_unless_somebody_named_another(
    client: TestClient, stores: Stores, ledger: Ledger
) -> None:
    stores.run("reserved")
    finished_run(stores, "first")
    ledger.patch_index(EP, "first", {"dashboardUrl": "https://desk.example/first"})

    shown = [client.get(f"/runs/{EP}/{run}").json() for run in ("reserved", "first")]

    assert [index["dashboardUrl"] for index in shown] == [
        f"/ui/{EP}/reserved",
        "https://desk.example/first",
    ]


@pytest.mark.parametrize("patched", [None, "https://desk.example/r.pdf?key=1"])
def test_a_signed_address_of_the_report_is_signed_anew_each_time(
    client: TestClient,
    stores: Stores,
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
    patched: str | None,
) -> None:
    times = count(1)
    monkeypatch.setattr(
        LocalStorage, "url", lambda _, key: f"https://bucket.example/{key}?signed={next(times)}"
    )
    finished_run(stores, "first")
    stores.publish("first", ArtifactKind.REPORT, {"pdf": b"%PDF-1.7", "html": b"<p>report</p>"})
    ledger.patch_index(EP, "first", {"reportUrl": patched} if patched else {"slate": 1})
    held = json.loads((stores.root / f"projects/{EP}/runs/first/index.json").read_text())

    said = [client.get(f"/runs/{EP}/first").json()["reportUrl"] for _ in range(2)]

    urls = {held["reportUrl"], *said}
    signed = f"https://bucket.example/manifests/{EP}/runs/first/report.pdf?signed="
    assert urls == {patched} if patched else len(urls) == 3
    assert patched or all(url.startswith(signed) for url in urls)


@pytest.mark.parametrize("left", [None, "[", '{"status": 7}'])
def test_a_run_index_whose_file_is_no_use_is_made_anew(
    client: TestClient, stores: Stores, left: str | None
) -> None:
    finished_run(stores, "first")
    if left is not None:
        path = stores.root / f"projects/{EP}/runs/first/index.json"
        path.parent.mkdir(parents=True)
        path.write_text(left)

    index = client.get(f"/runs/{EP}/first").json()

    assert (index["projectId"], index["runId"], index["status"]) == (EP, "first", "completed")


def test_a_run_that_nobody_knows_is_not_found(client: TestClient, stores: Stores) -> None:
    finished_run(stores, "first")

    answer = client.get(f"/runs/{EP}/other")

    assert (answer.status_code, answer.json()["code"]) == (404, "run_not_found")
    assert "first" in answer.json()["detail"]
