"""What is said of a season's names and seconds, on small made-up runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.season.links import judge_links
from benchmarks.season.naming import (
    names_kept,
    names_left_out,
    names_of,
    names_to_confirm,
    names_to_give,
    tracks_to_move,
)
from benchmarks.season.roll_up import season_rows
from benchmarks.season.seen_runs import people_by_identity
from benchmarks.season.sightings import Sighting, sightings
from screenalytics_core.evaluation.prediction import Identity, Prediction, track_boxes
from screenalytics_core.evaluation.truth import Truth, read_truth
from screenalytics_core.vision.owners import Owner
from tests.quality_rows import FRAMES, truth_document

CAST = ("Ann", "Bob")


def track(
    track_id: int,
    person: str | None,
    seconds: float,
    identity: str | None,
    label: str | None = None,
) -> Sighting:
    return Sighting(track_id, seconds, person, identity, label)


def truth(**changed: Any) -> Truth:
    """Read a truth; faces where nobody is visible are left out of it."""
    document = truth_document() | changed

    def is_seen(face: dict[str, Any]) -> bool:
        person, frame = face["person"], face["frame_idx"]
        spans = [*document["visible"].get(person, ()), *document.get("maybe", {}).get(person, ())]
        return any(first <= frame <= last for first, last in spans)

    return read_truth({**document, "faces": [*filter(is_seen, document["faces"])]})


def prediction(*tracks: tuple[int, int, int, float]) -> Prediction:
    """Tracks of (id, first frame, last frame, left edge), each box 10 px wide."""
    return Prediction(
        fps=10, width_px=200, height_px=50, frame_times_s=np.arange(FRAMES + 1) / 10,
        tracks=tuple(
            track_boxes(i, range(first, last + 1), [(x, 0, x + 10, 10)] * (last - first + 1))
            for i, first, last, x in tracks
        ),
        identities=(Identity("id_0001", tuple(t[0] for t in tracks)),),
    )  # fmt: skip


def test_a_track_is_of_the_person_on_whose_labelled_faces_it_lies() -> None:
    run = prediction((1, 0, 4, 0), (2, 5, 9, 50), (3, 0, 1, 120))
    owners = {1: Owner("id_0001", "ann", "Ann"), 2: Owner("id_0002", None, None)}

    assert sightings(truth(), run, owners) == (
        track(1, "Ann", 0.5, "id_0001", "Ann"),
        track(2, "Bob", 0.5, "id_0002"),
        track(3, None, 0.2, None),
    )


def test_the_identity_with_most_of_a_person_gets_the_name() -> None:
    run = [
        track(1, "Ann", 3.0, "id_0001"), track(2, "Ann", 4.0, "id_0002"),
        track(3, "Ann", 2.0, "id_0001"), track(4, "Bob", 9.0, "id_0003"),
        track(5, "Bob", 1.0, "id_0001"),
    ]  # fmt: skip

    assert names_to_give(run, CAST) == {"id_0001": "Ann", "id_0003": "Bob"}


def test_an_identity_that_is_mostly_another_is_not_named() -> None:
    run = [track(1, "Ann", 2.0, "id_0001"), track(2, "Bob", 1.0, "id_0001")]

    assert names_to_give(run, CAST) == {"id_0001": "Ann"}
    assert names_to_give(run, ("Bob",)) == {}


def test_nobody_is_named_who_is_not_wanted_or_not_there() -> None:
    run = [track(1, "Ann", 1.0, "id_0001"), track(2, "Cy", 2.0, "id_0002")]

    assert names_to_give(run, ("Bob",)) == {}


def test_tracks_of_nobody_are_no_ground_for_a_name() -> None:
    run = [track(1, None, 9.0, "id_0001"), track(2, "Ann", 1.0, None)]

    assert names_to_give(run, CAST) == {}


@pytest.mark.parametrize(
    ("label", "suggested", "seen", "given"),
    [
        pytest.param(None, ["Bob", "Ann"], "Ann", {"id_0001": "Ann"}, id="right"),
        pytest.param(None, ["Bob"], "Ann", {}, id="another is suggested"),
        pytest.param(None, [], "Ann", {}, id="nothing is suggested"),
        pytest.param("Ann", ["Ann"], "Ann", {}, id="named already"),
        pytest.param(None, ["Ann"], None, {}, id="nobody is seen"),
    ],
)
def test_of_the_names_that_a_run_suggests_those_that_are_right_are_confirmed(
    label: str | None, suggested: list[str], seen: str | None, given: dict[str, str]
) -> None:
    row = {
        "identity_ids": ["id_0001"],
        "label": label,
        "suggestions": [{"label": name} for name in suggested],
    }
    people = {} if seen is None else {"id_0001": seen}

    assert names_to_confirm([row], people) == given


@pytest.mark.parametrize(
    ("given", "seen", "moved"),
    [
        pytest.param("Ann", "Bob", {1: "Bob"}, id="another of the cast"),
        pytest.param("Ann", "Cy", {1: None}, id="a stranger"),
        pytest.param("Ann", None, {1: None}, id="no face at all"),
        pytest.param("Ann", "Ann", {}, id="right"),
        pytest.param("id_0007", "Ann", {}, id="without a name"),
    ],
)
def test_of_the_tracks_in_doubt_those_under_a_wrong_name_are_moved(
    given: str, seen: str | None, moved: dict[int, str | None]
) -> None:
    run = [track(1, seen, 1.0, "id_0001", given), track(2, "Bob", 1.0, "id_0001", "Ann")]

    assert tracks_to_move([{"track_id": 1, "given": given}], run, CAST) == moved


@pytest.mark.parametrize(
    ("label", "face_s", "seen", "given"),
    [
        pytest.param(None, 2.0, "Ann", {"id_0001": "Ann"}, id="of the cast"),
        pytest.param(None, 1.9, "Ann", {}, id="too short to be looked at"),
        pytest.param(None, 9.0, "Cy", {}, id="a stranger"),
        pytest.param("Bob", 9.0, "Ann", {}, id="named"),
    ],
)
def test_whoever_is_long_without_a_name_is_looked_at(
    label: str | None, face_s: float, seen: str, given: dict[str, str]
) -> None:
    row = {"identity_ids": ["id_0001"], "label": label, "face_s": face_s}

    assert names_left_out([row], {"id_0001": seen}, CAST, 2.0) == given


def test_names_are_right_wrong_missing_or_on_strangers() -> None:
    run = [
        track(1, "Ann", 1.0, "a", "Ann"), track(2, "Ann", 2.0, "b", "Bob"),
        track(3, "Bob", 4.0, "c"), track(4, "Cy", 8.0, "d", "Ann"),
        track(5, None, 16.0, "e", "Bob"), track(6, "Cy", 32.0, "f", "Cy"),
    ]  # fmt: skip

    names = names_of(run, CAST)

    assert (names.right_s, names.wrong_s, names.unnamed_s) == (1.0, 2.0, 4.0)
    assert names.strangers_named_s == 24.0


def test_a_name_is_kept_where_the_track_has_the_same_one_afterwards() -> None:
    before = [
        track(1, "Ann", 1.0, "a", "Ann"), track(2, "Ann", 2.0, "a", "Ann"),
        track(3, "Bob", 4.0, "b", "Bob"), track(4, "Cy", 8.0, "c"),
    ]  # fmt: skip
    after = [
        track(1, "Ann", 1.0, "z", "Ann"), track(2, "Ann", 2.0, "y"),
        track(3, "Bob", 4.0, "z", "Ann"), track(4, "Cy", 8.0, "c", "Ann"),
    ]  # fmt: skip

    kept = names_kept(before, after)

    assert (kept.named_s, kept.kept_s) == (7.0, 1.0)
    assert (kept.names, kept.names_kept) == (2, 0)
    assert kept.lost == {("Ann", None): 2.0, ("Bob", "Ann"): 4.0}


def test_a_track_that_is_gone_has_lost_its_name() -> None:
    kept = names_kept([track(1, "Ann", 1.0, "a", "Ann")], [])

    assert (kept.named_s, kept.kept_s, kept.lost) == (1.0, 0.0, {("Ann", None): 1.0})


def test_a_person_keeps_the_name_who_keeps_it_for_most_of_the_time() -> None:
    before = [track(1, "Ann", 3.0, "a", "Ann"), track(2, "Ann", 2.0, "a", "Ann")]

    kept = names_kept(before, [track(1, "Ann", 3.0, "x", "Ann"), track(2, "Ann", 2.0, "y")])

    assert (kept.names, kept.names_kept) == (1, 1)


def test_a_season_adds_up_true_and_stated_seconds() -> None:
    # Ann is in both episodes for a second, Bob in the first for half of one.
    truths = {
        "e1": truth(visible={"Ann": [[0, 9]], "Bob": [[0, 4]]}, visible_clear=None),
        "e2": truth(visible={"Ann": [[0, 9]]}, visible_clear=None),
    }

    rows = season_rows(truths, {"e1": {"Ann": 0.9, "Bob": 0.5}, "e2": {"Ann": 1.05, "Cy": 3.0}})

    ann, bob = rows
    assert (ann.person, ann.episodes, ann.stated_episodes) == ("Ann", 2, 2)
    assert (ann.true_s, ann.stated_s, ann.error_percent) == (2.0, 1.95, 2.5)
    assert (bob.episodes, bob.true_s, bob.error_percent) == (1, 0.5, 0.0)


def test_errors_of_episodes_do_not_pass_for_right_where_a_name_is_missing() -> None:
    rows = season_rows({"e1": truth()}, {})

    assert [(row.person, row.error_percent) for row in rows] == [("Ann", 100.0), ("Bob", 100.0)]


def test_seconds_in_an_episode_without_the_person_count_against_it() -> None:
    truths = {"e1": truth(), "e2": truth(visible={"Bob": [[0, 9]]}, visible_clear=None)}

    ann = season_rows(truths, {"e1": {"Ann": 1.0}, "e2": {"Ann": 0.5}})[0]

    assert (ann.episodes, ann.stated_episodes, ann.error_percent) == (1, 2, 50.0)


@pytest.mark.parametrize(
    ("stated_s", "percent"),
    [
        pytest.param(0.5, 0.0, id="clear faces alone"),
        pytest.param(1.0, 0.0, id="with what is doubtful"),
        pytest.param(0.4, 12.5, id="fewer than the clear ones"),
        pytest.param(1.08, 10.0, id="more than may be"),
    ],
)
def test_what_may_be_right_is_no_tolerant_error(stated_s: float, percent: float) -> None:
    seen = truth(
        visible={"Ann": [[0, 7]]}, visible_clear={"Ann": [[0, 4]]}, maybe={"Ann": [[6, 9]]}
    )

    ann = season_rows({"e1": seen}, {"e1": {"Ann": stated_s}})[0]

    assert ann.tolerant_error_percent == percent


def test_somebody_who_is_main_in_one_episode_counts_in_all() -> None:
    extra = {"Ann": {"main": False}, "Bob": {"main": True}}
    truths = {"e1": truth(), "e2": truth(persons=extra)}

    ann = season_rows(truths, {"e1": {"Ann": 1.0}, "e2": {"Ann": 1.0}})[0]

    assert (ann.episodes, ann.true_s) == (2, 2.0)


def link(link_id: str, status: str, label: str | None = None) -> dict[str, Any]:
    return {"link_id": link_id, "status": status, "label": label}


def member(link_id: str, ep_id: str, *identity_ids: str, named: bool = False) -> dict[str, Any]:
    cast_id = "ann" if named else None
    ids = list(identity_ids)
    return {"link_id": link_id, "ep_id": ep_id, "cast_id": cast_id, "identity_ids": ids}


def test_an_identity_is_whom_most_of_its_seconds_show() -> None:
    run = [
        track(1, "Ann", 1.0, "a"), track(2, "Bob", 3.0, "a"), track(3, None, 9.0, "a"),
        track(4, "Ann", 1.0, "b"), track(5, "Ann", 1.0, None),
    ]  # fmt: skip

    assert people_by_identity(run) == {"a": "Bob", "b": "Ann"}


def test_a_link_is_confirmed_when_all_whom_it_would_name_are_that_person() -> None:
    season_cast = {
        "links": [link("l1", "proposal", "Ann"), link("l2", "proposal", "Ann"),
                  link("l3", "conflict"), link("l4", "unnamed"), link("l5", "proposal", "Ann")],
        "members": [
            member("l1", "e1", named=True), member("l1", "e2", "id_0001"),
            member("l1", "e3", "id_0001"),
            member("l2", "e2", "id_0001"), member("l2", "e3", "id_0002"),
            member("l5", "e2", "id_0001", "id_0002"),
        ],
    }  # fmt: skip
    people = {
        "e2": {"id_0001": "Ann", "id_0002": "Bob"}, "e3": {"id_0001": "Ann", "id_0002": "Bob"}
    }  # fmt: skip

    links = judge_links(season_cast, people)

    assert links.right == ("l1",)
    assert links.wrong == ("l2", "l5")
    assert links.statuses == {"proposal": 3, "conflict": 1, "unnamed": 1}


def test_somebody_unknown_is_nobody_whom_a_link_may_name() -> None:
    season_cast = {
        "links": [link("l1", "proposal", "Ann")],
        "members": [member("l1", "e1", named=True), member("l1", "e2", "id_0001")],
    }

    assert judge_links(season_cast, {}).wrong == ("l1",)
