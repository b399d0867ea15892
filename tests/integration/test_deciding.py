"""Deciding who is who, on real faces: what is said holds for this run and every later one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from screenalytics_assets.binding import silent
from screenalytics_assets.casting import identity_looks, open_pack
from screenalytics_assets.engine import EpisodeRunResult, Launch, run_episode
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_assets.withdrawing import withdraw
from screenalytics_core import layout
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.decisions.records import Decision, Verb
from screenalytics_core.gallery.matching import match
from tests.command_line import in_this_process
from tests.integration.support import EP_ID, CopyFinished, balanced

pytestmark = pytest.mark.models
_MADE_ANEW = {ArtifactKind.CAST, ArtifactKind.SCREEN_TIME, ArtifactKind.REPORT}


@pytest.fixture
def settings(copy_finished: CopyFinished, tmp_path: Path) -> Settings:
    """A data root of its own with the finished run `first`."""
    return copy_finished(tmp_path / "data")


def decide(settings: Settings, *words: str | Path) -> dict[str, Any]:
    done = in_this_process("identities", *words, "--json", data_root=settings.data_root)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def refused(settings: Settings, *words: str) -> str:
    done = in_this_process("identities", *words, data_root=settings.data_root)
    assert done.returncode == 1, done.stdout
    return done.stderr


def people(settings: Settings, run_id: str) -> list[dict[str, Any]]:
    ref = Stores.open(settings.data_root).require(EP_ID, run_id, ArtifactKind.SCREEN_TIME)
    rows: list[dict[str, Any]] = ref.read()["people"]
    return rows


def labels(settings: Settings, run_id: str) -> set[str]:
    return {p["label"] for p in people(settings, run_id) if p["label"]}


def rerun(settings: Settings, **given: Any) -> EpisodeRunResult:
    return run_episode(EP_ID, None, balanced(**given), settings=settings, launch=Launch())


def test_a_label_makes_a_run_that_takes_all_but_the_names_over(settings: Settings) -> None:
    said = decide(settings, "label", EP_ID, "id_0001", "Zoë Kravitz")

    stores, run_id = Stores.open(settings.data_root), said["run"]["run_id"]
    entries = stores.artifacts.manifest(EP_ID, run_id).entries
    assert {kind for kind, e in entries.items() if e.source == "computed"} == _MADE_ANEW
    assert stores.runs.active_run_id(EP_ID) == run_id != "first"
    assert labels(settings, run_id) == {"Zoë Kravitz"}
    assert labels(settings, "first") == set()
    assert said["decision"]["cast_id"] == "zoe-kravitz"
    assert said["enrolled"] > 0
    [member] = stores.gallery.members("show")
    assert (member.label, len(member.prototypes)) == ("Zoë Kravitz", said["enrolled"])


def test_a_label_that_is_taken_back_does_not_come_again_from_the_gallery(
    settings: Settings,
) -> None:
    other = rerun(settings).run_id
    wrong = decide(settings, "label", f"{EP_ID}/first", "id_0001", "Anna")
    right = decide(settings, "label", f"{EP_ID}/first", "id_0002", "Ben")

    undone = decide(settings, "undo", EP_ID, str(wrong["decision"]["sequence"]))

    stores = Stores.open(settings.data_root)
    assert undone["withdrawn"] == [
        {"cast_id": "anna", "label": "Anna", "faces": wrong["enrolled"], "left": None}
    ]
    assert labels(settings, undone["run"]["run_id"]) == {"Ben"}
    [ben] = stores.gallery.members("show")
    assert (ben.cast_id, len(ben.prototypes)) == ("ben", right["enrolled"])
    looks, apart = identity_looks(stores, EP_ID, other)
    pack = open_pack(settings, "lite", silent)
    gallery = stores.gallery.load("show", pack)
    assert gallery is not None
    named = match(looks, apart, gallery, match_thresh=0.3, match_margin=0.0, fixed={}).named
    assert {m.label for m in named.values()} == {"Ben"}


@pytest.mark.parametrize("words", [("Ben",), ("--nobody",)])
def test_who_is_called_otherwise_later_leaves_no_face_under_the_first_name(
    settings: Settings, words: tuple[str, ...]
) -> None:
    decide(settings, "label", EP_ID, "id_0001", "Anna", "--no-run")

    said = decide(settings, "label", EP_ID, "id_0001", *words)

    members = Stores.open(settings.data_root).gallery.members("show")
    assert [m.label for m in members] == [w for w in words if w == "Ben"]
    assert labels(settings, said["run"]["run_id"]) == {w for w in words if w == "Ben"}


def test_faces_stay_while_another_decision_says_the_same_of_them(settings: Settings) -> None:
    first = decide(settings, "label", EP_ID, "id_0001", "Anna", "--no-run")
    decide(settings, "label", EP_ID, "id_0001", "Anna", "--no-run")

    assert decide(settings, "undo", EP_ID, "--no-run")["withdrawn"] == []

    [anna] = Stores.open(settings.data_root).gallery.members("show")
    assert len(anna.prototypes) == first["enrolled"]


@pytest.mark.parametrize("is_undone", [True, False])
def test_of_a_run_that_is_gone_faces_are_told_by_the_numbers_of_their_tracks(
    settings: Settings, is_undone: bool
) -> None:
    said = decide(settings, "label", EP_ID, "id_0001", "Anna", "--no-run")
    stores = Stores.open(settings.data_root)
    if is_undone:
        [label] = stores.decisions.read(EP_ID)
        undo = Decision(0, label.at, label.by, "first", Verb.UNDO, undoes=1)
        stores.decisions.append(EP_ID, undo)
    (settings.data_root / layout.manifest_key(EP_ID, "first")).unlink()

    gone = withdraw(Stores.open(settings.data_root), EP_ID)

    assert [w.faces for w in gone] == ([said["enrolled"]] if is_undone else [])


def test_a_member_whom_another_episode_names_stays_without_faces(settings: Settings) -> None:
    decide(settings, "label", EP_ID, "id_0001", "Anna", "--no-run")
    stores = Stores.open(settings.data_root)
    [named] = stores.decisions.read(EP_ID)
    stores.decisions.append("show-s01e02", named)

    [gone] = decide(settings, "undo", EP_ID, "--no-run")["withdrawn"]

    assert gone["left"] == 0
    assert [m.prototypes for m in stores.gallery.members("show")] == [()]


def test_what_was_only_recorded_is_carried_out_with_the_settings_of_the_run(
    settings: Settings,
) -> None:
    decide(settings, "label", EP_ID, "id_0001", "Anna", "--no-run", "--no-enrol")

    run_id = decide(settings, "apply", f"{EP_ID}/first")["run"]["run_id"]

    assert labels(settings, run_id) == {"Anna"}
    runs = Stores.open(settings.data_root).runs
    assert runs.require(EP_ID, run_id).settings["models"] == "lite"


def test_names_hold_when_everything_is_made_otherwise(settings: Settings) -> None:
    for identity_id, name in (("id_0001", "Anna"), ("id_0002", "Ben")):
        decide(settings, "label", EP_ID, identity_id, name, "--no-run", "--no-enrol")

    regrouped = rerun(settings, cluster_thresh=0.6)
    tracked_anew = rerun(settings, stride=3, min_stride=3)

    assert labels(settings, regrouped.run_id) == {"Anna", "Ben"}
    assert labels(settings, tracked_anew.run_id) == {"Anna", "Ben"}
    assert Stores.open(settings.data_root).gallery.members("show") == ()


def test_several_decisions_are_carried_out_by_one_run(settings: Settings) -> None:
    decide(settings, "label", EP_ID, "id_0001", "Anna", "--no-run", "--no-enrol")
    decide(settings, "merge", EP_ID, "id_0002", "id_0003", "--no-run")
    said = decide(settings, "lock", EP_ID, "id_0004")

    found = people(settings, said["run"]["run_id"])
    before = people(settings, "first")
    assert said["decision"]["sequence"] == 3
    assert len(found) == len(before) - 1
    assert not any(p["identity_id"] == "id_0003" for p in found)


def test_an_undone_decision_leaves_the_run_as_it_was(settings: Settings) -> None:
    decide(settings, "label", EP_ID, "id_0001", "Anna", "--no-enrol")
    said = decide(settings, "undo", EP_ID)

    manifests = Stores.open(settings.data_root).artifacts
    undone, first = (
        manifests.manifest(EP_ID, run_id).entries for run_id in (said["run"]["run_id"], "first")
    )
    for kind in (ArtifactKind.CAST, ArtifactKind.SCREEN_TIME):
        assert undone[kind].content_sha256 == first[kind].content_sha256


def test_a_track_that_is_split_off_is_somebody_who_can_be_named(settings: Settings) -> None:
    merged = decide(settings, "merge", EP_ID, "id_0001", "id_0002")["run"]["run_id"]
    tracks = decide(settings, "list", EP_ID, "id_0001")
    [part] = [t["track_id"] for t in tracks][1:2]

    decide(settings, "split", EP_ID, "id_0001", str(part), "--no-run")
    said = decide(settings, "label", f"{EP_ID}/{merged}", "id_0001", "Anna", "--no-enrol")

    listed = decide(settings, "list", f"{EP_ID}/{said['run']['run_id']}")["people"]
    assert [p["label"] for p in listed if part in p["tracks"]] == ["Anna"]
    decide(settings, "undo", EP_ID, str(said["decision"]["sequence"]))
    named = decide(settings, "label", EP_ID, "id_0002", "Ben", "--no-enrol")
    assert labels(settings, named["run"]["run_id"]) == {"Ben"}
    listed = decide(settings, "list", EP_ID)["people"]
    assert [p["label"] for p in listed if part in p["tracks"]] == ["Ben"]


def test_a_track_moves_to_a_cast_member_and_to_nobody(settings: Settings) -> None:
    [track] = [p["tracks"][0] for p in decide(settings, "list", EP_ID)["people"][:1]]
    decide(settings, "label", EP_ID, "id_0002", "Ben", "--no-run", "--no-enrol")

    moved = decide(settings, "move-track", EP_ID, str(track), "Ben")["run"]["run_id"]
    listed = decide(settings, "list", f"{EP_ID}/{moved}")["people"]
    assert [p["label"] for p in listed if track in p["tracks"]] == ["Ben"]

    decide(settings, "move-track", EP_ID, str(track), "--nobody")
    listed = decide(settings, "list", EP_ID)
    assert not any(track in p["tracks"] for p in listed["people"])
    assert track in listed["tracks_of_nobody"]


def test_a_second_track_moves_to_a_cast_member_whom_no_identity_is(settings: Settings) -> None:
    first, second = (p["tracks"][0] for p in decide(settings, "list", EP_ID)["people"][:2])
    decide(settings, "label", EP_ID, "id_0001", "Ben", "--no-run", "--no-enrol")
    decide(settings, "undo", EP_ID, "--no-run")

    decide(settings, "move-track", EP_ID, str(first), "Ben")
    decide(settings, "move-track", EP_ID, str(second), "Ben")

    listed = decide(settings, "list", EP_ID)["people"]
    assert [p["tracks"] for p in listed if p["label"] == "Ben"] == [sorted((first, second))]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("label", EP_ID, "id_001", "Anna"), "Did you mean 'id_0001'?", id="person"),
        pytest.param(("merge", EP_ID, "id_0001", "id_0001"), "one person already", id="itself"),
        pytest.param(("merge", EP_ID, "id_0001", "nobody"), "'nobody'", id="other person"),
        pytest.param(("split", EP_ID, "id_0001", "777"), "The nearest is", id="track"),
        pytest.param(("move-track", EP_ID, "777", "id_0001"), "The nearest is", id="any track"),
        pytest.param(("move-track", EP_ID, "0", "Zoe"), "person 'Zoe'", id="destination"),
        pytest.param(("undo", EP_ID), "Nothing is decided", id="nothing to undo"),
        pytest.param(("undo", EP_ID, "3"), "decision 3", id="unknown decision"),
        pytest.param(("lock", "show-s09e09", "id_0001"), "has no finished run", id="episode"),
    ],
)
def test_what_is_not_there_is_refused_and_the_nearest_named(
    finished: tuple[Settings, EpisodeRunResult], words: tuple[str, ...], said: str
) -> None:
    assert said in refused(finished[0], *words)
    assert Stores.open(finished[0].data_root).decisions.read(EP_ID) == ()


def test_decisions_are_listed_with_who_made_them_and_what_was_undone(settings: Settings) -> None:
    decide(settings, "label", EP_ID, "id_0001", "Anna", "--no-run", "--no-enrol", "--by", "me@x")
    decide(settings, "undo", EP_ID, "--no-run")

    listed = decide(settings, "list", EP_ID, "--decisions")

    assert [(d["verb"], d["by"] == "me@x", d["holds"]) for d in listed] == [
        ("label", True, False),
        ("undo", False, True),
    ]
    shown = in_this_process(
        "identities", "list", EP_ID, "--decisions", data_root=settings.data_root
    ).stdout
    assert "undone" in shown
