"""The command line as a stranger meets it: real processes, exit codes, stdout and stderr."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from screenalytics_assets.engine import EpisodeRunResult
from screenalytics_assets.instance import open_instance
from screenalytics_assets.settings import Settings
from tests.command_line import screenalytics
from tests.integration.support import EP_ID

pytestmark = pytest.mark.models
Finished = tuple[Settings, EpisodeRunResult]


def test_run_prints_json_on_stdout_and_nothing_else(clip: Path, tmp_path: Path) -> None:
    done = screenalytics(
        "run", clip, "--ep-id", EP_ID, "--models", "lite", "--run-id", "cli", "--json",
        data_root=tmp_path,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["run_id"] == "cli"
    assert result["success"] is True
    assert Path(result["artifacts"]["report"]).is_file()
    assert "scan" in done.stderr


def test_screen_time_reads_the_active_run(finished: Finished) -> None:
    settings, _ = finished
    done = screenalytics("screen-time", EP_ID, "--json", data_root=settings.data_root)

    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["people"]) == 6


def test_screen_time_as_csv_opens_in_a_spreadsheet(finished: Finished) -> None:
    settings, _ = finished
    done = screenalytics("screen-time", f"{EP_ID}/first", "--csv", data_root=settings.data_root)

    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 6
    assert float(rows[0]["total_s"]) > 0


def test_an_episode_without_a_run_says_how_to_start_one(tmp_path: Path) -> None:
    done = screenalytics("screen-time", "nobody-s01e01", data_root=tmp_path)

    assert done.returncode == 1
    assert "screenalytics run VIDEO --ep-id nobody-s01e01" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("run", "x.mp4", "--ep-id", "../x"), "ep_id '../x'", id="unsafe id"),
        pytest.param(
            ("run", "x.mp4", "--ep-id", "a-s01e01", "--set", "strid=3"), "'stride'", id="misspelt"
        ),
        pytest.param(
            ("run", "x.mp4", "--ep-id", "a-s01e01", "--set", "stride"), "has no '='", id="no value"
        ),
        pytest.param(
            ("run", "x.mp4", "--ep-id", "a-s01e01", "--profile", "fast"), "balanced", id="profile"
        ),
        pytest.param(
            ("run", "x.mp4", "--ep-id", "a-s01e01", "--stage", "dance"), "cluster", id="stage"
        ),
        pytest.param(("dance",), "No such command", id="unknown command"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_right(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = screenalytics(*arguments, data_root=tmp_path)

    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_a_missing_video_ends_with_1(tmp_path: Path) -> None:
    done = screenalytics("run", tmp_path / "no.mp4", "--ep-id", "a-s01e01", data_root=tmp_path)

    assert done.returncode == 1
    assert "no.mp4" in done.stderr


def test_episodes_are_added_and_listed(clip: Path, tmp_path: Path) -> None:
    added = screenalytics("episodes", "add", clip, "--ep-id", "New-S02E03", data_root=tmp_path)
    listed = screenalytics("episodes", "list", "--json", data_root=tmp_path)

    assert added.returncode == 0, added.stderr
    (row,) = json.loads(listed.stdout)
    assert row["ep_id"] == "new-s02e03"
    assert row["duration_s"] == pytest.approx(2.4)
    assert row["runs"] == 0


def test_another_video_does_not_replace_a_registered_one_by_accident(
    clip: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(clip.read_bytes() + b"\0" * 16)
    screenalytics("episodes", "add", clip, "--ep-id", EP_ID, data_root=tmp_path)

    refused = screenalytics("episodes", "add", other, "--ep-id", EP_ID, data_root=tmp_path)
    replaced = screenalytics(
        "episodes", "add", other, "--ep-id", EP_ID, "--replace-video", data_root=tmp_path
    )

    assert refused.returncode == 1
    assert "--replace-video" in refused.stderr
    assert replaced.returncode == 0, replaced.stderr


def test_doctor_finds_this_machine_fit(tmp_path: Path) -> None:
    done = screenalytics("doctor", "--json", data_root=tmp_path)

    assert done.returncode == 0, done.stdout
    found = {row["name"]: row for row in json.loads(done.stdout)}
    assert found["OpenCV build"]["found"] == "opencv-python-headless"


def test_a_lost_or_replaced_video_hides_no_other_episode(clip: Path, tmp_path: Path) -> None:
    for ep_id in ("a-s01e01", "a-s01e02", "a-s01e03"):
        copy = tmp_path / f"{ep_id}.mp4"
        copy.write_bytes(clip.read_bytes())
        screenalytics("episodes", "add", copy, "--ep-id", ep_id, data_root=tmp_path)
    (tmp_path / "videos" / "a-s01e01" / "episode.mp4").unlink()
    with (tmp_path / "videos" / "a-s01e02" / "episode.mp4").open("ab") as file:
        file.write(b"more")

    listed = screenalytics("episodes", "list", "--json", data_root=tmp_path)

    assert listed.returncode == 0, listed.stderr
    assert [r["video"] for r in json.loads(listed.stdout)] == ["missing", "replaced", "ok"]


def test_the_demo_finds_everybody_and_holds_its_seconds(tmp_path: Path) -> None:
    done = screenalytics("demo", "--folder", tmp_path, "--json")

    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    truth = json.loads(next(tmp_path.glob("*.json")).read_text())
    assert result["identities_count"] == len(truth["persons"])
    assert {row["person"] for row in result["truth"]} == set(truth["persons"])
    assert max(abs(row["error_percent_of_length"]) for row in result["truth"]) <= 2
    words = ("--truth", tmp_path / "demo.truth.json", "--run", result["ep_id"], "--json")
    judged = screenalytics("evaluate", *words, data_root=tmp_path / "data")
    assert json.loads(judged.stdout)["bcubed"]["f1"] == 1.0, judged.stderr
    assert Path(result["artifacts"]["report"]).is_file()
    index = json.loads(next(tmp_path.glob("data/projects/*/runs/*/index.json")).read_text())
    assert index["pipelineMode"] == "placeholder"


def test_a_failure_is_json_too_when_json_was_asked_for(tmp_path: Path) -> None:
    done = screenalytics(
        "run", tmp_path / "no.mp4", "--ep-id", "a-s01e01", "--json", data_root=tmp_path
    )

    assert done.returncode == 1
    assert json.loads(done.stdout)["error_code"] == "video_unusable"


@pytest.mark.parametrize("junk", ["garbage: [", "storage: {nonsense: 1}"])
def test_an_unusable_dagster_home_is_named(junk: str, clip: Path, tmp_path: Path) -> None:
    home = tmp_path / ".dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text(junk)

    done = screenalytics("run", clip, "--ep-id", EP_ID, "--models", "lite", data_root=tmp_path)

    assert done.returncode == 1
    assert "DAGSTER_HOME" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_at_once_and_canceled(
    signal_: signal.Signals, clip: Path, tmp_path: Path, lite_pack: object
) -> None:
    main = "from screenalytics_assets.cli import main; main()"
    arguments = ["run", str(clip), "--ep-id", EP_ID, "--models", "lite", "--set", "stride=1"]
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", main, *arguments, "--data-root", str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("scan"):
            break
    process.send_signal(signal_)
    said = process.stderr.read()

    assert process.wait(timeout=60) == 1
    assert "canceled" in said
    with open_instance(tmp_path / ".dagster") as instance:
        assert [r.status for r in instance.get_runs()] == [dg.DagsterRunStatus.CANCELED]
