"""`runs tail|list|show|stats` and `status` over a data root whose runs are told, not computed."""

from __future__ import annotations

import json
import re
import select
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from screenalytics_core import layout
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.ledger.events import EventKind
from screenalytics_core.processes import ProcessIdentity
from screenalytics_core.stages import PipelineStage
from tests.command_line import (
    command,
    environment,
    in_this_process,
    on_terminal,
    screenalytics,
)
from tests.run_samples import publish_screen_time, seen_person
from tests.run_stories import EP, PROCESS, Story
from tests.told_runs import Root

DETECT, FACES = PipelineStage.DETECT_TRACK, PipelineStage.FACES_EMBED
BARE = "nobody-s01e01"


def run(root: Root, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return in_this_process(*arguments, data_root=root.path)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path / "data")


def completed(run_id: str, **given: object) -> Story:
    story = Story(run_id, **given).begin(tags=["season=5"])  # type: ignore[arg-type]
    return story.stage(DETECT, 4, rows_out=1200, frames=60).stage(FACES, 2).complete()


def failed(run_id: str, message: str = "the disk is full") -> Story:
    story = Story(run_id, now=datetime(2026, 11, 22, tzinfo=UTC)).begin()
    return story.stage(DETECT, 4, "checkpoint").fail(FACES, 2, "disk_space", message)


def dead_process() -> ProcessIdentity:
    """Return a process of this machine that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return replace(ProcessIdentity.current(), pid=ended.pid)


def running(run_id: str, process: ProcessIdentity) -> Story:
    return Story(run_id).begin(process=asdict(process)).start(DETECT)


def test_the_tail_shows_the_newest_stage_attempts_and_counts_all(root: Root) -> None:
    root.tell(completed("first"))
    root.tell(failed("second", "full\nand more"))

    done = run(root, "runs", "tail", "--n", "2")

    head, *lines = done.stdout.splitlines()
    assert head.split() == [
        "run_id", "ep_id", "stage", "status", "source", "started_at", "duration", "rows_in",
        "rows_out", "error",
    ]  # fmt: skip
    assert [line.split()[:5] for line in lines] == [
        ["second", EP, "detect", "completed", "checkpoint"],
        ["second", EP, "faces", "failed", "-"],
    ]
    assert "2026-11-22 00:00:" in lines[0]
    assert lines[1].endswith("disk_space: full")
    assert "3 completed, 1 failed" in done.stderr


def test_a_run_id_of_the_tail_can_be_shown(root: Root) -> None:
    root.tell(completed("20261121_103000_0a1b2c3d"))

    tail = run(root, "runs", "tail", "--json")
    run_id = json.loads(tail.stdout)["stage_runs"][-1]["run_id"]
    shown = run(root, "runs", "show", run_id)

    assert shown.returncode == 0, shown.stderr
    assert f"{EP}/20261121_103000_0a1b2c3d" in shown.stdout


def test_an_empty_registry_is_no_error(root: Root) -> None:
    for arguments in (["tail"], ["list"], ["stats"], ["tail", "--json"], ["list", "--json"]):
        done = run(root, "runs", *arguments)

        assert done.returncode == 0, done.stderr
        assert "--json" in arguments or "nothing ran yet" in done.stderr
    assert not root.path.exists()


def test_on_a_terminal_the_state_has_a_colour_and_the_run_id_stays_whole(root: Root) -> None:
    run_id = "20261122_000000_0a1b2c3d_with_a_long_name"
    root.tell(failed(run_id))

    shown = on_terminal("runs", "tail", data_root=root.path, columns=100)

    assert "\x1b[1;31mfailed" in shown
    assert run_id in shown


def test_hostile_text_reaches_no_terminal(root: Root) -> None:
    root.tell(failed("first", "\x1b[2Jgone [/bold] [red]x"))

    for arguments in (["runs", "tail"], ["runs", "show", "first"], ["status", f"{EP}/first"]):
        shown = on_terminal(*arguments, data_root=root.path, columns=300)

        assert "\x1b[2J" not in shown
        assert "gone [/bold] [red]x" in shown


def test_runs_are_listed_by_stage_status_time_and_episode(root: Root) -> None:
    root.tell(completed("fine"))
    root.tell(failed("broken"))

    def listed(*arguments: str) -> list[str]:
        done = run(root, "runs", "list", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        return [row["run_id"] for row in json.loads(done.stdout)]

    assert listed() == ["broken", "fine"]
    assert listed("--n", "1") == ["broken"]
    assert listed("--status", "succeeded") == ["fine"]
    assert listed("--stage", "faces_embed", "--status", "error") == ["broken"]
    assert listed("--stage", "detect", "--status", "complete") == ["broken", "fine"]
    assert listed("--stage", "cluster") == []
    assert listed("--since", "1d", "--ep", EP.upper()) == []
    assert listed("--ep", BARE) == []


def test_a_list_for_people_has_one_line_per_run(root: Root) -> None:
    root.tell(completed("fine"))
    publish_screen_time(root.stores, "fine", seen_person("id_0001", (0, 4), label="Ana"))
    root.ledger.render(EP, "fine")

    _, line = run(root, "runs", "list").stdout.splitlines()

    assert line.split()[:3] == ["fine", EP, "completed"]
    assert " 4.00 " in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--since", "yesterday"), "2026-11-01"),
        (("list", "--status", "fine"), "queued, running, completed"),
        (("list", "--stage", "dance"), "cluster"),
        (("list", "--stage", "faces", "--status", "queued"), "leave --stage out"),
        (("tail", "--n", "0"), "--n"),
        (("stats", "--ep", "../x"), "../x"),
        (("show", "../x"), "'..'"),
        (("show", "a/b", "page.html"), "--html"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...], said: str, root: Root) -> None:
    done = run(root, "runs", *arguments)

    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stdout == ""


def test_show_tells_everything_of_a_run(root: Root) -> None:
    root.tell(failed("broken", "the disk is full\nfree 3 GB"))
    root.stores.publish_detections("broken")
    publish_screen_time(root.stores, "broken", seen_person("id_0001", (0, 4), label="Ana"))

    done = run(root, "runs", "show", f"{EP}/broken")

    assert done.returncode == 0, done.stderr
    for part in ("failed", "stride", "checkpoint", "free 3 GB", "detections.jsonl", "Ana"):
        assert part in done.stdout, part


def test_show_as_json_is_the_whole_run(root: Root) -> None:
    root.tell(completed("fine"))

    shown = json.loads(run(root, "runs", "show", "fine", "--json").stdout)

    assert shown["run"]["status"] == "completed"
    assert [s["stage"] for s in shown["stages"]] == [stage.value for stage in PipelineStage]
    assert shown["attempts"][0]["dagster_run_id"] == "fine-1"


def test_a_bare_run_id_of_two_episodes_is_refused_and_both_are_named(root: Root) -> None:
    root.tell(completed("night"))
    root.tell(completed("night", ep_id="show-s01e01"))

    done = run(root, "runs", "show", "night")

    assert done.returncode == 1
    assert f"{EP}/night, show-s01e01/night" in done.stderr
    assert run(root, "runs", "show", "show-s01e01/night").returncode == 0


def test_a_run_that_is_only_queued_can_be_shown(root: Root) -> None:
    story = Story("waiting")
    story.attempt = 1
    story.tell(EventKind.RUN_QUEUED, tags=[], created_at=story.now.isoformat())
    root.ledger.record(EP, "waiting", story.events)

    assert "queued" in run(root, "runs", "show", "waiting").stdout
    assert json.loads(run(root, "status", EP, "--json").stdout)["run_id"] == "waiting"


def test_an_unknown_run_ends_with_1(root: Root) -> None:
    done = run(root, "runs", "show", "nobody")

    assert done.returncode == 1
    assert "runs list" in done.stderr


def test_the_page_is_written_where_it_was_asked_for(root: Root, tmp_path: Path) -> None:
    root.tell(completed("fine"))
    here = tmp_path / "here"
    here.mkdir()

    default = screenalytics("runs", "show", "fine", "--html", data_root=root.path, cwd=here)
    given = run(root, "runs", "show", "fine", "--html", tmp_path / "page.html", "--json")

    assert default.stdout == f"{EP}_fine.html\n"
    assert (here / f"{EP}_fine.html").read_text().startswith("<!doctype html>")
    assert json.loads(given.stdout)["page"] == str(tmp_path / "page.html")
    assert "Timeline" in (tmp_path / "page.html").read_text()


def test_a_page_that_cannot_be_written_is_named(root: Root, tmp_path: Path) -> None:
    root.tell(completed("fine"))

    done = run(root, "runs", "show", "fine", "--html", tmp_path / "no" / "page.html")

    assert done.returncode == 1
    assert "page.html" in done.stderr
    assert "Traceback" not in done.stderr


def test_stats_are_per_stage(root: Root) -> None:
    root.tell(completed("fine"))
    root.tell(failed("broken"))

    detect, faces = json.loads(run(root, "runs", "stats", "--json").stdout)

    assert (detect["attempts"], detect["reused_rate"], detect["median_s"]) == (2, 0.5, 4.0)
    assert (faces["failure_rate"], faces["last_error"]) == (0.5, "disk_space: the disk is full")
    assert "detect" in run(root, "runs", "stats").stdout


def test_stats_that_leave_nothing_say_how_much_there_is(root: Root) -> None:
    root.tell(completed("fine"))

    done = run(root, "runs", "stats", "--ep", "other-s01e01")

    assert "are known" in done.stderr


def test_a_run_whose_process_is_dead_is_not_called_running(root: Root) -> None:
    root.tell(running("dead", dead_process()), dead_process())
    root.tell(running("alive", ProcessIdentity.current()), ProcessIdentity.current())
    root.tell(running("elsewhere", ProcessIdentity(**PROCESS)))
    gone = "running (process gone; screenalytics runs sync)"

    def line_of(run_id: str, *arguments: str) -> str:
        lines = run(root, "runs", *arguments).stdout.splitlines()
        return next(line for line in lines if line.startswith(run_id))

    for arguments in (["tail"], ["list"]):
        assert gone in line_of("dead", *arguments)
        assert gone not in line_of("alive", *arguments)
        assert gone not in line_of("elsewhere", *arguments)
    assert gone in run(root, "runs", "show", "dead").stdout
    assert gone in run(root, "status", f"{EP}/dead").stdout
    assert gone not in run(root, "status", f"{EP}/alive").stdout
    # Programs get what is recorded.
    assert '"running"' in run(root, "runs", "list", "--json").stdout


def test_status_does_not_take_an_earlier_attempts_dead_process_for_that_of_a_new_launch(
    root: Root,
) -> None:
    story = root.tell(failed("resumed"), dead_process())
    launched = replace(story, attempt=2, events=[]).tell(EventKind.RUN_QUEUED)
    waiting = launched.tell(EventKind.RUN_STARTED).events
    root.ledger.record(EP, "resumed", [replace(event, attempt=None) for event in waiting])

    done = run(root, "status", f"{EP}/resumed")

    assert re.search(r"^state +running$", done.stdout, re.MULTILINE)
    assert "dead" not in done.stderr
    assert "process gone" not in run(root, "runs", "list").stdout


def test_status_prints_the_status_file_of_the_active_run(root: Root) -> None:
    root.tell(completed("fine"))
    publish_screen_time(root.stores, "fine", seen_person("id_0001", (0, 4)))
    root.stores.runs.activate(EP, "fine")
    root.tell(failed("later"))

    held = json.loads(root.stores.file("fine", "episode_status.json").read_text())
    done = run(root, "status", EP, "--json")

    assert json.loads(done.stdout) == held
    assert json.loads(run(root, "status", EP, "--run-id", "later", "--json").stdout)["error"]


def test_status_shows_how_far_a_running_stage_is(root: Root) -> None:
    story = running("now", ProcessIdentity.current())
    told = {"done": 30, "total": 120, "message": "frames read"}
    story.tell(EventKind.STEP_PROGRESS, DETECT, after_s=3, **told)
    root.tell(story, ProcessIdentity.current())

    shown = run(root, "status", EP).stdout

    [detect] = [line for line in shown.splitlines() if line.startswith("detect")]
    assert re.search(r"running +25 % +30 of 120 +10\.00 .*frames read", detect)


def test_without_a_status_file_the_folder_speaks(root: Root) -> None:
    root.tell(failed("broken"))
    root.stores.file("broken", "episode_status.json").unlink()

    document = json.loads(run(root, "status", EP, "--json").stdout)

    assert document["state"] == "failed"
    assert document["stages"]["faces"]["error"]["code"] == "disk_space"
    assert not root.stores.file("broken", "episode_status.json").exists()


def test_an_episode_of_an_earlier_pipeline_has_a_derived_status(root: Root) -> None:
    for kind in (ArtifactKind.DETECTIONS, ArtifactKind.TRACKS):
        path = layout.get_artifact_path("old-s01e01", kind, data_root=root.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n")

    document = json.loads(run(root, "status", "old-s01e01", "--json").stdout)

    assert document["stages"]["detect"]["is_derived"]
    shown = run(root, "status", "old-s01e01").stdout
    assert "success (from files)" in shown
    assert "earlier pipeline" in shown


def test_an_episode_that_nothing_is_known_of_ends_with_1(root: Root) -> None:
    done = run(root, "status", BARE)

    assert done.returncode == 1
    assert f"--ep-id {BARE}" in done.stderr


class Following:
    """`runs tail --follow` in the background, its lines as they come."""

    def __init__(self, root: Root, *arguments: str) -> None:
        self.process = subprocess.Popen(
            command("runs", "tail", "--follow", *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            env=environment(root.path),
        )
        assert self.process.stderr is not None
        while "following" not in self.process.stderr.readline():
            assert self.process.poll() is None

    def next_line(self) -> str:
        out = self.process.stdout
        assert out is not None
        assert select.select([out], [], [], 30)[0], "nothing came"
        return out.readline()

    def stop(self) -> tuple[str, str]:
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=30)


def test_following_prints_what_is_new_until_it_is_interrupted(root: Root) -> None:
    story = root.tell(running("now", ProcessIdentity.current()), ProcessIdentity.current())
    following = Following(root, "--json")

    first = json.loads(following.next_line())
    story.tell(EventKind.STEP_SUCCEEDED, DETECT, after_s=2)
    root.tell(story)
    second = json.loads(following.next_line())
    story.stage(FACES, 1)
    root.tell(story)
    third = json.loads(following.next_line())

    rest, said = following.stop()
    assert (first["stage"], first["status"]) == ("detect", "running")
    assert (second["stage"], second["status"]) == ("detect", "completed")
    assert (third["stage"], third["status"]) == ("faces", "completed")
    assert rest == ""
    assert said == ""
    assert following.process.returncode == 0


def test_following_an_empty_root_waits_for_the_first_run(root: Root) -> None:
    following = Following(root)
    assert following.next_line().startswith("run_id")

    time.sleep(0.6)  # it has looked at least once and found nothing
    root.tell(completed("fine", now=datetime.now(UTC) - timedelta(minutes=1)))

    assert following.next_line().split()[:4] == ["fine", EP, "detect", "completed"]
    following.stop()
    assert following.process.returncode == 0
