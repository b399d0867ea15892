"""`screenalytics evaluate` on a finished run: what it prints, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from screenalytics_assets.engine import EpisodeRunResult
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.artifacts import ArtifactKind
from tests.command_line import in_this_process, screenalytics
from tests.integration.support import EP_ID, CopyFinished

pytestmark = pytest.mark.models


@pytest.fixture
def labels(finished: tuple[Settings, EpisodeRunResult]) -> dict[str, Any]:
    """The run's own tracks as truth, but for one that is called a missed person's."""
    settings, result = finished
    stores = Stores.open(settings.data_root)
    shots = stores.require(EP_ID, result.run_id, ArtifactKind.SHOTS).read()
    tracks = stores.require(EP_ID, result.run_id, ArtifactKind.TRACKS).read().to_pylist()
    first = [t for t in tracks if t["first_frame_idx"] == 0]
    names = [f"person {t['track_id']}" for t in first]
    return {
        "clip": "clip.mp4", "fps": 25, "frames": shots["frame_count"],
        "width": shots["width_px"], "height": shots["height_px"],
        "cuts": [s["start_frame"] for s in shots["shots"][1:]],
        "persons": {name: {"main": True} for name in [*names, "missed"]},
        "labelled_frames": [0],
        "faces": [
            *({"frame_idx": 0, "person": name, "bbox_xyxy": t["bboxes_xyxy"][0]}
              for name, t in zip(names, first, strict=True)),
            {"frame_idx": 0, "person": "missed", "bbox_xyxy": [0, 0, 30, 30]},
        ],
        "visible": {
            "missed": [[0, 9]],
            **{n: [[0, t["last_frame_idx"]]] for n, t in zip(names, first, strict=True)},
        },
    }  # fmt: skip


def write(folder: Path, labels: dict[str, Any]) -> Path:
    path = folder / "truth.json"
    path.write_text(json.dumps(labels))
    return path


def test_figures_are_printed_as_json(
    labels: dict[str, Any], finished: tuple[Settings, EpisodeRunResult], tmp_path: Path
) -> None:
    path, root = write(tmp_path, labels), finished[0].data_root

    done = screenalytics(
        "evaluate", "--truth", path, "--run", f"{EP_ID}/first", "--json", data_root=root
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["ep_id"], found["run_id"]) == (EP_ID, "first")
    assert found["faces"]["recall"] == 0.75
    assert found["cuts"]["tolerance_0"]["f1"] == 1.0
    assert [p["error_s"] for p in found["persons"]] == [0.0, 0.0, 0.0, 0.4]
    assert found["persons"][3]["total_s"] == 0.0
    assert len(found["identities_left_over"]) == 3


def test_people_read_lines_and_are_told_what_was_not_judged(
    labels: dict[str, Any], finished: tuple[Settings, EpisodeRunResult], tmp_path: Path
) -> None:
    path, root = write(tmp_path, labels), finished[0].data_root

    done = in_this_process("evaluate", "--truth", path, "--run", EP_ID, data_root=root)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"clip.mp4  run {EP_ID}/")
    assert "face recall 0.750 3 of 4 clear faces" in [" ".join(line.split()) for line in lines]
    assert any(line.startswith("missed ") and " -0.40 " in line for line in lines)
    assert sum(line.startswith("(left over)") for line in lines) == 3
    assert "bounds are not judged" in done.stderr


def test_what_people_decided_is_judged(
    labels: dict[str, Any], copy_finished: CopyFinished, tmp_path: Path
) -> None:
    path, root = write(tmp_path, labels), copy_finished(tmp_path / "data").data_root

    def judged() -> dict[str, Any]:
        done = in_this_process(
            "evaluate", "--truth", path, "--run", EP_ID, "--json", data_root=root
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    before = judged()
    one, other = (row["identity"] for row in before["persons"][:2])
    done = in_this_process("identities", "label", EP_ID, one, "Zo\u00eb", data_root=root)
    assert done.returncode == 0, done.stderr
    done = in_this_process("identities", "merge", EP_ID, one, other, data_root=root)
    assert done.returncode == 0, done.stderr
    after = judged()

    assert before["bcubed"]["f1"] > after["bcubed"]["f1"]
    assert after["identities"]["count_error"] == before["identities"]["count_error"] - 1
    assert {row["identity"] for row in after["persons"][:2]} == {"zoe", None}
    (zoe,) = (row for row in after["persons"] if row["identity"] == "zoe")
    assert (zoe["label"], zoe["total_s"] >= zoe["pred_s"]) == ("Zo\u00eb", True)


@pytest.mark.parametrize(
    ("named", "is_told"), [("clip.mp4", False), ("raw/CLIP", False), ("other.mp4", True)]
)
def test_another_videos_name_is_told(
    named: str,
    is_told: bool,
    labels: dict[str, Any],
    finished: tuple[Settings, EpisodeRunResult],
    tmp_path: Path,
) -> None:
    path, root = write(tmp_path, {**labels, "clip": named}), finished[0].data_root

    done = in_this_process("evaluate", "--truth", path, "--run", EP_ID, "--json", data_root=root)

    assert json.loads(done.stdout)["clip"] == named
    assert ("the truth is of 'other.mp4', the run of 'clip.mp4'" in done.stderr) == is_told


def test_a_truth_that_contradicts_itself_is_judged_with_a_note(
    labels: dict[str, Any], finished: tuple[Settings, EpisodeRunResult], tmp_path: Path
) -> None:
    somebody = next(iter(labels["persons"]))
    hole = {**labels, "visible": {**labels["visible"], somebody: []}}
    path, root = write(tmp_path, hole), finished[0].data_root

    done = in_this_process("evaluate", "--truth", path, "--run", EP_ID, "--json", data_root=root)

    (told,) = json.loads(done.stdout)["truth_contradicts"]
    assert f"which is not in visible.{somebody}" in told
    assert f"note: the truth contradicts itself: {told}" in done.stderr.replace("\n", " ")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param({"frames": 61}, "is of another video than the run: frames 61", id="video"),
        pytest.param({"fps": None}, "truth.json, fps: is missing", id="field"),
    ],
)
def test_a_truth_that_does_not_fit_is_refused_by_name(
    changed: dict[str, Any],
    said: str,
    labels: dict[str, Any],
    finished: tuple[Settings, EpisodeRunResult],
    tmp_path: Path,
) -> None:
    path, root = write(tmp_path, {**labels, **changed}), finished[0].data_root

    done = in_this_process("evaluate", "--truth", path, "--run", EP_ID, "--json", data_root=root)

    assert done.returncode == 1
    assert json.loads(done.stdout)["error_code"] == "truth_unusable"
    assert said in done.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file"),
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ('{"fps": 25, "fps": 30}', "'fps' stands twice"),
        ('{"fps": 25, "persons": {"Ana": {}, "Bo": {}, "Ana": {}}}', "'Ana' stands twice"),
        ("[]", "no object but list"),
    ],
)
def test_a_file_that_is_no_truth_is_named(content: str | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    if content is not None:
        path.write_text(content)

    done = in_this_process("evaluate", "--truth", path, "--run", "a-s01e01", data_root=tmp_path)

    assert done.returncode == 1
    assert str(path) in done.stderr
    assert said in done.stderr


def test_without_a_truth_it_is_wrong_usage(tmp_path: Path) -> None:
    done = in_this_process("evaluate", "--run", "a-s01e01", data_root=tmp_path)

    assert done.returncode == 2
    assert "--truth" in done.stderr
