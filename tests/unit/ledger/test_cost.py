"""An invoice bills what every attempt used up, and shows what was not paid for twice."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from screenalytics_core.ledger.cost import Invoice, invoice
from screenalytics_core.ledger.events import LedgerEvent
from screenalytics_core.ledger.run_facts import RunFacts
from screenalytics_core.ledger.run_index import run_index
from screenalytics_core.ledger.run_rows import run_row
from screenalytics_core.ledger.state import fold
from screenalytics_core.manifest import Manifest
from tests.stores import EP, Stores
from tests.unit.ledger.event_samples import PRICES, Told, priced
from tests.unit.ledger.view_samples import Kind, Stage, hold

A_GB = 10**9


def facts(*told: Told, prices: LedgerEvent | None = None) -> RunFacts:
    events = [event for one in told for event in one]
    return RunFacts(EP, "r1", fold([*events, prices or priced()]), None, Manifest(EP, "r1"))


def billed(run: RunFacts) -> Invoice:
    bill = invoice(run)
    assert bill is not None
    return bill


def amounts(run: RunFacts) -> list[tuple[Any, ...]]:
    return [
        (line.about["attempt"], line.stage, line.item, str(line.quantity), str(line.amount))
        for line in billed(run).used.lines
    ]


def completed() -> Told:
    told = Told().begins(1).started("scan")
    told.published("scan", cpu_s=1.25, gpu_s=0.5, frames=30, inferences=10, stored_bytes=A_GB)
    return told.succeeded("scan").completed()


def test_a_run_is_billed_by_the_second_and_by_the_gigabyte_and_month() -> None:
    run = facts(completed())

    # 1.25 s at 0.036 an hour; half a second of a GPU at 3.6 an hour; 12 GB-months at 0.02.
    assert amounts(run) == [
        (1, "detect", "cpu_s", "1.250", "0.000012"),
        (1, "detect", "gpu_s", "0.500", "0.000500"),
        (1, "detect", "storage_gb_months", "12.000000000000", "0.240000"),
    ]
    bill = billed(run).used
    assert (str(bill.subtotal), str(bill.markup), str(bill.total)) == (
        "0.240512", "0.048102", "0.288614",
    )  # fmt: skip
    assert billed(run).measured == {"frames": 30, "inferences": 10}


@pytest.mark.parametrize(
    ("cpu_s", "amount"), [(0.05, "0.000000"), (0.15, "0.000002"), (0.25, "0.000002")]
)
def test_a_line_that_lies_halfway_is_rounded_to_even(cpu_s: float, amount: str) -> None:
    """0.05 s at 0.00001 a second is half a millionth."""
    told = Told().begins(1).started("scan").published("scan", cpu_s=cpu_s).succeeded("scan")

    assert [str(line.amount) for line in billed(facts(told)).used.lines] == [amount]


def test_an_attempt_that_failed_is_billed_what_it_used() -> None:
    failed = Told("d1").begins(1).started("scan").measured("scan", cpu_s=100.0)
    failed.failed("scan").run_failed()
    again = Told("d2", second=60).begins(2).started("scan").published("scan", cpu_s=200.0)
    run = facts(failed, again.succeeded("scan").completed())

    assert [(n, q) for n, _, _, q, _ in amounts(run)] == [(1, "100.000"), (2, "200.000")]
    assert [line.about["status"] for line in billed(run).used.lines] == ["failed", "success"]
    assert str(billed(run).used.total) == "0.003600"


def test_a_process_that_was_killed_is_billed_what_it_last_reported() -> None:
    killed = Told().begins(1).started("scan").reported("scan", 1, 9, facts={"cpu_s": 100.0})
    killed.reported("scan", 2, 9, facts={"cpu_s": 250.0}).swept()

    assert amounts(facts(killed))[0][3] == "250.000"


def test_a_launch_that_was_refused_costs_nothing() -> None:
    refused = Told("d2", second=9).queued().run_started().started("scan")
    refused.measured("scan", cpu_s=50.0).failed("scan", "run_busy").canceled()

    assert billed(facts(completed(), refused)).used == billed(facts(completed())).used


def test_an_invoice_is_open_until_the_run_has_ended() -> None:
    going_on = Told().begins(1).started("scan").reported("scan", 1, 9, facts={"cpu_s": 5.0})

    assert not billed(facts(going_on)).is_final
    assert billed(facts(completed())).is_final


def test_a_run_that_nobody_priced_has_no_invoice() -> None:
    state = fold(completed())

    assert invoice(RunFacts(EP, "r1", state, None, Manifest(EP, "r1"))) is None


def test_measured_nonsense_is_never_a_credit() -> None:
    told = Told().begins(1).started("scan")
    told.published("scan", cpu_s=-5.0, stored_bytes=-A_GB, frames=-3).succeeded("scan")

    assert billed(facts(told)).used.lines == ()
    assert billed(facts(told)).measured["frames"] == 0


def test_another_currency_rounds_to_its_own_places() -> None:
    yen = priced(currency="JPY", decimals=0, markup_percent=Decimal("8.25"))
    told = Told().begins(1).started("scan").published("scan", cpu_s=100 * 10**5 + 50_000.0)
    bill = billed(facts(told.succeeded("scan"), prices=yen))

    assert (str(bill.used.subtotal), str(bill.used.markup)) == ("100", "8")
    assert bill.to_dict()["currency"] == "JPY"


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    stores = Stores(tmp_path)
    stores.run("r1")
    return stores


def with_manifest(stores: Stores, run: RunFacts) -> RunFacts:
    return replace(run, manifest=stores.artifacts.manifest(EP, "r1"))


def test_what_was_taken_over_is_shown_as_saved_and_billed_to_nobody(stores: Stores) -> None:
    used = {"cpu_s": 1000.0, "gpu_s": 10.0}
    hold(stores, "r1", kinds=(Kind.DETECTIONS,), source="inherited", used=used)
    hold(stores, "r1", kinds=(Kind.TRACKS,), source="inherited", used={"cpu_s": 500.0, "gpu_s": 0})
    hold(stores, "r1", kinds=(Kind.FACES,), source="checkpoint", used={"cpu_s": 7.0, "gpu_s": 0})
    hold(stores, "r1", kinds=(Kind.TRACK_REPS,), source="checkpoint")
    hold(stores, "r1", kinds=(Kind.IDENTITIES,), used={"cpu_s": 70.0, "gpu_s": 0})
    bill = billed(with_manifest(stores, facts(completed())))

    taken = [(x.stage, x.about["source"], x.item, str(x.quantity)) for x in bill.saved.lines]
    assert taken == [
        ("detect", "inherited", "cpu_s", "1500.000"),
        ("detect", "inherited", "gpu_s", "10.000"),
        ("faces", "checkpoint", "cpu_s", "7.000"),
    ]
    assert {x.about["from_run_id"] for x in bill.saved.lines} == {"earlier"}
    # 1507 s at 0.00001 and 10 s at 0.001, and a fifth on top.
    assert str(bill.saved.total) == "0.030084"
    assert bill.unmeasured == ("track_reps",)
    assert bill.used == billed(facts(completed())).used


def test_the_index_and_the_registry_say_the_same_total(stores: Stores) -> None:
    run = facts(completed())

    document = run_index(run, "")["invoice"]
    assert document == billed(run).to_dict()
    assert document["total"] == "0.288614"
    assert document["prices"] == {"version": "test-1", "sha256": "e" * 64, "origin": "default"}
    assert run_row(run)["cost_total"] == 0.288614


def test_the_first_prices_of_a_run_are_its_prices() -> None:
    later = priced(99.0, version="later")
    later = replace(later, event_id="another")

    state = fold([*completed(), later, priced(5.0)])

    assert state.prices == PRICES


def test_every_line_says_how_it_was_reckoned() -> None:
    line = billed(facts(completed())).to_dict()["lines"][0]

    assert line == {
        "item": "cpu_s", "stage": Stage.DETECT_TRACK.value, "attempt": 1, "status": "success",
        "quantity": "1.250", "unit": "s", "price": "0.036", "per": "3600", "amount": "0.000012",
    }  # fmt: skip
