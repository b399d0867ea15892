"""Crashes, rows that do not conform and damaged files: nothing is lost, nobody is blocked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from screenalytics_core.errors import ArtifactCorruptError, SchemaMismatchError
from screenalytics_core.storage.local import LocalStorage
from tests.registry_rows import Desk, keys_of, run_row_of, stage_row_of
from tests.stores import EP


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# Crashes


class CrashingStorage(LocalStorage):
    """Ends the process, as it were, before its n-th change."""

    def __init__(self, root: Path, changes: int) -> None:
        super().__init__(root)
        self.left = changes

    def _step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt

    def write_atomic(self, key: str, data: Any) -> None:
        self._step()
        super().write_atomic(key, data)

    def delete(self, key: str, *, durable: bool = False) -> None:
        self._step()
        super().delete(key, durable=durable)


@pytest.mark.parametrize("changes", range(5))
def test_a_crash_at_any_step_of_folding_loses_nothing(tmp_path: Path, changes: int) -> None:
    desk = Desk(tmp_path)
    desk.registry.record(run_row_of("zero"), [])
    for run_id in ("first", "second", "third"):
        desk.registry.record(run_row_of(run_id), [stage_row_of(run_id)])
    whole = desk.registry.runs(), desk.registry.stage_runs()

    with pytest.raises(KeyboardInterrupt):
        Desk(tmp_path, CrashingStorage(tmp_path, changes)).registry.publish(wait=False)

    assert desk.registry.runs().equals(whole[0])
    assert desk.registry.stage_runs().equals(whole[1])
    desk.registry.publish(wait=False)
    assert desk.notices() == []
    assert desk.registry.runs().equals(whole[0])
    assert desk.registry.stage_runs().equals(whole[1])


# What does not conform, and what is damaged


@pytest.mark.parametrize(
    ("run", "stages", "reason"),
    [
        pytest.param({"status": "great"}, [], "status: 'great' is none of", id="word"),
        pytest.param({"run_type": "ingest"}, [], "is not 'episode'", id="constant"),
        pytest.param({"created_ts": "2026-01-02"}, [], "does not match", id="time"),
        pytest.param({"people": -1}, [], "is below 0", id="range"),
        pytest.param({"ep_id": None}, [], "null", id="null"),
        pytest.param({"primary_outputs": ["/etc/passwd"]}, [], "does not match", id="path"),
        pytest.param({"screen_time_s": float("nan")}, [], "not JSON compliant", id="NaN"),
        pytest.param({}, [{"attempt": None}], "null", id="stage"),
        pytest.param({}, [{"run_id": "other"}], "rows of several runs", id="stage of another"),
    ],
)
def test_a_row_that_does_not_conform_is_refused_and_leaves_no_trace(
    desk: Desk, run: dict[str, Any], stages: list[dict[str, Any]], reason: str
) -> None:
    rows = [{**stage_row_of(), **changed} for changed in stages]

    with pytest.raises(SchemaMismatchError, match=reason):
        desk.registry.record({**run_row_of(), **run}, rows)

    assert desk.registry.runs().num_rows == 0
    assert desk.notices() == []


def test_unknown_and_missing_columns_are_refused(desk: Desk) -> None:
    with pytest.raises(SchemaMismatchError, match="unknown columns"):
        desk.registry.record({**run_row_of(), "note": "x"}, [])
    with pytest.raises(SchemaMismatchError, match="run_id"):
        desk.registry.record({k: v for k, v in run_row_of().items() if k != "run_id"}, [])


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"run": {', id="torn"),
        pytest.param(b"[1, 2]", id="not an object"),
        pytest.param(b'{"run": {"run_id": "x"}, "stages": []}', id="not a row"),
        pytest.param(b'{"run": 1, "stages": 2}', id="no rows"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"[" * 100_000, id="brackets without end"),
    ],
)
def test_a_damaged_notice_is_set_aside_and_blocks_nobody(
    desk: Desk, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    desk.registry.record(run_row_of("first"), [])
    desk.registry.record(run_row_of("second"), [stage_row_of("second")])
    (desk.root / "registry" / "_log" / "0-bad.json").write_bytes(content)

    assert keys_of(desk.registry.runs()) == [(EP, "first"), (EP, "second")]
    desk.registry.publish(wait=False)

    assert desk.published() == [(EP, "first"), (EP, "second")]
    assert desk.notices() == []
    assert [path.read_bytes() for path in desk.set_aside()] == [content]
    assert "0-bad.json does not count" in caplog.text


Damage = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: content[: len(content) // 2], id="truncated"),
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: b"PAR1 but nothing else", id="foreign"),
        pytest.param(lambda content: content[:90] + b"\0" + content[91:], id="one byte"),
    ],
)
def test_a_damaged_file_is_refused_by_readers_kept_and_begun_anew(
    desk: Desk, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(50):
        desk.registry.record(run_row_of(f"old-{n}"), [])
    desk.registry.publish(wait=False)
    damaged = damage(desk.runs_file.read_bytes())
    desk.runs_file.write_bytes(damaged)

    with pytest.raises(ArtifactCorruptError, match="screenalytics runs sync"):
        desk.registry.runs()
    desk.clock.pass_s(3600)  # longer than any publishing on a busy machine asks for
    desk.registry.record(run_row_of("new"), [])

    assert desk.published() == [(EP, "new")]
    assert [path.read_bytes() for path in desk.set_aside()] == [damaged]
    assert "screenalytics runs sync" in caplog.text


def test_a_file_with_other_columns_counts_as_damaged(desk: Desk) -> None:
    desk.runs_file.parent.mkdir(parents=True)
    pd.DataFrame({"run_id": ["x"]}).to_parquet(desk.runs_file)

    with pytest.raises(ArtifactCorruptError, match="missing columns"):
        desk.registry.runs()
