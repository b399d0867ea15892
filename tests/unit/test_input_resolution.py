"""The load rule, case by case, and over real stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.errors import ArtifactNotFoundError
from screenalytics_core.input_resolution import Origin, Whereabouts, choose, resolve_input
from tests.stores import EP, Stores

DETECTIONS = ArtifactKind.DETECTIONS
EVERYWHERE = {
    "in_same_run": True,
    "in_active_run": True,
    "in_materialized_run": True,
    "in_legacy": True,
}


@pytest.mark.parametrize(
    ("found", "origin"),
    [
        pytest.param(
            Whereabouts(**EVERYWHERE, is_tagged=True, in_tagged_run=True),
            Origin.SAME_RUN,
            id="the same run beats everything",
        ),
        pytest.param(
            Whereabouts(**{**EVERYWHERE, "in_same_run": False}, is_tagged=True, in_tagged_run=True),
            Origin.UPSTREAM_TAG,
            id="then the run that was named",
        ),
        pytest.param(
            Whereabouts(**{**EVERYWHERE, "in_same_run": False}, is_tagged=True),
            None,
            id="a named run that lacks it is not replaced by another",
        ),
        pytest.param(
            Whereabouts(in_active_run=True, in_materialized_run=True, in_legacy=True),
            Origin.ACTIVE_RUN,
            id="then the active run",
        ),
        pytest.param(
            Whereabouts(in_materialized_run=True, in_legacy=True),
            Origin.MATERIALIZED,
            id="then the latest materialization",
        ),
        pytest.param(Whereabouts(in_legacy=True), Origin.LEGACY, id="then a legacy manifest"),
        pytest.param(Whereabouts(), None, id="else nothing"),
    ],
)
def test_where_an_input_comes_from(found: Whereabouts, origin: Origin | None) -> None:
    assert choose(found) is origin


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    """A run that asks, and four places that could answer, told apart by their row counts."""
    stores = Stores(tmp_path / "data")
    for run_id, rows in (("tagged", 1), ("active", 2), ("materialized", 3)):
        stores.run(run_id)
        stores.publish_detections(run_id, count=rows)
    stores.run("asking")
    stores.runs.activate(EP, "active")
    return stores


def rows(stores: Stores, **named: str) -> int:
    ref = resolve_input(stores.artifacts, EP, "asking", DETECTIONS, **named)
    return int(ref.read().num_rows)


def test_each_place_answers_in_turn(stores: Stores) -> None:
    everything = {"upstream_run_id": "tagged", "materialized_run_id": "materialized"}
    assert rows(stores, **everything) == 1
    assert rows(stores, materialized_run_id="materialized") == 2

    stores.storage.delete(f"manifests/{EP}/runs/active_run.json")
    assert rows(stores, materialized_run_id="materialized") == 3

    legacy = stores.file("tagged", "detections.jsonl").read_bytes()
    stores.storage.write_atomic(f"manifests/{EP}/detections.jsonl", legacy)
    assert rows(stores) == 1
    assert resolve_input(stores.artifacts, EP, "asking", DETECTIONS).is_legacy

    stores.publish_detections("asking", count=5)
    assert rows(stores, **everything) == 5


def test_a_named_run_without_it_fails_and_is_named(stores: Stores) -> None:
    with pytest.raises(ArtifactNotFoundError, match="is not in the run nothing that screenalytics"):
        rows(stores, upstream_run_id="nothing")


def test_an_input_that_is_nowhere_fails_with_the_way_out(stores: Stores) -> None:
    with pytest.raises(ArtifactNotFoundError, match="Run the stage that makes it first"):
        resolve_input(stores.artifacts, EP, "asking", ArtifactKind.CAST)
