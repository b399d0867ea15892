"""The ledger writes every view from the log, loses nothing, and blocks nobody."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from screenalytics_core.errors import RunNotFoundError, SettingsError
from screenalytics_core.layout import (
    active_run_key,
    events_key,
    legacy_marker_key,
    run_index_key,
    run_marker_key,
    status_key,
)
from screenalytics_core.ledger.events import EventKind, LedgerEvent
from screenalytics_core.ledger.ledger import Ledger
from screenalytics_core.ledger.run_facts import RunFacts
from screenalytics_core.ledger.state import RunState
from tests.stores import EP, Stores, race
from tests.unit.ledger.view_samples import (
    Kind,
    Stage,
    Story,
    hold,
    publish_screen_time,
)

LATER = "2026-01-02T05:00:00+00:00"


class OtherTime(Ledger):
    """A ledger whose facts are those of an earlier moment, as a slow process has them."""

    stale: RunFacts | None = None

    def facts(self, ep_id: str, run_id: str, state: RunState | None = None) -> RunFacts:
        return self.stale or super().facts(ep_id, run_id, state)


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    stores = Stores(tmp_path)
    stores.run("r1")
    return stores


@pytest.fixture
def ledger(stores: Stores) -> Ledger:
    return ledger_of(stores)


def ledger_of(stores: Stores, kind: type[Ledger] = Ledger) -> Any:
    return kind(stores.storage, stores.runs, stores.attempts, stores.artifacts, clock=stores.clock)


def read(stores: Stores, key: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(stores.storage.read_bytes(key))
    return document


def status(stores: Stores, run_id: str = "r1") -> dict[str, Any]:
    return read(stores, status_key(EP, run_id))


def index(stores: Stores, run_id: str = "r1") -> dict[str, Any]:
    return read(stores, run_index_key(EP, run_id))


def legacy_marker(stores: Stores) -> dict[str, Any]:
    return read(stores, legacy_marker_key(EP, Stage.DETECT_TRACK))


def whole_run(**about: Any) -> Story:
    story = Story(**about).launched().finished(Stage.DETECT_TRACK).finished(Stage.SCREEN_TIME)
    return story.completed()


def snapshot(stores: Stores) -> dict[str, tuple[int, int]]:
    """Return each view's inode and time, which change when it is written."""
    views = [path for path in stores.root.rglob("*.json") if not path.name.startswith(".")]
    return {str(p.relative_to(stores.root)): (p.stat().st_ino, p.stat().st_mtime_ns) for p in views}


def rewritten(stores: Stores, before: dict[str, tuple[int, int]]) -> set[str]:
    after = snapshot(stores)
    return {Path(name).name for name in after if after[name] != before.get(name)}


# What is written, and when.


def test_one_recording_writes_every_view(stores: Stores, ledger: Ledger) -> None:
    publish_screen_time(stores, "r1")

    state = ledger.record(EP, "r1", whole_run())

    assert state.status == "completed"
    assert status(stores)["state"] == "completed"
    assert index(stores)["status"] == "completed"
    assert legacy_marker(stores) == read(stores, run_marker_key(EP, "r1", Stage.DETECT_TRACK))
    assert legacy_marker(stores)["status"] == "success"
    assert stores.runs.active_run_id(EP) == "r1"
    assert [row["status"] for row in ledger.registry.runs().to_pylist()] == ["success"]
    stages = ledger.registry.stage_runs().to_pylist()
    assert [(row["stage"], row["status"]) for row in stages] == [
        ("detect", "completed"),
        ("screentime", "completed"),
    ]


def test_events_that_are_known_already_render_nothing(stores: Stores, ledger: Ledger) -> None:
    story = Story().launched().started(Stage.DETECT_TRACK)
    ledger.record(EP, "r1", story)
    before = snapshot(stores)
    stores.clock.pass_s(2)

    again = ledger.record(EP, "r1", story)

    assert again.status == "running"
    assert rewritten(stores, before) == set()


def test_progress_moves_status_and_index_alone(stores: Stores, ledger: Ledger) -> None:
    story = Story().launched().started(Stage.DETECT_TRACK)
    ledger.record(EP, "r1", story)
    before, rows = snapshot(stores), ledger.registry.runs()
    stores.clock.pass_s(2)

    ledger.record(EP, "r1", story.progressed(Stage.DETECT_TRACK, 3, 9, "3 of 9"))

    assert rewritten(stores, before) == {"episode_status.json", "index.json"}
    assert ledger.registry.runs().equals(rows)
    assert status(stores)["stages"]["detect"]["progress"]["pct"] == 33.3
    assert index(stores)["message"] == "3 of 9"


def test_a_marker_whose_stage_did_not_change_is_not_written_again(
    stores: Stores, ledger: Ledger
) -> None:
    story = Story().launched().finished(Stage.DETECT_TRACK)
    ledger.record(EP, "r1", story)
    before = snapshot(stores)

    ledger.record(EP, "r1", story.started(Stage.FACES_EMBED))

    assert "faces_embed.json" in rewritten(stores, before)
    assert "detect_track.json" not in rewritten(stores, before)


def test_views_are_text_that_people_and_diff_can_read(stores: Stores, ledger: Ledger) -> None:
    story = Story().launched().started(Stage.DETECT_TRACK)
    message = "Größe \udcff unbekannt"
    ledger.record(EP, "r1", story.failed(Stage.DETECT_TRACK, message=message))

    text = stores.storage.read_bytes(status_key(EP, "r1")).decode()

    assert text.endswith("}\n")
    assert list(json.loads(text))[:4] == ["schema_version", "sequence", "episode_id", "ep_id"]
    assert "Größe" in text
    assert json.loads(text)["error"]["message"] == message


# Degrades, never blocks.


def test_a_view_that_cannot_be_written_is_named_and_the_others_are_written(
    stores: Stores, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    publish_screen_time(stores, "r1")
    # A folder where a file should be: nobody can write there, not even root.
    for key in (status_key(EP, "r1"), legacy_marker_key(EP, Stage.DETECT_TRACK)):
        stores.storage.local_path(key).mkdir(parents=True)
    for prefix in ("registry", f"projects/{EP}"):
        stores.storage.local_path(prefix).parent.mkdir(exist_ok=True)
        stores.storage.local_path(prefix).write_text("in the way")

    with caplog.at_level(logging.WARNING):
        state = ledger.record(EP, "r1", whole_run())
    failed = ledger.render(EP, "r1")

    assert state.status == "completed"
    assert failed == ["episode_status.json", "index.json", "legacy detect_track.json", "registry"]
    assert read(stores, run_marker_key(EP, "r1", Stage.DETECT_TRACK))["status"] == "success"
    assert stores.runs.active_run_id(EP) == "r1"
    for name in failed:
        assert f"{name} of run {EP}/r1 was not written" in caplog.text


def test_rendering_repairs_what_was_missing_or_damaged(stores: Stores, ledger: Ledger) -> None:
    publish_screen_time(stores, "r1")
    ledger.record(EP, "r1", whole_run())
    good = {key: stores.storage.read_bytes(key) for key in _views()}
    for number, key in enumerate(_views()):
        stores.storage.write_atomic(key, (b'{"sequence": 10', b"[]", b"\xff")[number % 3])
    stores.storage.delete(run_marker_key(EP, "r1", Stage.DETECT_TRACK))

    assert ledger.render(EP, "r1") == []

    assert {key: stores.storage.read_bytes(key) for key in _views()} == good


def _views() -> list[str]:
    return [
        status_key(EP, "r1"),
        run_index_key(EP, "r1"),
        run_marker_key(EP, "r1", Stage.DETECT_TRACK),
        legacy_marker_key(EP, Stage.DETECT_TRACK),
        active_run_key(EP),
    ]


def test_a_log_that_cannot_be_read_costs_the_views_and_nothing_else(
    stores: Stores, ledger: Ledger
) -> None:
    stores.storage.local_path(events_key(EP, "r1")).mkdir(parents=True)

    assert ledger.render(EP, "r1") == ["every view"]


# Nothing goes back.


def test_a_slow_process_does_not_turn_views_back(stores: Stores) -> None:
    story = Story().launched().started(Stage.DETECT_TRACK)
    slow, quick = ledger_of(stores, OtherTime), ledger_of(stores)
    slow.record(EP, "r1", story)
    slow.stale = slow.facts(EP, "r1")
    quick.record(EP, "r1", story.completed())

    assert slow.render(EP, "r1") == []

    assert status(stores)["state"] == "completed"
    assert index(stores)["status"] == "completed"
    assert quick.registry.runs().to_pylist()[0]["status"] == "success"


def test_a_slow_process_does_not_turn_markers_back(stores: Stores) -> None:
    story = Story().launched().started(Stage.DETECT_TRACK)
    slow, quick = ledger_of(stores, OtherTime), ledger_of(stores)
    slow.record(EP, "r1", story)
    slow.stale = slow.facts(EP, "r1")
    quick.record(EP, "r1", story.failed(Stage.DETECT_TRACK))

    slow.render(EP, "r1")

    assert legacy_marker(stores)["status"] == "failed"
    assert read(stores, run_marker_key(EP, "r1", Stage.DETECT_TRACK))["status"] == "failed"


def test_views_of_a_log_that_was_lost_are_rendered_from_what_is_left(
    stores: Stores, ledger: Ledger
) -> None:
    publish_screen_time(stores, "r1")
    hold(stores, "r1", Stage.PDF_EXPORT)
    story = Story().launched().started(Stage.DETECT_TRACK).failed(Stage.DETECT_TRACK)
    ledger.record(EP, "r1", story)
    stores.storage.delete(events_key(EP, "r1"))

    ledger.render(EP, "r1")

    assert status(stores)["sequence"] == 0
    assert (status(stores)["state"], status(stores)["is_derived"]) == ("completed", True)
    assert index(stores)["status"] == "completed"


def test_views_go_on_with_a_log_that_begins_anew(stores: Stores, ledger: Ledger) -> None:
    ledger.record(EP, "r1", whole_run())
    stores.storage.delete(events_key(EP, "r1"))

    ledger.record(EP, "r1", Story("dagster-b", 2, LATER).launched())

    assert (status(stores)["state"], status(stores)["sequence"]) == ("running", 3)
    assert index(stores)["status"] == "running"


# Several runs.


def test_an_older_run_rendered_again_does_not_displace_a_newer_ones_marker(
    stores: Stores, ledger: Ledger
) -> None:
    stores.run("r2")
    ledger.record(EP, "r1", Story().launched().finished(Stage.DETECT_TRACK))
    newer = Story("dagster-b", begins=LATER).launched().started(Stage.DETECT_TRACK)
    ledger.record(EP, "r2", newer)

    ledger.render(EP, "r1")

    assert (legacy_marker(stores)["run_id"], legacy_marker(stores)["status"]) == ("r2", "running")
    own = read(stores, run_marker_key(EP, "r1", Stage.DETECT_TRACK))
    assert (own["run_id"], own["status"]) == ("r1", "success")


def test_a_new_attempt_of_an_older_run_is_the_newest_of_its_phase(
    stores: Stores, ledger: Ledger
) -> None:
    stores.run("r2")
    ledger.record(EP, "r1", Story().launched().finished(Stage.DETECT_TRACK))
    ledger.record(EP, "r2", Story("b", begins=LATER).launched().finished(Stage.DETECT_TRACK))
    again = Story("c", 2, "2026-01-02T06:00:00+00:00").launched().started(Stage.DETECT_TRACK)

    ledger.record(EP, "r1", again)

    assert (legacy_marker(stores)["run_id"], legacy_marker(stores)["attempt"]) == ("r1", 2)


def test_a_stage_that_was_blocked_or_inherited_is_no_attempt_of_its_phase(
    stores: Stores, ledger: Ledger
) -> None:
    ledger.record(EP, "r1", Story().launched().finished(Stage.FACES_EMBED))
    stores.run("r2")
    hold(stores, "r2", Stage.CLUSTER, source="inherited")
    story = Story("b", begins=LATER).launched().planned(Stage.DETECT_TRACK, Stage.FACES_EMBED)

    ledger.record(EP, "r2", story.started(Stage.DETECT_TRACK).failed(Stage.DETECT_TRACK))

    assert read(stores, legacy_marker_key(EP, Stage.FACES_EMBED))["run_id"] == "r1"
    assert read(stores, run_marker_key(EP, "r2", Stage.FACES_EMBED))["status"] == "blocked"
    assert read(stores, run_marker_key(EP, "r2", Stage.CLUSTER))["source"] == "inherited"
    assert not stores.storage.exists(legacy_marker_key(EP, Stage.CLUSTER))


def test_the_run_reserved_last_that_made_screen_time_is_active(
    stores: Stores, ledger: Ledger
) -> None:
    stores.run("r2")
    stores.run("r3")
    publish_screen_time(stores, "r2")
    hold(stores, "r3", kinds=(Kind.SCREEN_TIME,), source="inherited")
    publish_screen_time(stores, "r1")

    for run_id in ("r3", "r2", "r1"):
        ledger.record(EP, run_id, whole_run(dagster_run_id=run_id))

    assert stores.runs.active_run_id(EP) == "r2"


def test_a_run_without_run_json_has_views_all_the_same(stores: Stores, ledger: Ledger) -> None:
    ledger.record(EP, "from-the-ui", Story(attempt=None).queued())
    hold(stores, "from-the-ui", kinds=(Kind.SCREEN_TIME,))

    assert status(stores, "from-the-ui")["state"] == "queued"
    assert index(stores, "from-the-ui")["status"] == "queued"
    assert ledger.render(EP, "from-the-ui") == []
    assert stores.runs.active_run_id(EP) is None, "nobody knows when it was reserved"


# Patches.


def test_a_patch_survives_every_rendering(stores: Stores, ledger: Ledger) -> None:
    story = Story().launched()
    ledger.record(EP, "r1", story)
    ledger.patch_index(EP, "r1", {"voice": {"voiceId": "rachel"}, "pipelineMode": "placeholder"})
    stores.clock.pass_s(1)
    ledger.patch_index(EP, "r1", {"voice": {"characters": 1500}})
    before = index(stores)

    ledger.record(EP, "r1", story.completed())
    stores.storage.delete(run_index_key(EP, "r1"))
    ledger.render(EP, "r1")

    after = index(stores)
    assert before["voice"] == after["voice"] == {"voiceId": "rachel", "characters": 1500}
    assert after["pipelineMode"] == "placeholder"
    assert (before["status"], after["status"]) == ("running", "completed")


def test_a_patch_writes_the_index_alone(stores: Stores, ledger: Ledger) -> None:
    ledger.record(EP, "r1", whole_run())
    before = snapshot(stores)
    stores.clock.pass_s(2)

    ledger.patch_index(EP, "r1", {"videoUrl": "x"})

    assert rewritten(stores, before) == {"index.json"}


def test_a_refused_patch_leaves_no_trace(stores: Stores, ledger: Ledger) -> None:
    ledger.record(EP, "r1", Story().launched())
    before = index(stores)

    with pytest.raises(SettingsError, match="status"):
        ledger.patch_index(EP, "r1", {"status": "completed", "videoUrl": "x"})

    assert ledger.log.state(EP, "r1").sequence == 3
    assert index(stores) == before


def test_a_patch_of_a_run_that_does_not_exist_makes_none(stores: Stores, ledger: Ledger) -> None:
    with pytest.raises(RunNotFoundError, match=r"rhobh-s05e14/r9"):
        ledger.patch_index(EP, "r9", {"videoUrl": "x"})

    assert not stores.storage.exists(events_key(EP, "r9"))


# Several processes.


def patch_many(root: Path, name: str, count: int) -> None:
    stores = Stores(root)
    ledger = Ledger(stores.storage, stores.runs, stores.attempts, stores.artifacts)
    for n in range(count):
        ledger.patch_index(EP, "r1", {"voice": {f"{name}-{n}": n}, name: n})


def report_many(root: Path, name: str, count: int) -> list[int]:
    """Report progress of one step of the run; return each status sequence seen on the way."""
    stores, ledger, seen = Stores(root), ledger_of(Stores(root)), []
    for n in range(1, count + 1):
        event = progress_event(name, n, count)
        ledger.record(EP, "r1", [event])
        seen.append(status(stores)["sequence"])
    return seen


def progress_event(part: str, n: int, count: int) -> LedgerEvent:
    return LedgerEvent(
        f"dagster-a/{part}/{n}", EventKind.STEP_PROGRESS, f"{LATER[:11]}05:00:{n:02d}.000000+00:00",
        "dagster-a", 100 + n, 1, Stage.DETECT_TRACK, "detect",
        {"done": n, "total": count, "message": f"{n} of {count}", "part": part},
    )  # fmt: skip


def test_patches_of_several_processes_at_once_lose_nothing(stores: Stores, ledger: Ledger) -> None:
    ledger.record(EP, "r1", Story().launched())

    race(patch_many, [(stores.root, name, 15) for name in "abcd"])

    document = index(stores)
    assert document["voice"] == {f"{name}-{n}": n for name in "abcd" for n in range(15)}
    assert [document[name] for name in "abcd"] == [14] * 4
    assert document["sequence"] == ledger.log.state(EP, "r1").sequence == 3 + 4 * 15
    assert list(document).count("status") == 1
    assert stores.leftovers() == []


def test_progress_of_several_processes_at_once_ends_exact(stores: Stores, ledger: Ledger) -> None:
    ledger.record(EP, "r1", Story().launched().started(Stage.DETECT_TRACK))

    seen = race(report_many, [(stores.root, name, 20) for name in "abcd"])

    document = status(stores)
    progress = document["stages"]["detect"]["progress"]
    assert (progress["done"], progress["total"], progress["pct"]) == (80, 80, 99.0)
    assert document["sequence"] == index(stores)["sequence"] == 4 + 4 * 20
    assert all(sequences == sorted(sequences) for sequences in seen), "no reader sees it go back"
    assert stores.leftovers() == []
