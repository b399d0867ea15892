"""Stretches that are not counted, on the clock of the video."""

from __future__ import annotations

from screenalytics_core.vision.trims import Trim, counted, parse_trims, trims_within

VIDEO = (0.5, 100.5)


def test_a_name_left_out_is_no_trim() -> None:
    assert parse_trims({"credits": (90, 100)}) == {"recap": None, "credits": [90.0, 100.0]}


def test_trims_are_cut_to_the_video_and_stand_in_time_order() -> None:
    trims = {"credits": [90.0, 2000.0], "recap": [0.0, 20.0]}

    assert trims_within(trims, VIDEO) == (Trim("recap", 0.5, 20.0), Trim("credits", 90.0, 100.5))


def test_a_trim_outside_the_video_counts_for_nothing() -> None:
    assert trims_within({"recap": [0.0, 0.5], "credits": [100.5, 120.0]}, VIDEO) == ()


def test_what_two_trims_share_is_left_out_once() -> None:
    trims = trims_within({"recap": [0.0, 30.0], "credits": [20.0, 60.0]}, VIDEO)

    assert counted(VIDEO, trims) == ((60.0, 100.5),)
    assert counted(VIDEO, trims_within({"recap": [0, 200]}, VIDEO)) == ()
    assert counted(VIDEO, ()) == (VIDEO,)
