"""`explain` on a finished run, as an analyst meets it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from screenalytics_assets.engine import EpisodeRunResult, Launch, run_episode
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.decisions.records import Decision, Verb
from tests.command_line import in_this_process, screenalytics
from tests.integration.support import EP_ID, CopyFinished, balanced

pytestmark = pytest.mark.models

Finished = tuple[Settings, EpisodeRunResult]


def test_a_number_is_walked_back_to_models_settings_and_a_drawn_frame(
    finished: Finished, tmp_path: Path
) -> None:
    root, result = finished[0].data_root, finished[1]
    assert result.screen_time is not None
    person = result.screen_time["people"][0]
    at_s = person["segments"][0]["start_s"] + 0.1

    told = screenalytics(
        "explain", f"{EP_ID}/first", person["identity_id"], "--at", f"{at_s}",
        "--picture", "frame.png", "--json", data_root=root, cwd=tmp_path,
    )  # fmt: skip

    assert told.returncode == 0, told.stderr
    document = json.loads(told.stdout)
    assert document["person"]["total_s"] == person["total_s"]
    (segment,) = document["segments"]
    assert segment["first_frame_idx"] <= document["frame_idx"] <= segment["last_frame_idx"]
    made_by = {row["artifact"]: row for row in document["made_by"]}
    assert next(iter(made_by)) == "shots"
    assert list(made_by)[-1] == "screen_time"
    assert made_by["detections"]["settings"]["stride"] > 0
    hashes = {file["role"]: file["sha256"] for file in document["models"]["files"]}
    assert made_by["detections"]["models"] == {"face_detector": hashes["face_detector"]}
    picture = cv2.imread(str(tmp_path / "frame.png"))
    assert picture is not None
    assert picture.shape[:2] == (448, 640)


def test_people_read_who_how_long_and_from_what(finished: Finished, tmp_path: Path) -> None:
    root = finished[0].data_root

    told = screenalytics("explain", f"{EP_ID}/first", "id_0001", data_root=root, cwd=tmp_path)

    assert told.returncode == 0, told.stderr
    assert "found by the machine, unnamed" in told.stdout
    assert "face_detector" in told.stdout
    assert "segments" in told.stdout


def test_a_moment_is_answered_on_stdout(finished: Finished, tmp_path: Path) -> None:
    root, result = finished[0].data_root, finished[1]
    assert result.screen_time is not None
    start_s = result.screen_time["people"][0]["segments"][0]["start_s"]
    person = result.screen_time["people"][0]["identity_id"]

    told = screenalytics(
        "explain", f"{EP_ID}/first", person, "--at", f"{start_s + 0.1}",
        data_root=root, cwd=tmp_path,
    )  # fmt: skip

    assert "in the segment" in told.stdout
    assert "track t" in told.stdout
    assert told.stderr == ""


def test_a_name_of_the_gallery_is_walked_back_to_faces_and_the_label_that_gave_them(
    copy_finished: CopyFinished, tmp_path: Path
) -> None:
    settings = copy_finished(tmp_path / "data")
    stores, root = Stores.open(settings.data_root), settings.data_root
    in_this_process("identities", "label", EP_ID, "id_0001", "Anna", "--no-run", data_root=root)
    [label] = stores.decisions.read(EP_ID)
    undo = Decision(0, label.at, label.by, "first", Verb.UNDO, undoes=1)
    stores.decisions.append(EP_ID, undo)
    matched = run_episode(EP_ID, None, balanced(), settings=settings, launch=Launch()).run_id

    words = ("explain", f"{EP_ID}/{matched}", "anna")
    told = in_this_process(*words, "--json", data_root=root)

    assert told.returncode == 0, told.stderr
    document = json.loads(told.stdout)
    [row] = [r for r in document["name_from"] if r["source"] == "gallery"]
    assert 0.3 < row["match"]["similarity"] <= 1
    member = document["cast_member"]
    assert (member["label"], member["by"]) == ("Anna", label.by)
    assert {p["decision"] for p in member["prototypes"]} == {f"{EP_ID} decision 1"}
    assert {p["run"] for p in member["prototypes"]} == {f"{EP_ID}/first"}
    assert not any(entry["redacted"] for entry in document["made_by"])
    shown = in_this_process(*words, data_root=root).stdout
    assert f"similarity {row['match']['similarity']:.2f}" in shown
    assert f"{EP_ID} decision 1" in shown


def test_somebody_unknown_ends_with_wrong_usage(finished: Finished, tmp_path: Path) -> None:
    told = screenalytics(
        "explain", f"{EP_ID}/first", "nobody", data_root=finished[0].data_root, cwd=tmp_path
    )

    assert told.returncode == 2
    assert "Name one of: id_0001" in told.stderr
