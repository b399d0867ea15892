"""`runs diff|export|verify|gc|replay` as a stranger meets them, on a run that really ran."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from screenalytics_assets.engine import EpisodeRunResult, Launch, PipelineStage, run_episode
from screenalytics_assets.instance import open_instance
from screenalytics_assets.replay import Verdict, compare_manifests, replay_run
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_assets.sync import sync
from screenalytics_core.errors import ModelError, RunExistsError, VideoChangedError
from screenalytics_core.run_record import RunKey
from tests.integration.support import EP_ID, CopyFinished, balanced, content

pytestmark = pytest.mark.models
Finished = tuple[Settings, EpisodeRunResult]
FIRST = RunKey(EP_ID, "first")


def runs(*arguments: str | Path, root: Path) -> subprocess.CompletedProcess[str]:
    """Run `screenalytics runs ...` in a process of its own."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    env |= {"SCREENALYTICS_DATA_ROOT": str(root), "DAGSTER_HOME": str(root / ".dagster")}
    script = "from screenalytics_assets.cli import main; main()"
    command = [sys.executable, "-c", script, "runs", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False)


def said(*arguments: str | Path, root: Path, status: int = 0) -> Any:
    done = runs(*arguments, "--json", root=root)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def mine(copy_finished: CopyFinished, tmp_path: Path) -> Settings:
    """A copy of the finished root, to be changed at will."""
    return copy_finished(tmp_path / "data")


@pytest.mark.parametrize("command", ["diff", "export", "verify", "gc", "replay"])
def test_every_command_shows_an_example(command: str, tmp_path: Path) -> None:
    done = runs(command, "--help", root=tmp_path)

    assert done.returncode == 0
    assert f"Example: screenalytics runs {command}" in done.stdout


def test_a_finished_run_verifies_and_a_flipped_bit_is_found(mine: Settings) -> None:
    found = said("verify", "--all", root=mine.data_root)
    assert found["ok"]
    checked = {f["path"] for f in found["runs"][0]["files"]}
    assert {"report.pdf", "events.jsonl", f"videos/{EP_ID}/episode.mp4"} <= checked

    path = mine.data_root / "manifests" / EP_ID / "runs" / "first" / "faces.jsonl"
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))

    found = said("verify", "first", root=mine.data_root, status=1)
    wrong = [f for f in found["runs"][0]["files"] if f["status"] != "ok"]
    assert [(f["path"], f["status"]) for f in wrong] == [("faces.jsonl", "changed")]
    assert "faces.jsonl" in runs("verify", "first", root=mine.data_root).stdout


def test_verify_wants_to_know_what(tmp_path: Path) -> None:
    assert runs("verify", root=tmp_path).returncode == 2


def test_an_exported_run_checks_itself_and_is_named_in_the_run_index(mine: Settings) -> None:
    out = mine.data_root / "exports" / "first.zip"

    first = said("export", "first", "--with-video", "--out", out, root=mine.data_root)
    again = said("export", "first", "--with-video", "--out", out, root=mine.data_root)
    third = said("export", "first", "--with-video", "--out", out, root=mine.data_root)

    checked = subprocess.run([sys.executable, "-I", str(out)], capture_output=True, check=False)
    assert checked.returncode == 0
    with zipfile.ZipFile(out) as bundle:
        assert {"report.pdf", "video/episode.mp4", "run.json"} <= set(bundle.namelist())
    index = mine.data_root / "projects" / EP_ID / "runs" / "first" / "index.json"
    assert json.loads(index.read_text())["exportBundleKey"] == "exports/first.zip"
    # Being named is itself an event of the run, so the bytes settle with the second bundle.
    assert first["sha256"] != again["sha256"]
    assert again["sha256"] == third["sha256"]


def test_diff_compares_a_run_with_another(mine: Settings) -> None:
    other = run_episode(
        EP_ID, None, balanced(min_track_samples=8), settings=mine, launch=Launch(run_id="other")
    )
    assert other.success, other.error

    found = said("diff", f"{EP_ID}/first", "other", root=mine.data_root)

    assert [s["name"] for s in found["settings"]] == ["min_track_samples"]
    equal = {x["kind"]: x["equal"] for x in found["artifacts"]}
    assert equal["detections"]
    assert found["video"]["equal"]
    assert found["stages"][0]["a"]["status"] == "success"
    assert found["a"]["problems"] == []
    shown = runs("diff", "first", "other", root=mine.data_root)
    assert shown.returncode == 0, shown.stderr
    assert "min_track_samples" in shown.stdout


def test_diff_of_a_run_that_does_not_exist_fails(mine: Settings) -> None:
    done = runs("diff", "first", "nobody", root=mine.data_root)

    assert done.returncode == 1
    assert "nobody" in done.stderr


def test_gc_removes_only_when_told_to_and_sync_brings_no_ghost_back(mine: Settings) -> None:
    second = run_episode(EP_ID, None, balanced(), settings=mine, launch=Launch(run_id="second"))
    assert second.success, second.error
    root = mine.data_root
    folder = root / "manifests" / EP_ID / "runs"

    dry = said("gc", "--keep", "0", root=root)
    assert [r["run_id"] for r in dry["remove"]] == ["first"]
    assert [(r["run_id"], r["reason"]) for r in dry["keep"]] == [
        ("second", "the active run of its episode")
    ]
    assert dry["dry_run"]
    assert (folder / "first").exists()
    # What `second` took over from `first`, by hard links, is not really freed.
    files = [path.stat() for path in (folder / "first").rglob("*") if path.is_file()]
    shared = sum(stat.st_size for stat in files if stat.st_nlink > 1)
    assert shared > 0
    assert dry["freed_bytes"] <= dry["remove"][0]["size_bytes"] - shared

    said("gc", "--keep", "0", "--keep", "first", "--yes", root=root)
    assert (folder / "first").exists()
    done = said("gc", "--keep", "0", "--yes", root=root)
    assert [r["run_id"] for r in done["remove"]] == ["first"]
    assert not (folder / "first").exists()

    with open_instance(mine.dagster_home) as instance:
        report = sync(instance, Stores.open(root))
    assert report.problems == []
    assert not (folder / "first").exists()
    assert said("verify", "--all", root=root)["ok"]
    listed = Stores.open(root).ledger.registry.runs()["run_id"].to_pylist()
    assert listed == ["second"]
    marker = json.loads((folder / "detect_track.json").read_text())
    assert marker["run_id"] == "second"


@pytest.mark.parametrize(
    "wrong", [("--older-than", "soon"), ("--status", "tired"), ("--ep", "../x")]
)
def test_gc_refuses_what_it_does_not_understand(wrong: tuple[str, str], tmp_path: Path) -> None:
    assert runs("gc", *wrong, root=tmp_path).returncode == 2


def test_a_fresh_replay_has_the_same_bytes_and_is_a_run_of_its_own(mine: Settings) -> None:
    found = said("replay", "first", "--fresh", "--run-id", "again", root=mine.data_root)

    verdicts = {a["kind"]: a["verdict"] for a in found["replay"]["artifacts"]}
    assert verdicts.pop("report") == "differs_by_run_id"
    assert set(verdicts.values()) == {"identical"}
    assert found["replay"]["reproduced"]
    old, new = content(mine, "first"), content(mine, "again")
    for name in ("report.pdf", "report.html"):
        assert old.pop(name) != new.pop(name)  # it names the run
    assert old == new
    state = Stores.open(mine.data_root).ledger.log.state(EP_ID, "again")
    assert state.current is not None
    assert state.current.parent_run_id == "first"


def test_a_replay_reuses_what_is_equal_and_takes_settings_from_the_record(mine: Settings) -> None:
    odd = balanced(stride=7, min_face_px=33)
    run_episode(EP_ID, None, odd, settings=mine, launch=Launch(run_id="odd"))

    done = replay_run(RunKey(EP_ID, "odd"), settings=mine)

    assert done.result.success, done.result.error
    verdicts = {a.kind: a.verdict for a in done.artifacts}
    assert verdicts["tracks"] is Verdict.REUSED
    record = Stores.open(mine.data_root).runs.require(EP_ID, done.result.run_id)
    assert (record.settings["stride"], record.settings["min_face_px"]) == (7, 33)


def test_a_replay_of_a_partial_run_has_its_stages_and_its_inputs(mine: Settings) -> None:
    part = run_episode(
        EP_ID,
        None,
        balanced(),
        stages=(PipelineStage.CLUSTER,),
        settings=mine,
        launch=Launch(run_id="part"),
    )
    assert part.success, part.error

    done = replay_run(RunKey(EP_ID, "part"), settings=mine, fresh=True)

    assert done.result.success, done.result.error
    assert {a.verdict for a in done.artifacts} <= {Verdict.IDENTICAL, Verdict.REUSED}
    assert [s.stage for s in done.result.stages] == ["cluster"]


def edit_record(settings: Settings, **changed: Any) -> None:
    path = settings.data_root / "manifests" / EP_ID / "runs" / "first" / "run.json"
    record = json.loads(path.read_text())
    record.update(changed)
    path.write_text(json.dumps(record))


def test_a_replay_with_another_video_is_refused_and_both_are_named(mine: Settings) -> None:
    record = Stores.open(mine.data_root).runs.require(*FIRST)
    edit_record(mine, video={**record.video, "sha256": "c" * 64})

    with pytest.raises(VideoChangedError) as raised:
        replay_run(FIRST, settings=mine)

    assert "c" * 64 in str(raised.value)
    assert record.video["sha256"] in str(raised.value)


def test_a_replay_with_other_models_is_refused_and_both_are_named(mine: Settings) -> None:
    record = Stores.open(mine.data_root).runs.require(*FIRST)
    files = [dict(f) for f in record.models["files"]]
    old, files[0]["sha256"] = files[0]["sha256"], "d" * 64
    edit_record(mine, models={**record.models, "files": files})

    with pytest.raises(ModelError) as raised:
        replay_run(FIRST, settings=mine)

    assert "d" * 64 in str(raised.value)
    assert old in str(raised.value)


def test_a_replay_is_never_an_old_run(mine: Settings) -> None:
    with pytest.raises(RunExistsError):
        replay_run(FIRST, settings=mine, run_id="first")


def test_what_differs_is_told_from_what_follows_and_what_had_other_inputs(
    mine: Settings,
) -> None:
    old = Stores.open(mine.data_root).artifacts.manifest(*FIRST)
    record = old.to_dict()
    entries = record["entries"]
    other = "e" * 64
    for kind in ("detections", "tracks", "shots"):
        entries[kind] = json.loads(json.dumps(entries[kind]))
        entries[kind]["files"][0]["sha256"] = other
    entries["tracks"]["fingerprint"] = entries["shots"]["fingerprint"] = other
    del entries["screen_time"]
    new = type(old).from_dict(json.loads(json.dumps(record)))

    found = {a.kind: a.verdict for a in compare_manifests(old, new)}

    assert found["detections"] is Verdict.DIFFERENT
    assert found["tracks"] is Verdict.FOLLOWS
    assert found["shots"] is Verdict.OTHER_INPUTS
    assert found["screen_time"] is Verdict.MISSING
    assert found["identities"] is Verdict.IDENTICAL
