"""`diff_runs` over real run folders: what differs is named, what is damaged stops nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from screenalytics_core.errors import RunNotFoundError
from screenalytics_core.ledger.event_log import EventLog
from screenalytics_core.run_record import RunKey
from screenalytics_core.run_tools.diff import diff_runs, load_side
from screenalytics_core.run_tools.naming import find_run
from tests.run_samples import finished_run, publish_screen_time, seen_person, write_log
from tests.stores import EP, Stores, binding


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return Stores(tmp_path)


def difference(stores: Stores, a: str = "a", b: str = "b") -> dict[str, Any]:
    log = EventLog(stores.storage)
    sides = [
        load_side(stores.storage, stores.runs, stores.artifacts, log, RunKey(EP, run_id))
        for run_id in (a, b)
    ]
    document = diff_runs(*sides)
    json.dumps(document, allow_nan=False)  # whatever it says, it is plain data
    return document


def test_equal_runs_differ_in_nothing_but_their_ids(stores: Stores) -> None:
    finished_run(stores, "a")
    finished_run(stores, "b")

    found = difference(stores)

    assert (found["a"]["run_id"], found["b"]["run_id"]) == ("a", "b")
    assert found["settings"] == []
    assert found["video"]["equal"]
    assert found["code_ref"]["equal"]
    assert all(m["equal"] for m in found["models"])
    assert all(x["equal"] for x in found["artifacts"])
    assert [p["difference_s"] for p in found["screen_time"]["people"]] == [0]
    assert found["a"]["problems"] == found["b"]["problems"] == []


def test_settings_that_differ_are_listed_and_launch_settings_told_apart(stores: Stores) -> None:
    finished_run(stores, "a")
    finished_run(stores, "b", min_face_px=33, workers=2)

    assert difference(stores)["settings"] == [
        {"name": "min_face_px", "a": 20, "b": 33, "only_at_launch": False},
        {"name": "workers", "a": 0, "b": 2, "only_at_launch": True},
    ]


def test_another_video_and_another_model_are_seen(stores: Stores) -> None:
    stores.run("a")
    stores.runs.reserve(EP, binding(video_sha256="c" * 64, model_sha256="d" * 64), "b")

    found = difference(stores)

    assert not found["video"]["equal"]
    assert found["models"] == [
        {
            "role": "face_detector",
            "a": {"name": None, "sha256": "b" * 64},
            "b": {"name": None, "sha256": "d" * 64},
            "equal": False,
        }
    ]


def test_artifacts_are_compared_by_rows_and_bytes(stores: Stores) -> None:
    finished_run(stores, "a")
    stores.run("b")
    stores.publish_detections("b", count=5)

    found = {x["kind"]: x for x in difference(stores)["artifacts"]}

    assert (found["detections"]["a"]["rows"], found["detections"]["b"]["rows"]) == (3, 5)
    assert not found["detections"]["equal"]
    assert found["tracks"]["b"] is None
    assert not found["tracks"]["equal"]


def test_screen_time_names_differences_and_who_is_only_in_one(stores: Stores) -> None:
    for run_id in ("a", "b"):
        stores.run(run_id)
        write_log(stores, run_id)
    publish_screen_time(
        stores, "a", seen_person("id_0001", (0, 10), label="Kim"), seen_person("id_0002", (30, 33))
    )
    publish_screen_time(
        stores, "b", seen_person("id_0001", (50, 70)), seen_person("id_0002", (0, 9), label="Kim")
    )

    found = difference(stores)["screen_time"]

    assert [(p["a"]["label"], p["matched_by"]) for p in found["people"]] == [("Kim", "cast_id")]
    assert found["people"][0]["difference_s"] == -1
    assert [(p["identity_id"], p["total_s"]) for p in found["only_a"]] == [("id_0002", 3)]
    assert [(p["identity_id"], p["total_s"]) for p in found["only_b"]] == [("id_0001", 20)]
    assert found["covered_s"]["difference_s"] == 16
    assert "cast_id" in found["matched_by"]


@pytest.mark.parametrize(
    ("name", "content", "lost"),
    [
        pytest.param("run.json", b"{}", "settings", id="damaged record"),
        pytest.param("run.json", None, "settings", id="missing record"),
        pytest.param("manifest.json", b"", "artifacts", id="damaged manifest"),
        pytest.param("screen_time.json", b"{}", "screen_time", id="damaged screen time"),
        pytest.param("screen_time.json", None, "screen_time", id="missing screen time"),
        pytest.param("tracks.jsonl", None, "nothing", id="missing tracks"),
    ],
)
def test_damage_is_named_and_the_rest_is_compared(
    name: str, content: bytes | None, lost: str, stores: Stores
) -> None:
    finished_run(stores, "a")
    finished_run(stores, "b", min_face_px=33)
    whole = difference(stores)
    file = stores.file("b", name)
    file.unlink() if content is None else file.write_bytes(content)

    found = difference(stores)

    problems = found["b"]["problems"]
    assert len(problems) == 1
    # A run without its record is named by its run_id.
    assert name in problems[0] or f"{EP}/b" in problems[0]
    assert found["a"]["problems"] == []
    for part in {"settings", "artifacts", "screen_time"} - {lost}:
        if (lost, part) != ("artifacts", "screen_time"):
            assert found[part] == whole[part]


def test_a_run_is_found_by_its_folder_although_its_record_is_damaged(stores: Stores) -> None:
    finished_run(stores, "a")
    stores.file("a", "run.json").write_bytes(b"junk")

    assert find_run(stores.storage, stores.runs, f"{EP}/a") == (EP, "a")
    with pytest.raises(RunNotFoundError):
        find_run(stores.storage, stores.runs, f"{EP}/nobody")
