"""Records of another shape: perhaps valid JSON, but refused by name before anybody relies on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from screenalytics_core.errors import ArtifactCorruptError
from tests.stores import EP, Stores, binding

BRACKETS = "[" * 100_000


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    stores = Stores(tmp_path / "data")
    stores.runs.reserve(EP, binding(), "r1")
    stores.claim("r1", "dagster-1")
    return stores


def change(file: Path, *names: str, to: Any) -> None:
    record = json.loads(file.read_text())
    inner = record
    for name in names[:-1]:
        inner = inner[name]
    inner[names[-1]] = to
    file.write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("names", "value"),
    [
        pytest.param(["created_at"], 5, id="time is a number"),
        pytest.param(["created_at"], "yesterday", id="no time"),
        pytest.param(["created_at"], "0001-01-01T00:00:00+14:00", id="before all time"),
        pytest.param(["created_at"], "2026-01-02T03:04:05", id="no time zone"),
        pytest.param(["settings"], [], id="settings are a list"),
        pytest.param(["video"], None, id="no video"),
        pytest.param(["video", "size_bytes"], "large", id="size is text"),
        pytest.param(["video", "duration_s"], float("nan"), id="length is NaN"),
        pytest.param(["video", "sha256"], 7, id="video hash is a number"),
        pytest.param(["models", "files"], [{"role": "face_detector"}], id="model without a hash"),
        pytest.param(["models", "files"], [7], id="model is a number"),
        pytest.param(["code_ref"], {}, id="code_ref is an object"),
        pytest.param(["settings", "device"], "\ud800", id="half a character"),
    ],
)
def test_a_run_record_of_another_shape_is_damaged(
    names: list[str], value: Any, stores: Stores
) -> None:
    change(stores.file("r1", "run.json"), *names, to=value)

    with pytest.raises(ArtifactCorruptError, match=r"run\.json: is damaged"):
        stores.runs.get(EP, "r1")


@pytest.mark.parametrize(
    ("names", "value"),
    [
        pytest.param(["n"], None, id="no number"),
        pytest.param(["n"], True, id="number is a truth"),
        pytest.param(["dagster_run_id"], [1], id="Dagster run is a list"),
        pytest.param(["claimed_at"], "now", id="no time"),
        pytest.param(["process"], None, id="no process"),
        pytest.param(["process", "pid"], "42", id="pid is text"),
        pytest.param(["process", "started_s"], None, id="no start"),
    ],
)
def test_an_attempt_of_another_shape_is_damaged(
    names: list[str], value: Any, stores: Stores
) -> None:
    change(stores.file("r1", "attempts/0001.json"), *names, to=value)

    with pytest.raises(ArtifactCorruptError, match=r"0001\.json: is damaged"):
        stores.attempts.newest(EP, "r1")


def test_an_attempt_of_another_run_is_not_taken_for_this_ones(stores: Stores) -> None:
    change(stores.file("r1", "attempts/0001.json"), "run_id", to="r2")

    with pytest.raises(ArtifactCorruptError, match=f"is attempt 1 of {EP}/r2"):
        stores.attempts.newest(EP, "r1")


def test_a_heartbeat_out_of_time_is_no_beat(stores: Stores) -> None:
    stores.file("r1", "attempts/0001.heartbeat").write_text("0001-01-01T00:00:00+14:00")
    attempt = stores.attempts.get(EP, "r1", 1)
    stores.clock.pass_s(7)

    assert stores.attempts.heartbeat_age_s(attempt) == 7


def test_brackets_without_end_are_damage_like_any_other(stores: Stores) -> None:
    for name in ("run.json", "manifest.json"):
        stores.file("r1", name).write_text(BRACKETS)

    with pytest.raises(ArtifactCorruptError):
        stores.runs.get(EP, "r1")
    with pytest.raises(ArtifactCorruptError):
        stores.artifacts.manifest(EP, "r1")


def test_an_artifact_without_a_file_is_none(stores: Stores) -> None:
    stores.publish_detections("r1")
    change(stores.file("r1", "manifest.json"), "entries", "detections", "files", to=[])

    with pytest.raises(ArtifactCorruptError, match="detections has no file"):
        stores.artifacts.manifest(EP, "r1")
