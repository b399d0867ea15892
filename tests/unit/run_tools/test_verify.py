"""`RunVerifier` over real run folders: each damage is found, named, and stays where it is."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.attempts import ProcessIdentity
from screenalytics_core.ledger.event_log import EventLog
from screenalytics_core.ledger.events import EventKind
from screenalytics_core.run_record import RunKey
from screenalytics_core.run_tools.verify import FileResult, FileStatus, RunVerifier
from tests.run_samples import finished_run, log_of, write_log
from tests.stores import EP, Stores

RUN = RunKey(EP, "first")


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    stores = Stores(tmp_path)
    finished_run(stores, "first")
    write_status(stores, sequence=3)
    return stores


def write_status(stores: Stores, **changed: Any) -> None:
    status = {"ep_id": EP, "run_id": "first", "sequence": 3, **changed}
    stores.file("first", "episode_status.json").write_text(json.dumps(status))


def verifier(stores: Stores) -> RunVerifier:
    return RunVerifier(stores.storage, stores.runs, stores.attempts, stores.artifacts)


def results(stores: Stores, key: RunKey = RUN) -> dict[str, FileResult]:
    return {result.path: result for result in verifier(stores).verify(key)}


def wrong(stores: Stores, key: RunKey = RUN) -> dict[str, str]:
    return {p: r.status.value for p, r in results(stores, key).items() if not r.status.is_fine}


def test_an_untouched_run_is_fine_file_by_file(stores: Stores) -> None:
    found = results(stores)

    assert {r.status for r in found.values()} == {FileStatus.OK}
    assert set(found) == {
        "run.json",
        "manifest.json",
        "detections.jsonl",
        "sampled_frames.npy",
        "tracks.jsonl",
        "screen_time.json",
        "screen_time.csv",
        "segments.parquet",
        "attempts/0001.json",
        "events.jsonl",
        "episode_status.json",
    }


def flip_last_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    "name",
    ["detections.jsonl", "sampled_frames.npy", "screen_time.csv", "segments.parquet"],
)
def test_one_flipped_bit_is_a_changed_file_and_no_other(name: str, stores: Stores) -> None:
    flip_last_byte(stores.file("first", name))

    assert wrong(stores) == {name: "changed"}


def test_a_file_that_is_gone_is_missing(stores: Stores) -> None:
    stores.file("first", "tracks.jsonl").unlink()

    assert wrong(stores) == {"tracks.jsonl": "missing"}


def edit_json(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def relist(stores: Stores, kind: str, **facts: Any) -> None:
    """Let the manifest say something else about an artifact's first file."""

    def change(manifest: dict[str, Any]) -> None:
        manifest["entries"][kind]["files"][0].update(facts)

    edit_json(stores.file("first", "manifest.json"), change)


def test_rows_that_the_manifest_does_not_promise_are_damage(stores: Stores) -> None:
    relist(stores, "tracks", rows=5)

    found = results(stores)["tracks.jsonl"]

    assert found.status is FileStatus.DAMAGED
    assert found.detail == "1 rows, the manifest says 5"


def test_an_array_that_is_shorter_than_its_header_says_is_damage(stores: Stores) -> None:
    path = stores.file("first", "sampled_frames.npy")
    path.write_bytes(path.read_bytes()[:-8])
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()

    def change(manifest: dict[str, Any]) -> None:
        facts = manifest["entries"]["detections"]["files"][1]
        facts.update(sha256=sha256, size_bytes=path.stat().st_size)

    edit_json(stores.file("first", "manifest.json"), change)

    assert wrong(stores)["sampled_frames.npy"] == "damaged"


def test_an_array_of_more_dimensions_counts_its_first(stores: Stores) -> None:
    stores.run("second")
    rows = np.zeros((4, 512), np.float32)
    stores.publish("second", ArtifactKind.FACES_EMBEDDINGS, {"embeddings": rows})

    assert wrong(stores, RunKey(EP, "second")) == {}


def redact(stores: Stores) -> None:
    edit_json(
        stores.file("first", "manifest.json"),
        lambda manifest: manifest["entries"]["tracks"].update(redacted=True),
    )


def test_a_redacted_artifact_is_fine_as_long_as_it_is_what_the_redaction_left(
    stores: Stores,
) -> None:
    redact(stores)
    assert results(stores)["tracks.jsonl"].status is FileStatus.REDACTED
    assert wrong(stores) == {}

    stores.file("first", "tracks.jsonl").write_bytes(b"{}\n")
    assert wrong(stores) == {"tracks.jsonl": "changed"}

    stores.file("first", "tracks.jsonl").unlink()
    assert wrong(stores) == {"tracks.jsonl": "missing"}


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        pytest.param("run.json", b"{}", "damaged", id="record is none"),
        pytest.param("run.json", None, "missing", id="record is gone"),
        pytest.param("manifest.json", b"[]", "damaged", id="manifest is none"),
        pytest.param("attempts/0001.json", b"", "damaged", id="attempt is empty"),
        pytest.param("episode_status.json", b"{}", "damaged", id="status is none"),
        pytest.param("episode_status.json", None, "missing", id="status is gone"),
        pytest.param("events.jsonl", b"\xff\n", "damaged", id="log is none"),
    ],
)
def test_a_damaged_record_is_named(
    name: str, content: bytes | None, status: str, stores: Stores
) -> None:
    path = stores.file("first", name)
    path.unlink() if content is None else path.write_bytes(content)

    found = wrong(stores)

    assert found[name] == status
    # A log that is lost makes the status file look too far ahead, and that is all.
    assert set(found) <= {name, "episode_status.json"}


def test_a_record_whose_settings_were_edited_is_changed(stores: Stores) -> None:
    edit_json(stores.file("first", "run.json"), lambda record: record["settings"].update(stride=99))

    assert wrong(stores) == {"run.json": "changed"}


def test_a_record_of_another_run_is_damage(stores: Stores) -> None:
    edit_json(stores.file("first", "run.json"), lambda record: record.update(run_id="other"))

    assert wrong(stores) == {"run.json": "damaged"}


def test_a_manifest_that_is_gone_is_missed_only_if_something_was_published(stores: Stores) -> None:
    stores.run("empty")
    write_log(stores, "empty", end=None)
    assert "manifest.json" not in results(stores, RunKey(EP, "empty"))

    published = log_of(EventKind.ARTIFACT_PUBLISHED, stores=stores, run_id="first", order=9)
    EventLog(stores.storage).append(EP, "first", published)
    stores.file("first", "manifest.json").unlink()
    assert wrong(stores) == {"manifest.json": "missing"}


def edit_log(stores: Stores, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path = stores.file("first", "events.jsonl")
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(lambda lines: [*lines[:2], lines[2][:-5]], "line 3 is torn", id="torn"),
        pytest.param(lambda lines: [lines[1], lines[0], lines[2]], "has sequence 2", id="order"),
        pytest.param(lambda lines: [lines[0], b"{}\n", lines[2]], "line 2 is no event", id="junk"),
        pytest.param(
            lambda lines: [*lines, lines[0].replace(b'"sequence": 1', b'"sequence": 4')],
            "line 4 repeats event",
            id="repeated",
        ),
    ],
)
def test_a_log_that_is_not_numbered_events_is_damaged(
    change: Callable[[list[bytes]], list[bytes]], said: str, stores: Stores
) -> None:
    edit_log(stores, change)

    found = results(stores)["events.jsonl"]

    assert found.status is FileStatus.DAMAGED
    assert said in found.detail


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"sequence": 4}, "which has 3"), ({"run_id": "other"}, f"belongs to {EP}/other")],
)
def test_a_status_that_the_log_does_not_bear_out_is_damaged(
    changed: dict[str, Any], said: str, stores: Stores
) -> None:
    write_status(stores, **changed)

    assert said in results(stores)["episode_status.json"].detail


def test_a_temporary_file_is_stray_once_it_is_old_and_its_process_gone(stores: Stores) -> None:
    temp = stores.file("first", "body_tracking/.x.json.deadbeef-1-12345678.tmp")
    temp.parent.mkdir()
    temp.touch()
    stores.clock.pass_s(3600)
    assert wrong(stores) == {}

    an_hour_ago = time.time() - 3600
    os.utime(temp, (an_hour_ago, an_hour_ago))
    assert wrong(stores) == {f"body_tracking/{temp.name}": "damaged"}

    me = ProcessIdentity.current()
    stores.attempts.claim(EP, "first", "dagster-alive", me, lambda _: False)
    temp.touch()  # claiming swept it
    os.utime(temp, (an_hour_ago, an_hour_ago))
    assert wrong(stores) == {}


def test_the_video_is_read_again_and_held_against_what_the_run_is_bound_to(stores: Stores) -> None:
    folder = stores.root / "videos" / EP
    folder.mkdir(parents=True)
    (folder / "episode.mp4").write_bytes(b"frames")

    found = results(stores)[f"videos/{EP}/episode.mp4"]

    assert found.status is FileStatus.CHANGED
    assert "a" * 64 in found.detail


def test_a_run_that_is_not_claimed_yet_has_nothing_wrong(stores: Stores) -> None:
    write_log(stores, "queued", end=None)

    assert wrong(stores, RunKey(EP, "queued")) == {"episode_status.json": "missing"}


def test_a_half_removed_run_says_so(stores: Stores) -> None:
    stores.file("first", "removal.json").touch()

    assert wrong(stores) == {"removal.json": "damaged"}


def test_every_byte_is_read_once_per_file(stores: Stores) -> None:
    counted: list[int] = []
    counting = RunVerifier(
        stores.storage, stores.runs, stores.attempts, stores.artifacts, counted.append
    )

    list(counting.verify(RUN))

    manifest = stores.artifacts.manifest(*RUN)
    assert sum(counted) == sum(entry.size_bytes for entry in manifest.entries.values())
