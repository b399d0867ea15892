"""What runs cost together, in tables and over HTTP: sums that anybody can add up again."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from screenalytics_assets.api import costs
from screenalytics_core.errors import RunNotFoundError
from screenalytics_core.ledger.cost import invoice
from screenalytics_core.ledger.cost_rollup import RunCost, cost_document
from screenalytics_core.run_record import RunKey
from screenalytics_core.run_tools.costs import run_invoice
from screenalytics_core.run_tools.page import render_page
from screenalytics_core.run_tools.show import run_overview
from screenalytics_core.stages import PipelineStage
from tests.api_reading import client_of
from tests.command_line import in_this_process
from tests.pages import Page
from tests.run_stories import EP, Story
from tests.told_runs import Root
from tests.unit.ledger.event_samples import priced

DETECT, FACES = PipelineStage.DETECT_TRACK, PipelineStage.FACES_EMBED
NEXT = "rhobh-s05e15"


def story(run_id: str, cpu_s: float, ep_id: str = EP, **prices: Any) -> Story:
    """A run of two stages, the first of which failed once."""
    told = Story(run_id, ep_id).begin().start(DETECT)
    told.fail(DETECT, 1, "video_unusable", "no frame")
    told.begin().stage(DETECT, 2, cpu_s=cpu_s, stored_bytes=10**9)
    told.stage(FACES, 2, cpu_s=cpu_s, gpu_s=1.0).complete()
    told.events.append(priced(**prices))
    return told


def run_cost(told: Story, *, is_active: bool = True, screen_time_s: float | None = None) -> RunCost:
    bill = invoice(told.facts())
    return RunCost(told.ep_id, told.run_id, "completed", is_active, bill, screen_time_s)


def total(*rows: dict[str, Any], name: str = "total") -> Decimal:
    return sum((Decimal(row[name]) for row in rows), Decimal(0))


def test_runs_stages_and_episodes_come_to_the_same_sum() -> None:
    runs = [run_cost(story("a", 100)), run_cost(story("b", 33.3)), run_cost(story("c", 7, NEXT))]
    document = cost_document(runs)
    (sums,) = document["totals"]

    assert [row["run_count"] for row in document["episodes"]] == [2, 1]
    for name in ("cpu_s", "subtotal", "markup", "total"):
        assert total(*document["runs"], name=name) == Decimal(sums[name])
        assert total(*document["episodes"], name=name) == Decimal(sums[name])
    assert total(*document["stages"], name="amount") == Decimal(sums["subtotal"])
    assert Decimal(sums["total"]) == Decimal(sums["subtotal"]) + Decimal(sums["markup"])


def test_a_minute_of_a_person_is_paid_for_with_every_run_of_the_episode() -> None:
    older = run_cost(story("a", 3600), is_active=False, screen_time_s=900.0)
    active = run_cost(story("b", 3600), screen_time_s=90.0)
    (episode,) = cost_document([older, active])["episodes"]

    assert episode["person_minutes"] == "1.500"
    assert Decimal(episode["per_person_minute"]) == Decimal(episode["total"]) / Decimal("1.5")


@pytest.mark.parametrize("screen_time_s", [None, 0.0])
def test_without_anybody_on_screen_there_is_no_price_of_a_minute(
    screen_time_s: float | None,
) -> None:
    (sums,) = cost_document([run_cost(story("a", 9), screen_time_s=screen_time_s)])["totals"]

    assert (sums["person_minutes"], sums["per_person_minute"]) == (None, None)


def test_currencies_are_never_added() -> None:
    dollars, yen = story("a", 9), story("b", 9, currency="JPY", decimals=0)
    document = cost_document([run_cost(dollars), run_cost(yen)])

    assert [row["currency"] for row in document["totals"]] == ["JPY", "USD"]
    assert [row["run_count"] for row in document["totals"]] == [1, 1]
    assert {row["currency"] for row in document["stages"]} == {"JPY", "USD"}


def test_a_run_without_prices_is_named_and_costs_nothing() -> None:
    unpriced = replace(run_cost(story("a", 9)), bill=None)
    document = cost_document([unpriced, run_cost(story("b", 9))])

    assert document["unpriced"] == [f"{EP}/a"]
    assert [row["run_id"] for row in document["runs"]] == ["b"]


@pytest.fixture
def root(tmp_path: Path) -> Root:
    root = Root(tmp_path)
    root.tell(story("first", 100))
    root.tell(story("second", 50))
    root.tell(story("third", 25, NEXT))
    return root


@pytest.fixture
def client(root: Root) -> Iterator[TestClient]:
    with client_of(root.path, [costs.router]) as client:
        yield client


def cost(root: Root, *words: str) -> str:
    done = in_this_process("cost", *words, data_root=root.path)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_says_what_the_service_says(root: Root, client: TestClient) -> None:
    by_http = client.get("/seasons/rhobh-s05/cost").json()

    assert json.loads(cost(root, "rhobh-s05", "--json")) == by_http
    assert len(by_http["episodes"]) == 2
    one = client.get(f"/episodes/{EP}/cost").json()
    assert json.loads(cost(root, EP, "--json")) == one
    assert [run["run_id"] for run in one["runs"]] == ["first", "second"]


def test_the_invoice_is_the_one_of_the_run_index(root: Root, client: TestClient) -> None:
    answer = client.get(f"/runs/{EP}/first/invoice")
    index = json.loads((root.path / f"projects/{EP}/runs/first/index.json").read_text())

    assert answer.status_code == 200
    assert {"ep_id": EP, "run_id": "first", **index["invoice"]} == answer.json()
    assert json.loads(cost(root, f"{EP}/first", "--json")) == answer.json()


def test_the_registry_holds_what_the_invoice_comes_to(root: Root, client: TestClient) -> None:
    rows = {row["run_id"]: row for row in root.ledger.registry.runs().to_pylist()}

    for ep_id, run_id in ((EP, "first"), (EP, "second"), (NEXT, "third")):
        document = client.get(f"/runs/{ep_id}/{run_id}/invoice").json()
        assert rows[run_id]["cost_total"] == float(document["total"])


def test_csv_is_the_table(root: Root) -> None:
    rows = list(csv.DictReader(io.StringIO(cost(root, EP, "--by", "stage", "--csv"))))

    assert [row["stage"] for row in rows] == ["detect", "faces"]
    assert rows[0]["cpu_s"] == "150.000"


def test_people_read_the_total_with_the_markup_beside_it(root: Root) -> None:
    text = cost(root, f"{EP}/first")

    assert "markup 20 %" in text
    assert "storage_gb_months" in text
    assert "by stage" not in text
    assert "per person minute" in cost(root, EP, "--by", "person-minute").replace("_", " ")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b'{"ep_id": ', "its run.json is damaged", id="half a file"),
        pytest.param(None, "its run.json is missing", id="lost"),
        pytest.param("third", f"its run.json belongs to {NEXT}/third", id="copied"),
    ],
)
def test_a_run_without_its_record_is_named_as_not_counted(
    root: Root, client: TestClient, content: bytes | str | None, reason: str
) -> None:
    before = client.get(f"/episodes/{EP}/cost").json()
    record = root.path / f"manifests/{EP}/runs/second/run.json"
    if content is None:
        record.unlink()
    elif isinstance(content, bytes):
        record.write_bytes(content)
    else:
        record.write_bytes((root.path / f"manifests/{NEXT}/runs/{content}/run.json").read_bytes())

    answer = client.get(f"/episodes/{EP}/cost")
    document = answer.json()
    [left_out] = document["uncounted"]

    assert before["uncounted"] == []
    assert (left_out["ep_id"], left_out["run_id"]) == (EP, "second")
    assert left_out["reason"].startswith(reason)
    assert str(root.path) not in answer.text
    assert [run["run_id"] for run in document["runs"]] == ["first"]
    assert client.get("/seasons/rhobh-s05/cost").json()["uncounted"] == [left_out]
    assert json.loads(cost(root, EP, "--json")) == document
    for words in ([], ["--csv"], ["--by", "stage"]):
        told = in_this_process("cost", EP, *words, data_root=root.path).stderr
        assert f"not counted: {EP}/second: {reason}" in told


def test_an_episode_that_has_nothing_else_names_what_is_not_counted(
    root: Root, client: TestClient
) -> None:
    (root.path / f"manifests/{NEXT}/runs/third/run.json").write_bytes(b"")

    document = client.get(f"/episodes/{NEXT}/cost").json()

    assert [run["run_id"] for run in document["uncounted"]] == ["third"]
    assert (document["runs"], document["totals"]) == ([], [])


def test_a_run_that_only_waits_is_not_missed(root: Root, client: TestClient) -> None:
    root.ledger.record(EP, "waiting", Story("waiting").begin().events[:1])

    assert client.get(f"/episodes/{EP}/cost").json()["uncounted"] == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/runs/rhobh-s05e14/none/invoice", 404),
        ("/episodes/rhobh-s05e99/cost", 404),
        ("/seasons/rhobh-s06/cost", 404),
        ("/seasons/rhobh/cost", 422),
        ("/seasons/..%2f..%2fetc/cost", 404),
        ("/episodes/..%2e/cost", 422),
    ],
)
def test_what_is_not_there_is_a_problem(client: TestClient, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_a_run_that_never_began_has_no_invoice(root: Root, client: TestClient) -> None:
    waiting = Story("waiting")
    waiting.events = Story("waiting").begin().events[:1]
    root.ledger.record(EP, "waiting", waiting.events)

    assert client.get(f"/runs/{EP}/waiting/invoice").status_code == 404
    with pytest.raises(RunNotFoundError, match="by which prices"):
        run_invoice(root.ledger, RunKey(EP, "waiting"))


def test_the_page_of_a_run_shows_every_line_and_the_total(root: Root) -> None:
    facts = root.ledger.facts(EP, "first")
    bill = invoice(facts)
    assert bill is not None
    page = Page(render_page(run_overview(facts, [], story("x", 1).now)))
    words = " ".join(page.words)

    assert "Invoice" in words
    assert "markup 20 %" in words
    assert str(bill.used.total) in words
    assert all(str(line.amount) in words for line in bill.used.lines)
