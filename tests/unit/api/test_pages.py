"""The pages for people: episodes, a run and its people, and what their forms do."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field

from screenalytics_assets.api.pages import routes
from screenalytics_assets.api.pages.api_view import operations_by_tag
from screenalytics_assets.api.pages.episodes_view import PAGE_ROWS, choose
from screenalytics_assets.api.pages.rendering import took
from screenalytics_assets.api.pages.run_view import decided_until
from screenalytics_assets.stores import Stores as OpenStores
from screenalytics_core.errors import DaemonMissingError
from tests.api_reading import KeptLauncher, client_of, seen_run
from tests.stores import EP, Stores
from tests.unit.api.test_episodes import register

RUN_PAGE = f"/ui/{EP}/first"


class Body(BaseModel):
    ep_id: str = Field(description="Which one.")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with a run that can be decided about."""
    root = tmp_path_factory.mktemp("made")
    seen_run(Stores(root), "first")
    return root


@pytest.fixture
def stores(made: Path, tmp_path: Path) -> Stores:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    register(tmp_path, EP, "rhobh-s05e15")
    return Stores(tmp_path)


@pytest.fixture
def launcher() -> KeptLauncher:
    return KeptLauncher()


@pytest.fixture
def client(stores: Stores, launcher: KeptLauncher) -> Iterator[TestClient]:
    with client_of(stores.root, [routes.router], launcher) as client:
        client.follow_redirects = False
        yield client


def words(page: str) -> str:
    """Return what a page says, without its marks."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_the_first_page_lists_episodes_with_their_newest_run(client: TestClient) -> None:
    page = client.get("/")

    assert page.status_code == 200
    assert f'href="{RUN_PAGE}"' in page.text
    said = words(page.text)
    assert "2 of 2 episodes" in said
    assert "rhobh-s05e15 \N{EN DASH} no run yet" in said


def test_episodes_are_found_by_a_part_of_their_id(client: TestClient) -> None:
    said = words(client.get("/", params={"q": "E15"}).text)
    assert "1 of 2 episodes" in said
    assert EP not in said
    assert "No episode has that in its name" in client.get("/", params={"q": "zz"}).text


@pytest.mark.parametrize(("asked", "got"), [(1, 1), (2, 2), (9, 2)])
def test_a_page_that_does_not_exist_is_the_last_one(asked: int, got: int) -> None:
    ep_ids = [f"a-s01e{n:02d}" for n in range(PAGE_ROWS + 1)]
    chosen = choose(ep_ids, "", asked)
    assert (chosen.page, chosen.pages, chosen.found) == (got, 2, PAGE_ROWS + 1)
    assert chosen.ep_ids == tuple(ep_ids[(got - 1) * PAGE_ROWS : got * PAGE_ROWS])


def test_a_launch_is_queued_and_its_run_shown(client: TestClient, launcher: KeptLauncher) -> None:
    asked = {"ep_id": f" {EP} ", "profile": "low_power"}
    answer = client.post("/launch", data=asked)

    assert (answer.status_code, answer.headers["location"]) == (303, f"/ui/{EP}/run-1")
    [work] = launcher.submitted
    assert (work.ep_id, work.video_path) == (EP, None)
    assert (work.config.stride, work.config.body_tracking) == (24, False)


def test_a_launch_that_is_refused_says_why_and_keeps_what_was_written(
    client: TestClient, launcher: KeptLauncher
) -> None:
    launcher.error = DaemonMissingError(thing="queue", reason="has no daemon")

    answer = client.post("/launch", data={"ep_id": EP, "profile": "high_accuracy"})

    assert answer.status_code == 503
    assert "Nothing takes jobs from the queue now." in words(answer.text)
    assert "has no daemon" not in answer.text
    assert f'value="{EP}"' in answer.text
    assert "<option selected>high_accuracy" in answer.text


def test_a_video_outside_of_the_allowed_folders_is_not_launched(
    client: TestClient, launcher: KeptLauncher
) -> None:
    answer = client.post("/launch", data={"ep_id": EP, "video_path": "/etc/passwd"})
    assert answer.status_code == 422
    assert launcher.submitted == []


def test_a_run_shows_its_people_with_faces_seconds_and_stretches(client: TestClient) -> None:
    page = client.get(RUN_PAGE).text

    assert page.count('<details class="who">') == 3
    assert f'src="/runs/{EP}/first/faces/' in page
    assert re.search(r'<rect class="face" x="[\d.]+%" width="[\d.]+%"', page)
    assert f'href="/runs/{EP}/first/report.pdf"' in page
    assert "id_0001" in words(page)


def test_people_are_named_one_after_another_and_then_one_run_carries_it_out(
    client: TestClient, launcher: KeptLauncher, stores: Stores
) -> None:
    for identity, called in (("id_0001", "<b>Zoë</b>"), ("id_0002", "Anna")):
        answer = client.post(f"{RUN_PAGE}/name", data={"identity": identity, "name": called})
        assert (answer.status_code, answer.headers["location"]) == (303, RUN_PAGE)

    decided = OpenStores.open(stores.root).decisions.read(EP)
    assert [(d.label, d.run_id) for d in decided] == [("<b>Zoë</b>", "first"), ("Anna", "first")]
    assert launcher.submitted == []
    page = client.get(RUN_PAGE).text
    assert "2 decisions are not in these figures yet" in words(page)
    assert "&rarr; <bdi>Anna</bdi>" in page
    assert "as <b><bdi>&lt;b&gt;Zoë&lt;/b&gt;</bdi></b>" in page
    assert "<b>Zoë</b>" not in page

    applied = client.post(f"{RUN_PAGE}/apply")

    assert (applied.status_code, applied.headers["location"]) == (303, f"/ui/{EP}/run-1")
    assert [work.launch.upstream_run_id for work in launcher.submitted] == ["first"]


def test_what_was_decided_can_be_undone_by_its_number(client: TestClient) -> None:
    client.post(f"{RUN_PAGE}/name", data={"identity": "id_0001", "name": "Zoe"})
    assert 'name="sequence" value="1"' in client.get(RUN_PAGE).text

    assert client.post(f"{RUN_PAGE}/undo", data={"sequence": "1"}).status_code == 303

    page = client.get(RUN_PAGE).text
    assert "(undone)" in words(page)
    assert "&rarr;" not in page
    assert "not in these figures" not in page


def test_decisions_that_nothing_carries_out_stand_and_it_is_told(
    client: TestClient, launcher: KeptLauncher, stores: Stores
) -> None:
    client.post(f"{RUN_PAGE}/name", data={"identity": "id_0001", "name": "Zoe"})
    launcher.error = DaemonMissingError(thing="queue", reason="has no daemon")

    answer = client.post(f"{RUN_PAGE}/apply")

    assert answer.status_code == 503
    assert "Nothing takes jobs from the queue now." in words(answer.text)
    assert "has no daemon" not in answer.text
    assert len(OpenStores.open(stores.root).decisions.read(EP)) == 1


@pytest.mark.parametrize(
    "asked", [{"identity": "id_0001", "name": " "}, {"identity": "id_0099", "name": "Zoe"}]
)
def test_what_names_nobody_is_refused(
    client: TestClient, launcher: KeptLauncher, stores: Stores, asked: dict[str, str]
) -> None:
    answer = client.post(f"{RUN_PAGE}/name", data=asked)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert OpenStores.open(stores.root).decisions.read(EP) == ()
    assert launcher.submitted == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ui/rhobh-s05e14/nope", 404),
        ("/ui/nowhere-s01e01", 404),
        ("/ui/a..b/nope", 422),
        ("/ui/%3Cscript%3E", 422),
        ("/?page=0", 422),
    ],
)
def test_what_goes_wrong_on_the_way_to_a_page_is_a_page(
    client: TestClient, path: str, status: int
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert "<script>" not in answer.text


def test_a_page_lets_nothing_in_that_is_not_its_own(client: TestClient) -> None:
    policy = client.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


def test_the_page_of_the_api_tells_every_route_with_its_fields_and_answers(
    client: TestClient,
) -> None:
    app = FastAPI()

    @app.post("/jobs/{stage}", tags=["jobs"], responses={409: {"description": "Busy."}})
    def start(stage: str, body: Body) -> None:
        """Start a stage."""

    [(tag, (operation,))] = operations_by_tag(app.openapi()).items()

    assert (tag, operation.method, operation.path) == ("jobs", "POST", "/jobs/{stage}")
    assert operation.summary == "Start a stage."
    assert operation.body == (("ep_id", "required. Which one."),)
    assert ("409", "Busy.") in operation.statuses
    assert client.get("/docs").status_code == 200


def test_a_run_that_took_over_who_is_who_has_what_was_decided_before_it() -> None:
    stages = {"cluster": {"started_at": None}, "pdf": {"started_at": "2026-01-02"}}
    assert decided_until({"stages": stages}) == "2026-01-02"
    stages["cluster"]["started_at"] = "2026-01-01"
    assert decided_until({"stages": stages}) == "2026-01-01"


@pytest.mark.parametrize(("duration_s", "said"), [(4.2, "4 s"), (90.0, "1.5 min"), (-3.0, "-3 s")])
def test_durations_are_told_in_seconds_then_minutes(duration_s: float, said: str) -> None:
    assert took(duration_s) == said
