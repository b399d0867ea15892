"""Hidden faces: what a body's appearance may tell, and what it never may."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from screenalytics_core.vision.body_bridging import LIKENESS
from screenalytics_core.vision.evidence import Evidence
from screenalytics_core.vision.fusion import Association
from tests.fusion_scenes import Seen, Story, body_at, face_at

LEFT, RIGHT = 200, 500
LIMITS = LIKENESS["hsv_stripes"]
RED, GREEN, BLUE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
ENDS = (100, 200, 300)  # three shots of ten seconds


def like_red(cosine: float) -> tuple[float, ...]:
    """A vector of which a red one has this cosine."""
    return (cosine, 0.0, float(np.sqrt(1 - cosine**2)))


def face(track_id: int, first: int, last: int, who: str | None, x: int = LEFT) -> Seen:
    return Seen(track_id, first, last, face_at(x), who, shot_id=first // 100)


def body(
    track_id: int, first: int, last: int, looks: tuple[float, ...] | None, x: int = LEFT
) -> Seen:
    return Seen(track_id, first, last, body_at(x), looks=looks, shot_id=first // 100)


ANNA_FACE = face(11, 0, 39, "anna")
ANNA_BODY = body(1, 0, 39, RED)
HIDDEN = body(2, 40, 79, RED, x=RIGHT)
PLAIN = Story([ANNA_FACE], [ANNA_BODY, HIDDEN], ENDS)


def owners_of(story: Story, track_id: int = 2) -> list[tuple[float, float, str | None]]:
    return [owner[1:] for owner in story.owners() if owner[0] == track_id]


def bridge(story: Story) -> Association:
    [found] = [a for a in story.associations() if a.evidence == Evidence.APPEARANCE]
    return found


def test_a_body_that_the_tracker_lost_is_found_again_by_its_looks() -> None:
    assert owners_of(PLAIN) == [(4, 8, "anna")]

    found = bridge(PLAIN)
    assert (found.similarity, found.gap_s) == (pytest.approx(1), 0)
    assert (found.track_ids, found.shared_frames) == ((), 0)


def test_it_works_backwards_in_time_too() -> None:
    story = Story([face(11, 60, 99, "anna")], [body(1, 60, 99, RED), body(2, 30, 49, RED)], ENDS)

    assert owners_of(story) == [(3, 5, "anna")]
    assert bridge(story).gap_s == pytest.approx(1)


def test_what_is_further_away_than_the_longest_gap_stays_nobodys() -> None:
    story = replace(PLAIN, max_bridge_s=2.5)

    assert owners_of(story) == [(4, 6.5, "anna"), (6.5, 8, None)]


def test_a_longest_gap_of_nothing_bridges_nothing() -> None:
    assert owners_of(replace(PLAIN, max_bridge_s=0.0)) == [(4, 8, None)]


def test_a_body_that_begins_too_late_is_nobodys() -> None:
    story = replace(PLAIN, bodies=[ANNA_BODY, body(2, 70, 79, RED)], max_bridge_s=2.9)

    assert owners_of(story) == [(7, 8, None)]


@pytest.mark.parametrize(
    ("cosine", "is_hers"), [(LIMITS.in_scene - 0.005, False), (LIMITS.in_scene + 0.005, True)]
)
def test_with_nobody_to_compare_with_it_must_be_very_alike(cosine: float, is_hers: bool) -> None:
    story = replace(PLAIN, bodies=[ANNA_BODY, body(2, 40, 79, like_red(cosine))])

    assert owners_of(story) == [(4, 8, "anna" if is_hers else None)]


BEN_FACE = face(12, 0, 39, "ben", x=RIGHT)


@pytest.mark.parametrize(
    ("cosine", "is_hers"), [(LIMITS.in_shot - 0.005, False), (LIMITS.in_shot + 0.005, True)]
)
def test_beside_somebody_of_other_looks_less_is_enough(cosine: float, is_hers: bool) -> None:
    bodies = [ANNA_BODY, body(3, 0, 39, GREEN, x=RIGHT), body(2, 40, 79, like_red(cosine))]
    story = Story([ANNA_FACE, BEN_FACE], bodies, ENDS)

    assert owners_of(story) == [(4, 8, "anna" if is_hers else None)]


def test_two_people_in_the_same_clothes_are_not_told_apart() -> None:
    bodies = [ANNA_BODY, body(3, 0, 39, like_red(0.99), x=RIGHT), HIDDEN]

    assert owners_of(Story([ANNA_FACE, BEN_FACE], bodies, ENDS)) == [(4, 8, None)]


def test_looks_bridge_shots_of_one_scene() -> None:
    """Her face is back in the third shot, so the shot from behind belongs to the scene."""
    faces = [ANNA_FACE, face(13, 200, 239, "anna")]
    bodies = [ANNA_BODY, body(2, 100, 120, RED)]
    story = Story(faces, bodies, ENDS, max_bridge_s=10)

    assert owners_of(story) == [(10, 12.1, "anna")]
    assert bridge(story).gap_s == pytest.approx(6)


def test_looks_never_bridge_scenes() -> None:
    bodies = [ANNA_BODY, body(2, 100, 120, RED)]

    assert owners_of(Story([ANNA_FACE], bodies, ENDS, max_bridge_s=10)) == [(10, 12.1, None)]
    apart = Story([ANNA_FACE, face(12, 100, 120, "ben", RIGHT)], bodies, ENDS, max_bridge_s=10)
    assert owners_of(apart) == [(10, 12.1, None)]


def test_nor_backwards_into_the_scene_before() -> None:
    faces = [face(12, 0, 39, "ben", RIGHT), face(11, 100, 139, "anna")]
    bodies = [body(2, 70, 99, RED), body(1, 100, 139, RED)]

    assert owners_of(Story(faces, bodies, ENDS, max_bridge_s=10)) == [(7, 10, None)]


def test_bridges_make_no_chain() -> None:
    """The third body is near the second alone, which only looks made hers."""
    story = replace(PLAIN, bodies=[ANNA_BODY, HIDDEN, body(3, 85, 99, RED)], max_bridge_s=4.4)

    assert owners_of(story, 2) == [(4, 8, "anna")]
    assert owners_of(story, 3) == [(8.5, 10, None)]


def test_who_is_on_screen_elsewhere_is_not_this_body() -> None:
    story = replace(PLAIN, faces=[ANNA_FACE, face(13, 40, 43, "anna", x=800)])

    assert owners_of(story) == [(4, 4.4, None), (4.4, 8, "anna")]


def test_a_track_that_stood_beside_her_is_never_hers() -> None:
    """Side by side for two seconds they are two people, though later only one is there."""
    story = replace(PLAIN, bodies=[ANNA_BODY, body(2, 20, 79, RED, x=RIGHT)])

    assert owners_of(story) == [(2, 8, None)]


def test_of_two_bodies_at_one_time_the_likest_is_hers() -> None:
    twins = [body(2, 40, 79, like_red(0.97), x=RIGHT), body(3, 40, 59, RED)]
    story = replace(PLAIN, bodies=[ANNA_BODY, *twins])

    assert owners_of(story, 3) == [(4, 6, "anna")]
    assert owners_of(story, 2) == [(4, 8, None)]


def test_the_looks_of_a_track_of_two_people_name_nobody() -> None:
    """Its vector is a mean of both."""
    faces = [face(11, 0, 19, "anna"), face(12, 25, 39, "ben")]

    assert owners_of(Story(faces, [ANNA_BODY, HIDDEN], ENDS)) == [(4, 8, None)]


def test_nor_do_those_of_a_track_that_was_hers_for_a_small_part() -> None:
    """From half way to where her face is seen elsewhere on, it shows somebody else."""
    faces = [face(11, 0, 9, "anna"), face(13, 20, 23, "anna", x=800)]
    story = replace(PLAIN, faces=faces)

    assert owners_of(story, 1) == [(0, 1.5, "anna"), (1.5, 4, None)]
    assert owners_of(story, 2) == [(4, 8, None)]


def test_a_body_without_looks_is_nobodys() -> None:
    assert owners_of(replace(PLAIN, bodies=[ANNA_BODY, body(2, 40, 79, None)])) == [(4, 8, None)]
    assert owners_of(replace(PLAIN, bodies=[body(1, 0, 39, None), HIDDEN])) == [(4, 8, None)]


def test_a_face_of_nobody_leaves_a_body_to_its_looks() -> None:
    story = replace(PLAIN, faces=[ANNA_FACE, face(13, 40, 79, None, x=RIGHT)])

    assert owners_of(story) == [(4, 8, "anna")]


def test_looks_are_never_as_sure_as_a_face() -> None:
    sure = max(a.confidence for a in PLAIN.associations() if a.evidence == Evidence.FACE_IN_BODY)

    assert 0 < bridge(PLAIN).confidence <= sure / 2


@pytest.mark.parametrize(
    "doubtful",
    [
        pytest.param(
            replace(PLAIN, bodies=[ANNA_BODY, replace(HIDDEN, looks=like_red(0.97))]),
            id="less alike",
        ),
        pytest.param(replace(PLAIN, bodies=[ANNA_BODY, replace(HIDDEN, first=60)]), id="later"),
        pytest.param(
            replace(PLAIN, faces=[replace(ANNA_FACE, sureness=0.5)]), id="the face itself in doubt"
        ),
        pytest.param(
            replace(
                PLAIN,
                faces=[ANNA_FACE, BEN_FACE],
                bodies=[ANNA_BODY, HIDDEN, body(3, 0, 39, like_red(0.97), x=RIGHT)],
            ),
            id="somebody else is nearly as alike",
        ),
    ],
)  # fmt: skip
def test_a_bridge_is_less_sure(doubtful: Story) -> None:
    assert bridge(doubtful).confidence < bridge(PLAIN).confidence
