"""The counters are what tells an analyst whether to trust a run: each case counted by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from screenalytics_core.artifacts import FACES
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.vision.quality_counters import (
    LIMITS,
    QualityCounter,
    quality_counters,
)
from screenalytics_core.vision.track_metrics import LIMITS as TRACK_LIMITS

# One face of a track: accepted, and why it is doubtful or was left out.
GOOD = (True, None)
DOUBTFUL = (True, "profile")
BLURRED = (False, "blurred")
SPARE = (False, "not_among_best")


def metrics(track_count: int = 4, **values: float | None) -> dict[str, Any]:
    """The document of `track_metrics`; figures that are not given have no value."""
    rows = []
    for name, limits in TRACK_LIMITS.items():
        value = values.get(name)
        rows.append(
            {
                "name": name,
                "value": value,
                "warn_below": limits.warn_below,
                "warn_above": limits.warn_above,
                "is_warning": value is not None and limits.exclude(value),
            }
        )
    return {"track_count": track_count, "observed_detection_count": 0, "metrics": rows}


def faces(*verdicts: tuple[bool, str | None]) -> pa.Table:
    return FACES.from_rows(
        [
            {
                "face_id": i, "track_id": 0, "detection_id": i, "frame_idx": i,
                "timestamp_s": i / 25, "bbox_xyxy": [0, 0, 50, 50], "confidence": 0.9,
                "size_px": 50.0, "quality": 0.5, "accepted": accepted, "reject_reason": reason,
            }
            for i, (accepted, reason) in enumerate(verdicts)
        ]
    )  # fmt: skip


def identities(*sizes: int) -> dict[str, Any]:
    return {"identities": [{"track_ids": list(range(n))} for n in sizes]}


def counter(
    name: str,
    document: dict[str, Any] | None = None,
    found: pa.Table | None = None,
    people: Sequence[int] = (),
) -> QualityCounter:
    made = quality_counters(
        document or metrics(), faces() if found is None else found, identities(*people)
    )
    return {c.name: c for c in made}[name]


def test_all_figures_are_there_in_the_order_of_the_pipeline() -> None:
    made = quality_counters(metrics(), faces(GOOD), identities(1))

    assert [c.name for c in made] == [*TRACK_LIMITS, *LIMITS]


def test_an_episode_without_a_face_has_no_values_and_no_warnings_but_for_its_tracks() -> None:
    made = quality_counters(metrics(0, tracks_per_minute=0), faces(), identities())

    assert {c.name: c.value for c in made if c.value is not None} == {"tracks_per_minute": 0}
    assert [c.name for c in made if c.is_warning] == ["tracks_per_minute"]
    assert all((c.advice is None) is not c.is_warning for c in made)


@pytest.mark.parametrize(
    ("verdicts", "tracks", "value", "is_warning"),
    [
        pytest.param([GOOD] * 6, 2, 3.0, False, id="as many as needed"),
        pytest.param([GOOD] * 5, 2, 2.5, True, id="too few"),
        pytest.param([DOUBTFUL] * 6, 2, 3.0, False, id="doubtful ones are embedded too"),
        pytest.param([GOOD] * 6 + [SPARE, BLURRED], 2, 3.0, False, id="the others are not"),
        pytest.param([BLURRED], 2, 0.0, True, id="none"),
    ],
)
def test_faces_per_track_counts_accepted_faces(
    verdicts: list[tuple[bool, str | None]], tracks: int, value: float, is_warning: bool
) -> None:
    found = counter("faces_per_track", metrics(tracks), faces(*verdicts))

    assert (found.value, found.is_warning) == (value, is_warning)


@pytest.mark.parametrize(
    ("verdicts", "value", "is_warning"),
    [
        pytest.param([GOOD] * 4, 0.0, False, id="none failed"),
        pytest.param([GOOD] * 7 + [BLURRED] * 3, 0.3, False, id="at the limit"),
        pytest.param([GOOD] * 6 + [BLURRED] * 4, 0.4, True, id="too many"),
        pytest.param([GOOD] * 4 + [SPARE] * 4, 0.0, False, id="spare faces are no failure"),
        pytest.param([GOOD, DOUBTFUL], 0.5, True, id="accepted for want of better ones"),
    ],
)
def test_the_rejection_rate_counts_faces_that_failed_a_gate(
    verdicts: list[tuple[bool, str | None]], value: float, is_warning: bool
) -> None:
    found = counter("rejection_rate", found=faces(*verdicts))

    assert (found.value, found.is_warning) == (pytest.approx(value), is_warning)


@pytest.mark.parametrize(
    ("sizes", "singletons", "largest", "warnings"),
    [
        pytest.param((4, 4, 4), 0.0, 1 / 3, set(), id="an even cast"),
        pytest.param((4, 4, 4, 1), 0.25, 4 / 13, set(), id="one extra"),
        pytest.param((4, 4, 1, 1), 0.5, 0.4, {"singleton_fraction"}, id="split people"),
        pytest.param((8, 2, 2), 0.0, 8 / 12, {"largest_cluster_share"}, id="joined people"),
    ],
)
def test_people_are_judged_by_how_their_tracks_are_shared_out(
    sizes: tuple[int, ...], singletons: float, largest: float, warnings: set[str]
) -> None:
    made = {c.name: c for c in quality_counters(metrics(0), faces(), identities(*sizes))}

    assert made["singleton_fraction"].value == pytest.approx(singletons)
    assert made["largest_cluster_share"].value == pytest.approx(largest)
    assert {name for name, c in made.items() if c.is_warning} == warnings


def test_the_tracker_s_figures_are_taken_as_they_were_judged() -> None:
    document = metrics(tracks_per_minute=20.0)
    document["metrics"][0] |= {"warn_below": 25.0, "is_warning": True}

    found = counter("tracks_per_minute", document)

    assert (found.value, found.warn_below, found.warn_above) == (20.0, 25.0, 30)
    assert found.is_warning


def test_too_few_and_too_many_tracks_call_for_different_things() -> None:
    few = counter("tracks_per_minute", metrics(tracks_per_minute=2)).advice
    many = counter("tracks_per_minute", metrics(tracks_per_minute=90)).advice

    assert few is not None
    assert many is not None
    assert "lower det_thresh" in few
    assert "raise det_thresh" in many


def crossed() -> list[QualityCounter]:
    low = metrics(1, **{n: -1.0 for n, limit in TRACK_LIMITS.items() if limit.warn_below})
    high = metrics(9, **{n: 1e3 for n, limit in TRACK_LIMITS.items() if limit.warn_above})
    made = [
        *quality_counters(low, faces(BLURRED), identities(1)),
        *quality_counters(high, faces(BLURRED), identities(1)),
    ]
    return [c for c in made if c.is_warning]


def test_every_figure_can_be_crossed_and_then_names_a_setting() -> None:
    settings = set(EpisodeRunConfig.model_fields)

    assert {c.name for c in crossed()} == {*TRACK_LIMITS, *LIMITS}
    for found in crossed():
        advice = found.advice or ""
        assert settings & set(re.findall(r"\w+", advice)), found
        assert "\n" not in advice
        assert len(advice) < 200
        assert "_" not in found.title


def test_a_figure_that_this_version_does_not_know_is_shown_by_its_name() -> None:
    document = metrics()
    document["metrics"].append(
        {"name": "odd_share", "value": 2.0, "warn_below": None, "warn_above": 1.0,
         "is_warning": True}
    )  # fmt: skip

    found = counter("odd_share", document)

    assert found.title == "Odd share"
    assert found.advice is not None
    assert found.advice.startswith("Look at the tracks")
