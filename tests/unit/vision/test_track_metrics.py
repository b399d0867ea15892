"""The health figures: each on a scene where it can be counted by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from screenalytics_core.artifacts import TRACK_METRICS
from screenalytics_core.vision.track_metrics import LIMITS, track_metrics
from tests.tracking_scenes import FPS, SETTINGS, Scene, during, scene, standing, weak_in


def measured(made: Scene, **settings: Any) -> dict[str, Any]:
    tracks = made.tracks(replace(SETTINGS, **settings))
    return track_metrics(tracks, made.detections, made.frame_times_s, SETTINGS.strong_confidence)


def values(document: dict[str, Any]) -> dict[str, float | None]:
    return {m["name"]: m["value"] for m in document["metrics"]}


def warnings(document: dict[str, Any]) -> set[str]:
    return {m["name"] for m in document["metrics"] if m["is_warning"]}


def test_the_document_fits_its_spec_and_names_every_metric_with_its_limits() -> None:
    document = TRACK_METRICS.conform(measured(scene(standing())))

    assert [m["name"] for m in document["metrics"]] == list(LIMITS)
    assert (document["track_count"], document["observed_detection_count"]) == (1, 100)
    for metric in document["metrics"]:
        limits = LIMITS[metric["name"]]
        assert (metric["warn_below"], metric["warn_above"]) == (
            limits.warn_below,
            limits.warn_above,
        )


def test_without_tracks_only_their_number_has_a_value() -> None:
    document = TRACK_METRICS.conform(measured(scene(shots=(50,))))

    assert {n for n, v in values(document).items() if v is not None} == {"tracks_per_minute"}
    assert values(document)["tracks_per_minute"] == 0
    assert warnings(document) == {"tracks_per_minute"}


def test_tracks_are_counted_per_minute_of_the_episode() -> None:
    made = scene(standing(), shots=(50, 50))
    long = made._replace(frame_times_s=np.arange(101) * 0.06)

    assert values(measured(made))["tracks_per_minute"] == pytest.approx(2 * 60 / 4)
    assert values(measured(long))["tracks_per_minute"] == pytest.approx(2 * 60 / 6)
    assert "tracks_per_minute" not in warnings(measured(long))


def test_tracks_under_half_a_second_are_short() -> None:
    made = scene(
        standing(x=100),
        during(standing(x=400), range(20, 32)),
        during(standing(x=700), range(20, 33)),
    )
    found = values(measured(made))

    assert found["short_track_fraction"] == pytest.approx(1 / 3)
    assert found["median_track_s"] == pytest.approx(13 / FPS)
    assert found["detections_per_track"] == pytest.approx(125 / 3)
    assert warnings(measured(made)) >= {"short_track_fraction"}


def test_filled_boxes_are_counted_between_detections_but_not_at_extended_ends() -> None:
    made = scene(during(standing(), range(30, 45), range(54, 61)), stride=3)

    # Looks from 30 to 60: eleven, of which 45, 48 and 51 show nothing.
    assert values(measured(made))["interpolated_fraction"] == pytest.approx(3 / 11)
    assert "interpolated_fraction" in warnings(measured(made))


def test_a_track_that_begins_where_one_just_ended_is_broken() -> None:
    person = during(standing(), range(40), range(60, 100))

    assert values(measured(scene(person)))["broken_track_fraction"] == pytest.approx(0.5)
    assert "broken_track_fraction" in warnings(measured(scene(person)))


@pytest.mark.parametrize(
    ("people", "shots"),
    [
        pytest.param([standing()], (40, 60), id="a cut lies between"),
        pytest.param(
            [during(standing(x=100), range(40)), during(standing(x=400), range(45, 100))],
            (100,),
            id="elsewhere in the picture",
        ),
        pytest.param([during(standing(), range(30), range(60, 100))], (100,), id="much later"),
        pytest.param([standing(x=100), standing(x=140)], (100,), id="at the same time"),
    ],
)
def test_two_tracks_are_not_taken_for_one_that_broke(people: Any, shots: tuple[int, ...]) -> None:
    assert values(measured(scene(*people, shots=shots)))["broken_track_fraction"] == 0


def test_strong_detections_that_no_track_took_are_told() -> None:
    made = scene(weak_in(standing(x=100), range(90, 100)), during(standing(x=400), range(50, 51)))

    found = values(measured(made))["strong_detections_outside_tracks_fraction"]

    assert found == pytest.approx(1 / 91)
