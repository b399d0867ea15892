"""A run is priced once, when it is first claimed; a faulty price file holds no run up."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from screenalytics_assets.mirror import price_events
from screenalytics_assets.stores import Stores
from screenalytics_assets.sync import sync
from screenalytics_core.ledger import price_file
from screenalytics_core.ledger.cost import invoice
from screenalytics_core.runs import RunKey
from screenalytics_core.stages import PipelineStage
from tests.run_stories import EP, Story
from tests.told_runs import Root

KEY = RunKey(EP, "first")
SHIPPED = (Path(price_file.__file__).parent / "prices.yaml").read_text()


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A run that was claimed, worked and completed, and that nobody has priced."""
    root = Root(tmp_path)
    root.tell(Story("first").begin().stage(PipelineStage.DETECT_TRACK, 2, cpu_s=3600.0).complete())
    return root


def synced(root: Root) -> dict[str, Any]:
    """Repair the ledger beside an empty home; return the invoice of the run index."""
    with dg.DagsterInstance.ephemeral() as instance:
        report = sync(instance, Stores.open(root.path))
    assert report.problems == []
    index = json.loads((root.path / f"projects/{EP}/runs/first/index.json").read_text())
    found: dict[str, Any] = index.get("invoice", {})
    return found


def put_prices(root: Root, version: str, hour: str) -> None:
    text = SHIPPED.replace("list-2025", version).replace('"0.048"', f'"{hour}"')
    (root.path / "prices.yaml").write_text(text)


def test_prices_that_change_later_change_no_invoice(root: Root) -> None:
    put_prices(root, "then", "1.00")
    before = synced(root)
    put_prices(root, "now", "9.99")

    assert (before["prices"]["version"], before["total"]) == ("then", "1.200000")
    assert synced(root) == before
    assert price_events(Stores.open(root.path), KEY) == []


def test_views_that_were_lost_are_written_with_the_same_invoice(root: Root) -> None:
    put_prices(root, "then", "1.00")
    before = synced(root)
    put_prices(root, "now", "9.99")
    (root.path / f"projects/{EP}/runs/first/index.json").unlink()

    assert synced(root) == before


def test_a_faulty_price_file_holds_nothing_up_and_is_made_good(
    root: Root, caplog: pytest.LogCaptureFixture
) -> None:
    (root.path / "prices.yaml").write_text("markup_percent: 20\n")
    with caplog.at_level(logging.WARNING):
        assert synced(root) == {}
    assert "run rhobh-s05e14/first is not priced: price file prices.yaml" in caplog.text

    put_prices(root, "mended", "1.00")
    assert synced(root)["prices"]["version"] == "mended"


def test_of_two_that_price_a_run_at_once_the_first_is_believed(root: Root) -> None:
    stores, others = Stores.open(root.path), Stores.open(root.path)
    put_prices(root, "one", "1.00")
    one = price_events(stores, KEY)
    put_prices(root, "other", "2.00")
    other = price_events(others, KEY)

    stores.ledger.record(*KEY, one)
    others.ledger.record(*KEY, other)
    bill = invoice(Stores.open(root.path).ledger.facts(*KEY))
    assert bill is not None
    assert bill.prices.version == "one"
