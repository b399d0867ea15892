"""The timeline of a run's page has one axis, whenever the video begins."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenalytics_assets.api.pages import routes
from screenalytics_assets.api.pages.axis import Axis, axis_of
from screenalytics_assets.api.pages.run_view import run_view
from screenalytics_core.artifacts import ArtifactKind
from tests.api_reading import client_of, seen_run
from tests.check_samples import sound_run
from tests.stores import EP, Stores

STATUS = {
    "ep_id": EP, "run_id": "first", "state": "completed", "error": None,
    "dagster_run_ids": [], "stages": {},
}  # fmt: skip


def person(*stretches: tuple[float, float]) -> dict[str, Any]:
    segments = [{"start_s": s, "end_s": e, "source": "face"} for s, e in stretches]
    return {
        "identity_id": None, "cast_id": None, "label": None, "total_s": 1.0, "low_s": 1.0,
        "high_s": 1.0, "share": 0.1, "segments": segments,
    }  # fmt: skip


def view_of(start_s: float, duration_s: float, *people: dict[str, Any]) -> Any:
    screen_time = {
        "duration_s": duration_s, "counted_s": duration_s, "covered_s": 0.0, "unknown_s": 0.0,
        "people": people,
    }  # fmt: skip
    no_names: dict[str, Any] = {"people": [], "suggestions": []}
    return run_view(STATUS, screen_time, {"identities": []}, no_names, {"start_s": start_s})


def test_a_video_that_begins_late_fills_its_axis_from_the_first_frame_to_the_end() -> None:
    first, second = person((0.852, 5.0)), person((5.0, 10.028))

    view = view_of(0.852, 9.176, first, second)

    [one], [other] = (lane.bars for lane in view.people)
    assert one.x == 0.0
    assert other.x == pytest.approx(one.x + one.width, abs=1e-3)
    assert other.x + other.width == pytest.approx(100.0, abs=1e-3)


def test_the_marks_stand_on_the_axis_of_the_bars() -> None:
    view = view_of(0.852, 9.176, person((2.0, 4.0)))

    [bar] = view.people[0].bars
    place_of = {label: place for place, label in view.ticks}
    assert bar.x == place_of["0:02"]
    assert bar.x + bar.width == pytest.approx(place_of["0:04"], abs=1e-3)
    assert "0:00" not in place_of


@given(
    start_s=st.floats(0.0, 9e3), duration_s=st.floats(0.01, 9e3), moments=st.lists(st.floats(0, 1))
)
def test_who_is_seen_later_stands_further_right(
    start_s: float, duration_s: float, moments: list[float]
) -> None:
    axis = Axis(start_s, start_s + duration_s)
    places = [axis.place(start_s + share * duration_s) for share in sorted(moments)]

    assert all(0.0 <= before <= after <= 100.0 for before, after in pairwise(places))
    marks = [place for place, _ in axis.ticks()]
    assert marks == sorted(set(marks))
    assert len(marks) <= 8


def test_without_the_shots_everybody_who_is_seen_stands_on_the_axis() -> None:
    screen_time = {"duration_s": 9.176, "people": [person((0.852, 10.028))]}

    assert axis_of(screen_time, None) == Axis(0.0, 10.028)


def test_an_episode_of_no_length_has_no_marks() -> None:
    assert Axis(0.0, 0.0).ticks() == ()
    assert Axis(0.0, 0.0).place(1.0) == 0.0


def test_the_page_reads_when_its_video_begins(tmp_path: Any) -> None:
    stores = Stores(tmp_path)
    seen_run(stores, "first")
    parts = sound_run()[ArtifactKind.SHOTS]
    stores.publish(
        "first", ArtifactKind.SHOTS, {**parts, "shots": {**parts["shots"], "start_s": 1.0}}
    )

    with client_of(tmp_path, [routes.router]) as client:
        page = client.get(f"/ui/{EP}/first").text

    # Everybody is seen once in each second; the axis begins with the second one.
    assert 'x="0.0%" width="0.0%"' in page
    assert ">0:00</text>" not in page
