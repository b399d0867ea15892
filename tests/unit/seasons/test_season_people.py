"""From a run's artifacts to people, and people of then found among those of today."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from screenalytics_core.artifacts import TRACK_REPS, TRACKS
from screenalytics_core.decisions.anchors import TrackFinder, anchors_of
from screenalytics_core.errors import InvalidIdError
from screenalytics_core.seasons.apart import held_apart
from screenalytics_core.seasons.doubts import unlike_the_others
from screenalytics_core.seasons.keys import episodes_of, parse_season_key, season_of
from screenalytics_core.seasons.people import people_of_episode, seen_at_once
from screenalytics_core.seasons.rejections import RejectedMember, Rejection
from tests.season_samples import episode, looks, person, screen_time, seen

EP = "show-s01e01"
TIMES_S = np.arange(101) / 25


def track(track_id: int, first: int, left: float) -> dict[str, Any]:
    """A face that stays at one place for five frames."""
    frames = list(range(first, first + 5))
    return {
        "track_id": track_id,
        "shot_id": 0,
        "first_frame_idx": frames[0],
        "last_frame_idx": frames[-1],
        "start_s": frames[0] / 25,
        "end_s": (frames[-1] + 1) / 25,
        "frame_idxs": frames,
        "bboxes_xyxy": [[left, 10.0, left + 40, 50.0]] * 5,
        "detection_ids": [track_id * 10 + i for i in range(5)],
        "mean_confidence": 0.9,
    }


def reps(**clarities: float) -> pa.Table:
    """A rep for each `t{track_id}`: track n looks along axis n."""
    return TRACK_REPS.from_rows(
        [
            {
                "track_id": int(name[1:]),
                "representative_face_id": 0,
                "face_ids": [0],
                "embedding": np.eye(512, dtype=np.float32)[int(name[1:])].tolist(),
                "spread": 0.0,
                "clarity": clarity,
            }
            for name, clarity in clarities.items()
        ]
    )


def identities(**tracks: list[int]) -> dict[str, Any]:
    return {"identities": [{"identity_id": i, "track_ids": t} for i, t in tracks.items()]}


def cast_row(identity_id: str, **more: Any) -> dict[str, Any]:
    return {"identity_id": identity_id, "track_id": None, "merged_into": None, "cast_id": None,
            "label": None, "source": "machine", "decision": None, **more}  # fmt: skip


def test_a_person_is_the_mean_of_their_tracks_each_as_long_as_it_is_clear() -> None:
    (found,) = people_of_episode(
        EP,
        identities(id_0001=[1, 2]),
        {"people": [cast_row("id_0001")]},
        reps(t1=1.0, t2=0.5),
        screen_time(seen("id_0001", (0, 7))),
    )

    assert found.vector is not None
    assert found.vector[[1, 2]].tolist() == [0.5, 0.25]
    assert (found.person_id, found.track_ids, found.total_s) == ("id_0001", (1, 2), 7)


def test_identities_of_one_cast_member_are_one_person() -> None:
    lisa = {"cast_id": "lisa", "label": "Lisa"}
    (found,) = people_of_episode(
        EP,
        identities(id_0001=[1], id_0002=[2]),
        {"people": [cast_row("id_0001", **lisa), cast_row("id_0002", **lisa)]},
        reps(t1=1.0, t2=1.0),
        screen_time(seen(None, (0, 9), cast_id="lisa", label="Lisa")),
    )

    assert (found.person_id, found.identity_ids, found.track_ids) == (
        "lisa", ("id_0001", "id_0002"), (1, 2),
    )  # fmt: skip


def test_who_was_decided_to_have_no_name_is_settled_and_who_was_locked_is_not() -> None:
    nobody, locked = people_of_episode(
        EP,
        identities(id_0001=[1], id_0002=[2]),
        {
            "people": [
                cast_row("id_0001", source="decision", decision=4),
                cast_row("id_0002", source="decision", decision=5),
            ]
        },
        reps(t1=1.0, t2=1.0),
        screen_time(),
        settled=[4],
    )

    assert (nobody.is_settled, locked.is_settled) == (True, False)


def test_a_person_of_no_recognisable_track_has_no_vector() -> None:
    (found,) = people_of_episode(
        EP, identities(id_0001=[9]), {"people": []}, reps(t1=1.0), screen_time()
    )

    assert found.vector is None


def test_people_are_apart_if_their_faces_stand_beside_each_other_in_a_frame() -> None:
    tracks = TRACKS.from_rows([track(1, 0, 10.0), track(2, 2, 100.0), track(3, 50, 200.0)])
    people = [
        person(EP, "id_0001", looks(0), tracks=[1]),
        person(EP, "id_0002", looks(1), tracks=[2]),
        person(EP, "id_0003", looks(2), tracks=[3]),
    ]

    assert seen_at_once(people, tracks) == {(0, 1)}


def test_a_rejected_pair_is_found_again_in_tracks_that_were_made_anew() -> None:
    old = TRACKS.from_rows([track(1, 0, 10.0), track(2, 50, 100.0)])
    new = TRACKS.from_rows([track(7, 50, 101.0), track(8, 0, 11.0)])
    anchors = [anchors_of([t], old, TIMES_S, "old") for t in (1, 2)]
    members = tuple(
        RejectedMember(EP, "first", "id", a, is_apart=n == 0) for n, a in enumerate(anchors)
    )
    today = episode(EP, [
        person(EP, "id_0001", looks(0), tracks=[7]),
        person(EP, "id_0002", looks(0), tracks=[8]),
    ])  # fmt: skip

    pairs = held_apart(
        [Rejection(1, "", "", "link_1", members)], [today], {EP: TrackFinder(new, TIMES_S, "new")}
    )
    assert pairs == (((0, 0), (0, 1)),)


def test_only_who_is_apart_is_kept_from_the_others() -> None:
    tracks = TRACKS.from_rows([track(n, 20 * n, 10.0) for n in range(3)])
    members = tuple(
        RejectedMember(EP, "first", "id", anchors_of([n], tracks, TIMES_S, "t"), is_apart=n == 2)
        for n in range(3)
    )
    today = episode(EP, [person(EP, f"id_000{n}", looks(0), tracks=[n]) for n in range(3)])

    pairs = held_apart(
        [Rejection(1, "", "", "link_1", members)], [today], {EP: TrackFinder(tracks, TIMES_S, "t")}
    )
    assert pairs == (((0, 0), (0, 2)), ((0, 1), (0, 2)))


def test_a_rejection_about_an_episode_without_figures_waits() -> None:
    member = RejectedMember("show-s01e09", "first", "id", (), is_apart=True)

    assert held_apart([Rejection(1, "", "", "link_1", (member, member))], [], {}) == ()


def test_an_episode_made_otherwise_than_most_is_told_with_both_values() -> None:
    made = {
        "e1": {"stride": 3, "face_detector": "abc"},
        "e2": {"stride": 5, "face_detector": "abc"},
        "e3": {"stride": 3, "face_detector": "abc", "person_detector": "def"},
    }

    assert unlike_the_others(made) == {
        "e1": (),
        "e2": ("made with stride 5, most others with 3",),
        "e3": ("made with person_detector def, most others with none",),
    }


@pytest.mark.parametrize("raw", ["rhobh", "rhobh-s05e01", "rhobh-s5", "../x-s01", "", "s01 "])
def test_what_is_no_season_is_refused(raw: str) -> None:
    with pytest.raises(InvalidIdError, match="show-s01"):
        parse_season_key(raw)


def test_a_season_holds_its_own_episodes_in_the_order_of_their_numbers() -> None:
    known = ["rhobh-s05e100", "rhobh-s05e02", "rhobh-s050e01", "rhobh-s06e01", "clip", "a..b"]

    assert parse_season_key("RHOBH-s05") == "rhobh-s05"
    assert episodes_of("rhobh-s05", known) == ("rhobh-s05e02", "rhobh-s05e100")
    assert season_of("clip") is None
