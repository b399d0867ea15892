"""Progress for pollers, and of one job of a run: the same events, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from fastapi.testclient import TestClient

from screenalytics_assets.jobs import EPISODE_JOB
from screenalytics_assets.tags import PARTITION_TAG, RUN_ID_TAG
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.ledger.event_log import EventLog
from tests.progress_server import progress_app
from tests.stores import EP, Stores
from tests.unit.ledger import event_samples as log
from tests.unit.ledger.view_samples import publish_screen_time

RUN = "r1"
PROGRESS = f"/runs/{EP}/{RUN}/progress"


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    stores = Stores(tmp_path)
    stores.run(RUN)
    return stores


@pytest.fixture
def events(stores: Stores) -> EventLog:
    return EventLog(stores.storage)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with dg.DagsterInstance.ephemeral() as instance:
        for job_id in ("d1", "d2"):
            tags = {PARTITION_TAG: EP, RUN_ID_TAG: RUN}
            instance.add_run(dg.DagsterRun(EPISODE_JOB, run_id=job_id, tags=tags))
        with TestClient(progress_app(tmp_path, instance)) as client:
            yield client


def get(client: TestClient, path: str, **query: Any) -> dict[str, Any]:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def names(answer: str) -> list[str]:
    return [line.removeprefix("event: ") for line in answer.splitlines() if line[:6] == "event:"]


def test_a_poller_hears_each_event_once(client: TestClient, events: EventLog) -> None:
    story = log.Told().begins(1, ["scan"]).started("scan")
    events.append(EP, RUN, story)
    first = get(client, PROGRESS, after=0)
    nothing = get(client, PROGRESS, after=first["next_after"])
    events.append(EP, RUN, story.published("scan").succeeded("scan").completed())
    rest = get(client, PROGRESS, after=first["next_after"])

    assert [e["sequence"] for e in first["events"]] == [1, 3, 4, 5]
    assert (nothing["events"], nothing["end"]) == ([], None)
    assert [e["sequence"] for e in rest["events"]] == [6, 7, 8]
    assert (rest["end"]["state"], rest["snapshot"]["state"]) == ("completed", "completed")


def test_who_asks_for_no_events_gets_the_snapshot_alone(
    client: TestClient, events: EventLog
) -> None:
    events.append(EP, RUN, log.Told().begins(1, ["scan"]).started("scan").reported("scan", 1, 4))

    page = get(client, PROGRESS)

    assert page["events"] == []
    assert page["snapshot"]["progress"] == 25.0
    assert page["snapshot"]["stages"]["detect"] == {
        "status": "running",
        "pct": 25.0,
        "step": "scan",
        "done": 1,
        "total": 4,
        "message": "1 of 4",
        "error": None,
    }


def test_a_long_log_comes_in_pages_without_a_gap(client: TestClient, events: EventLog) -> None:
    story = log.Told().begins(1, ["scan"]).started("scan")
    for n in range(1, 1200):
        story.reported("scan", n, 1200)
    events.append(EP, RUN, story)

    first = get(client, PROGRESS, after=0)
    second = get(client, PROGRESS, after=first["next_after"])

    told = [e["sequence"] for page in (first, second) for e in page["events"]]
    assert told == [1, *range(3, len(story) + 1)]
    assert len(first["events"]) == 1000


def test_a_log_that_is_shorter_than_it_was_is_told_from_its_start(
    client: TestClient, events: EventLog
) -> None:
    events.append(EP, RUN, log.Told().begins(1, ["scan"]))

    assert [e["sequence"] for e in get(client, PROGRESS, after=77)["events"]] == [1, 3, 4]


@pytest.mark.parametrize("after", ["-1", "x", "1" * 20])
def test_a_line_that_no_log_has_is_refused(
    after: str, client: TestClient, events: EventLog
) -> None:
    events.append(EP, RUN, log.Told().queued())

    answer = client.get(PROGRESS, params={"after": after})

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_job_hears_its_own_end_though_its_run_goes_on(
    client: TestClient, events: EventLog
) -> None:
    events.append(EP, RUN, log.Told().begins(1, ["scan"]).started("scan"))
    events.append(EP, RUN, log.refused("d2", second=20))

    page = get(client, "/jobs/d2/progress", after=0)
    stream = client.get("/jobs/d2/events")

    assert {e["job_id"] for e in page["events"]} == {"d2"}
    assert (page["end"]["state"], page["end"]["error_code"]) == ("canceled", "run_busy")
    assert names(stream.text) == ["snapshot", "end"]
    assert get(client, "/jobs/d1/progress")["end"] is None
    assert get(client, PROGRESS)["end"] is None


def test_the_job_of_an_earlier_attempt_ended_as_it_ended(
    client: TestClient, events: EventLog
) -> None:
    events.append(EP, RUN, log.Told().begins(1).started("scan").failed("scan").run_failed())
    events.append(EP, RUN, log.Told("d2", second=60).begins(2).started("scan"))

    assert names(client.get("/jobs/d1/events").text) == ["snapshot", "end"]
    first = get(client, "/jobs/d1/progress")
    assert (first["end"]["state"], first["snapshot"]["stages"]["detect"]["status"]) == (
        "failed",
        "failed",
    )
    assert get(client, PROGRESS)["snapshot"]["state"] == "running"


def test_a_job_that_is_not_in_the_log_yet_waits(client: TestClient) -> None:
    page = get(client, "/jobs/d1/progress", after=0)

    assert (page["snapshot"]["state"], page["snapshot"]["job_id"]) == ("queued", "d1")
    assert (page["events"], page["end"]) == ([], None)


def test_a_job_that_waits_has_not_ended_though_its_run_has_its_artifacts(
    client: TestClient, stores: Stores
) -> None:
    publish_screen_time(stores, RUN)
    stores.publish(RUN, ArtifactKind.REPORT, {"pdf": b"%PDF-1.4", "html": b"<html>"})

    page = get(client, "/jobs/d1/progress")

    assert (page["snapshot"]["state"], page["end"]) == ("queued", None)


def test_a_job_that_nobody_knows_is_a_problem(client: TestClient) -> None:
    for path in ("/jobs/nobody/events", "/jobs/nobody/progress"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")


@pytest.mark.parametrize("path", ["events", "progress"])
def test_ids_that_are_no_ids_are_refused(path: str, client: TestClient) -> None:
    for ids in ("..%2f..%2fetc/r1", f"{EP}/..%2f..", f"{EP}/a..b", f"{EP}/%00"):
        assert client.get(f"/runs/{ids}/{path}").status_code in {404, 422}


def test_a_run_without_a_log_that_holds_its_last_artifacts_has_completed(
    client: TestClient, stores: Stores
) -> None:
    publish_screen_time(stores, RUN)
    stores.publish(RUN, ArtifactKind.REPORT, {"pdf": b"%PDF-1.4", "html": b"<html>"})

    stream = client.get(f"/runs/{EP}/{RUN}/events")

    assert names(stream.text) == ["snapshot", "end"]
    assert get(client, PROGRESS)["end"]["state"] == "completed"


def test_a_log_that_cannot_be_read_is_a_problem_and_no_broken_stream(
    client: TestClient, stores: Stores
) -> None:
    stores.file(RUN, "events.jsonl").mkdir()

    answer = client.get(f"/runs/{EP}/{RUN}/events")

    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_document_names_the_stream_and_its_answers(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]

    for path in ("/runs/{ep_id}/{run_id}/events", "/jobs/{job_id}/events"):
        answers = paths[path]["get"]["responses"]
        assert list(answers["200"]["content"]) == ["text/event-stream"]
        assert {"204", "404", "422", "503"} <= answers.keys()
