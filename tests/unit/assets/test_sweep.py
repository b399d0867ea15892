"""A sweep goes on past a run that it cannot judge: every launch begins with one."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from screenalytics_assets.liveness import PROCESS_TAG, sweep
from screenalytics_core import layout
from screenalytics_core.processes import ProcessIdentity
from tests.stores import EP, Stores, binding

HERE = ProcessIdentity.current()
# No process starts at a time before the machine's own first one.
GONE = replace(HERE, pid=1, started_s=-7.0)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return Stores(tmp_path / "data")


def begin(instance: dg.DagsterInstance, **tags: str) -> str:
    """Add a Dagster run that has started."""
    run = dg.DagsterRun(
        job_name="any", run_id=str(uuid.uuid4()), tags=tags, status=dg.DagsterRunStatus.STARTED
    )
    return instance.add_run(run).run_id


@pytest.mark.parametrize(
    "tag",
    [
        pytest.param("7", id="number"),
        pytest.param("[" * 100_000, id="brackets without end"),
        pytest.param(json.dumps({**asdict(GONE), "pid": "x"}), id="pid is text"),
        pytest.param(json.dumps({**asdict(GONE), "started_s": None}), id="no start"),
    ],
)
def test_a_tag_that_names_no_process_hides_no_dead_run(
    tag: str, instance: dg.DagsterInstance, stores: Stores
) -> None:
    begin(instance, **{PROCESS_TAG: tag})
    dead = begin(instance, **{PROCESS_TAG: json.dumps(asdict(GONE))})

    assert sweep(instance, stores.attempts, HERE) == [dead]


@pytest.mark.parametrize("what", ["attempt", "heartbeat"])
def test_a_run_whose_files_cannot_be_read_is_left_alone_and_hides_no_other(
    what: str, instance: dg.DagsterInstance, stores: Stores
) -> None:
    elsewhere = replace(HERE, host="elsewhere")
    unclear = begin(instance, **{"dagster/partition": EP, "run_id": "r1"})
    dead = begin(instance, **{PROCESS_TAG: json.dumps(asdict(GONE))})
    stores.runs.reserve(EP, binding(), "r1")
    stores.attempts.claim(EP, "r1", unclear, elsewhere, lambda _: False)
    damage(stores, what)

    assert sweep(instance, stores.attempts, HERE) == [dead]


def damage(stores: Stores, what: str) -> None:
    if what == "heartbeat":
        beat = stores.storage.local_path(layout.heartbeat_key(EP, "r1", 1))
        beat.unlink()
        beat.mkdir()
        return
    file = stores.file("r1", "attempts/0001.json")
    record: dict[str, Any] = json.loads(file.read_text())
    file.write_text(json.dumps({**record, "claimed_at": None}))
