"""`screenalytics cast`, with real faces: pictures in, names out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import insightface
import numpy as np
import pytest

from screenalytics_assets.engine import EpisodeRunResult
from screenalytics_assets.settings import Settings
from screenalytics_core.episodes import EpisodeId
from screenalytics_core.vision.models.protocols import Image, ModelPack
from tests.command_line import in_this_process
from tests.integration.support import EP_ID, CopyFinished

pytestmark = pytest.mark.models

SHOW = str(EpisodeId.parse(EP_ID).show)
# x, y of some of the six faces' middles, and how far a picture of one reaches.
FACES = {"Anna": (318, 210), "Ben": (960, 130), "Cleo": (520, 340)}
HALF_PX = 100


@pytest.fixture(scope="module")
def six_actors() -> Image:
    path = Path(insightface.__file__).parent / "data" / "images" / "t1.jpg"
    return np.asarray(cv2.imread(str(path)), np.uint8)


@pytest.fixture
def pictures(tmp_path: Path, six_actors: Image) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, (x, y) in FACES.items():
        top, left = max(0, y - HALF_PX), max(0, x - HALF_PX)
        cv2.imwrite(str(folder / f"{name}.png"), six_actors[top : y + HALF_PX, left : x + HALF_PX])
    cv2.imwrite(str(folder / "all.jpg"), six_actors)
    (folder / "notes.txt").write_text("no picture")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    return folder


def cast(*arguments: str | Path, data_root: Path, status: int = 0) -> dict[str, Any]:
    done = in_this_process("cast", *arguments, "--json", data_root=data_root)
    assert done.returncode == status, done.stderr
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


def test_every_picture_of_a_folder_gets_its_line(
    pictures: Path, tmp_path: Path, lite_pack: ModelPack
) -> None:
    root = tmp_path / "data"
    for other in ("Ben.png", "Cleo.png"):
        (pictures / other).unlink()

    added = cast("add", SHOW, "Anna Lee", pictures, tmp_path / "none.png", data_root=root)

    reasons = {Path(o["source"]).name: o["reason"] for o in added["offers"]}
    assert list(reasons) == ["Anna.png", "all.jpg", "broken.jpg", "none.png"]
    assert reasons["Anna.png"] is None
    assert "faces of similar size" in reasons["all.jpg"]
    assert "no whole JPEG, PNG or WebP" in reasons["broken.jpg"]
    assert reasons["none.png"] == "does not exist"
    assert (added["cast_id"], added["prototypes"]) == ("anna-lee", 1)


def test_adding_again_by_any_name_adds_nothing_and_a_pattern_is_understood(
    pictures: Path, tmp_path: Path, lite_pack: ModelPack
) -> None:
    root = tmp_path / "data"
    cast("add", SHOW, "Anna Lee", pictures / "Anna.png", data_root=root)

    again = cast("add", SHOW.upper(), "anna-lee", str(pictures / "A*.png"), data_root=root)

    assert [o["reason"] for o in again["offers"]] == ["is there already"]
    assert (again["label"], again["prototypes"]) == ("Anna Lee", 1)


def test_pictures_of_which_none_can_be_used_make_nobody(
    pictures: Path, tmp_path: Path, lite_pack: ModelPack
) -> None:
    root = tmp_path / "data"

    added = cast("add", SHOW, "Anna", pictures / "all.jpg", data_root=root, status=1)

    assert added["prototypes"] == 0
    assert cast("list", SHOW, data_root=root)["members"] == []


def test_lists_and_removals_tell_what_is_there(
    pictures: Path, tmp_path: Path, lite_pack: ModelPack
) -> None:
    root = tmp_path / "data"
    for name in FACES:
        cast("add", SHOW, name, pictures / f"{name}.png", data_root=root)
    (anna, ben, _) = cast("list", SHOW, data_root=root)["members"]

    table = in_this_process("cast", "list", SHOW, data_root=root).stdout
    less = cast("remove", SHOW, "anna", anna["prototypes"][0]["prototype_id"], data_root=root)
    cast("remove", SHOW, "Ben", data_root=root)

    assert "anna" in table
    assert "Cleo" in table
    assert less["prototypes"] == 0
    assert ben["prototypes"][0]["source"] == "Ben.png"
    left = cast("list", SHOW, data_root=root)["members"]
    assert [(m["cast_id"], len(m["prototypes"])) for m in left] == [("anna", 0), ("cleo", 1)]
    assert "does not exist" in cast("remove", SHOW, "ben", data_root=root, status=1)["error"]


def test_a_damaged_member_is_named_and_can_be_taken_out(
    pictures: Path, tmp_path: Path, lite_pack: ModelPack
) -> None:
    root = tmp_path / "data"
    cast("add", SHOW, "Anna", pictures / "Anna.png", data_root=root)
    path = root / "facebank" / SHOW / "anna" / "member.json"
    path.write_text("{")

    error = cast("list", SHOW, data_root=root, status=1)["error"]

    assert str(path) in error
    assert f"screenalytics cast remove {SHOW} anna" in error
    cast("remove", SHOW, "anna", data_root=root)
    assert cast("list", SHOW, data_root=root)["members"] == []


def test_a_runs_identities_are_matched_and_nothing_is_changed(
    pictures: Path, tmp_path: Path, copy_finished: CopyFinished,
    finished: tuple[Settings, EpisodeRunResult],
) -> None:  # fmt: skip
    root = copy_finished(tmp_path / "data").data_root
    before = {p: p.read_bytes() for p in (root / "manifests").rglob("*.json")}
    assert "has no" in in_this_process("cast", "list", SHOW, data_root=root).stderr
    refused = cast("match", EP_ID, data_root=root, status=1)
    for name in FACES:
        cast("add", SHOW, name, pictures / f"{name}.png", data_root=root)

    found = cast("match", f"{EP_ID}/first", data_root=root)

    assert "gallery" in refused["error"]
    named = found["named"]
    assert {one["label"] for one in named} == set(FACES)
    assert all(one["confidence"] > 0.9 for one in named)
    assert len({one["identity_id"] for one in named}) == len(named)
    assert {p: p.read_bytes() for p in (root / "manifests").rglob("*.json")} == before


@pytest.mark.parametrize("show", ["../x", "a/b", "A B"])
def test_a_show_that_cannot_be_one_is_wrong_usage(tmp_path: Path, show: str) -> None:
    done = in_this_process("cast", "list", show, data_root=tmp_path)

    assert done.returncode == 2
    assert "show" in done.stderr
