"""Whose a body is, told by faces: each case reads as a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fusion_scenes import Seen, Story, body_at, face_at

LEFT, RIGHT = 200, 500
BODY = Seen(1, 0, 99, body_at(LEFT))
OTHER = Seen(2, 0, 99, body_at(RIGHT))
Owners = list[tuple[int, float, float, str | None]]


def anna(track_id: int, first: int, last: int, x: int = LEFT) -> Seen:
    return Seen(track_id, first, last, face_at(x), "anna")


def ben(track_id: int, first: int, last: int, x: int = LEFT) -> Seen:
    return Seen(track_id, first, last, face_at(x), "ben")


def stranger(track_id: int, first: int, last: int, x: int = LEFT) -> Seen:
    return Seen(track_id, first, last, face_at(x), None)


CASES = [
    pytest.param(
        [anna(11, 20, 40)], [BODY], [(1, 0, 10, "anna")],
        id="a body is hers also while her face is hidden",
    ),
    pytest.param(
        [stranger(11, 0, 99)], [BODY], [(1, 0, 10, None)],
        id="a face of nobody makes a body nobody's",
    ),
    pytest.param(
        [stranger(11, 0, 50), anna(12, 60, 70)], [BODY], [(1, 0, 10, "anna")],
        id="a face of nobody takes nothing from her",
    ),
    pytest.param(
        [anna(11, 0, 29), ben(12, 50, 99)], [BODY], [(1, 0, 4, "anna"), (1, 4, 10, "ben")],
        id="a track that switched is split half way between her last vote and his first",
    ),
    pytest.param(
        [anna(11, 0, 49), ben(12, 50, 99)], [BODY], [(1, 0, 5, "anna"), (1, 5, 10, "ben")],
        id="faces in neighbouring frames part between the frames",
    ),
    pytest.param(
        [anna(11, 0, 29), ben(12, 45, 54), anna(13, 70, 99)], [BODY],
        [(1, 0, 3.75, "anna"), (1, 3.75, 6.25, "ben"), (1, 6.25, 10, "anna")],
        id="while his face is inside, the time is his",
    ),
    pytest.param(
        [anna(11, 0, 29), ben(12, 50, 50), anna(13, 70, 99)], [BODY], [(1, 0, 10, "anna")],
        id="one stray face in the middle changes nothing",
    ),
    pytest.param(
        [anna(11, 0, 29), ben(12, 99, 99)], [BODY], [(1, 0, 10, "anna")],
        id="nor one at the end",
    ),
    pytest.param(
        [anna(11, 0, 29), anna(12, 50, 99, RIGHT)], [BODY],
        [(1, 0, 4, "anna"), (1, 4, 10, None)],
        id="once her face is seen elsewhere, the body is nobody's from half way on",
    ),
    pytest.param(
        [anna(11, 0, 29), anna(12, 50, 99, RIGHT)], [BODY, OTHER],
        [(1, 0, 4, "anna"), (1, 4, 10, None), (2, 0, 4, None), (2, 4, 10, "anna")],
        id="when her face moves to another body, the bodies change owners together",
    ),
    pytest.param(
        [anna(11, 0, 29), anna(12, 80, 89, RIGHT)],
        [Seen(1, 0, 69, body_at(LEFT)), Seen(2, 50, 99, body_at(RIGHT))],
        [(1, 0, 7, "anna"), (2, 5, 7, None), (2, 7, 10, "anna")],
        id="of two bodies with hidden faces, the one with more votes is hers",
    ),
    pytest.param(
        [anna(11, 0, 9), ben(12, 0, 9, RIGHT)], [BODY, OTHER],
        [(1, 0, 10, "anna"), (2, 0, 10, "ben")],
        id="two faces in two bodies",
    ),
    pytest.param(
        [anna(11, 0, 29), anna(12, 30, 59)],
        [Seen(1, 0, 99, body_at(LEFT)), Seen(2, 30, 99, (140, 98, 260, 300))],
        [(1, 0, 10, "anna"), (2, 3, 10, "anna")],
        id="two boxes of one person are both hers",
    ),
    pytest.param([], [BODY], [(1, 0, 10, None)], id="a body without any face is nobody's"),
    pytest.param([anna(11, 0, 9)], [], [], id="no bodies"),
]  # fmt: skip


@pytest.mark.parametrize(("faces", "bodies", "expected"), CASES)
def test_owners(faces: list[Seen], bodies: list[Seen], expected: Owners) -> None:
    assert Story(faces, bodies).owners() == expected


def confidence(*faces: Seen) -> float:
    return max(a.confidence for a in Story(faces, [BODY]).associations())


def test_an_association_names_the_tracks_that_voted_and_their_frames() -> None:
    [row] = Story([anna(12, 20, 29), anna(11, 0, 9), ben(13, 15, 15)], [BODY]).associations()

    assert (row.track_ids, row.shared_frames, row.evidence) == ((11, 12), 20, "face_in_body")


def test_a_guessed_face_is_no_vote() -> None:
    hidden = Seen(11, 0, 9, face_at(LEFT), "anna", unseen=frozenset(range(3, 9)))

    assert Story([hidden], [BODY]).associations()[0].shared_frames == 4


def test_a_face_that_is_always_there_is_surer_than_one_seen_for_a_moment() -> None:
    assert confidence(anna(11, 0, 99)) > 0.9
    assert confidence(anna(11, 0, 99)) > confidence(anna(11, 0, 49)) > confidence(anna(11, 0, 5))


def test_the_longer_a_face_is_hidden_the_less_sure_the_tracker_is() -> None:
    """The same face in the same frames, and the body stays for as long again, or not."""
    short = Story([anna(11, 0, 49)], [Seen(1, 0, 49, body_at(LEFT))]).associations()[0]

    assert confidence(anna(11, 0, 49)) == pytest.approx(0.75 * short.confidence, abs=1e-6)


def test_it_is_no_surer_than_that_the_face_is_hers() -> None:
    doubtful = replace(anna(11, 0, 99), sureness=0.4)

    assert confidence(doubtful) == pytest.approx(0.4 * confidence(anna(11, 0, 99)), abs=1e-6)


def test_of_two_faces_that_voted_the_one_with_more_votes_says_more() -> None:
    doubtful, sure = replace(anna(11, 0, 74), sureness=0.2), anna(12, 75, 99)

    both = confidence(anna(11, 0, 74), sure)

    assert confidence(doubtful, sure) == pytest.approx((3 * 0.2 + 1) / 4 * both, abs=1e-6)


def test_of_as_many_votes_those_that_fit_badly_say_less() -> None:
    aside, right = Seen(11, 0, 49, face_at(LEFT + 42), "anna"), anna(12, 50, 99)

    both = confidence(aside, right)

    assert 0.7 * both < confidence(replace(aside, sureness=0.2), right) < both


def test_a_face_of_hers_that_did_not_vote_changes_nothing() -> None:
    faces = [anna(11, 0, 39), anna(12, 60, 99, RIGHT)]
    bodies = [Seen(1, 0, 39, body_at(LEFT)), Seen(2, 60, 99, body_at(RIGHT))]
    doubtful = [faces[0], replace(faces[1], sureness=0.1)]

    (sure, _), (same, less) = (Story(f, bodies).associations() for f in (faces, doubtful))

    assert same == sure
    assert less.confidence == pytest.approx(0.1 * sure.confidence, abs=1e-6)


def test_a_face_that_fits_badly_is_less_sure() -> None:
    aside = Seen(11, 0, 99, face_at(LEFT + 42), "anna")

    assert confidence(aside) < 0.8 * confidence(anna(11, 0, 99))


def test_a_second_face_in_the_box_without_a_body_of_its_own_makes_it_doubtful() -> None:
    both = confidence(anna(11, 0, 99), Seen(12, 0, 99, face_at(LEFT + 30), "ben"))

    assert both < 0.7 * confidence(anna(11, 0, 99))


def test_a_second_face_with_a_body_of_its_own_does_not() -> None:
    behind = Seen(12, 0, 99, face_at(LEFT + 30), "ben")
    pair = Story([anna(11, 0, 99), behind], [BODY, Seen(2, 0, 99, body_at(LEFT + 30))])

    assert pair.associations()[0].confidence == confidence(anna(11, 0, 99))
