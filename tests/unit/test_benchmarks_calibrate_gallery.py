"""Thresholds for names by measurement: what counts as right, wrong and a stranger's name."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.calibrate_gallery import (
    Asked,
    Known,
    asked_of,
    cast_of,
    choices,
    fitted,
    main,
    proposed,
    rates,
    reliability,
    table,
    thinned,
    ways_of,
)
from benchmarks.processes import BenchError
from screenalytics_core.gallery.prototypes import MAX_PROTOTYPES
from screenalytics_core.gallery.vectors import CropVectors
from screenalytics_core.vision.models.protocols import FloatArray
from tests.gallery_fakes import looks, vector

NOT_THERE = float("nan")
ANNA, BEN, CLEO = vector(1, 0, 0), vector(0, 1, 0), vector(0, 0, 1)


def asked(own: float, *others: float) -> Asked:
    return Asked(own, np.array(others))


def crops(*views: FloatArray) -> CropVectors:
    """Vectors whose blank ones lie where nobody is, and close together."""
    blank = np.tile(vector(0, 0, 0), (len(views), 1)) * 0.1
    return CropVectors(tuple(f"p{n}" for n in range(len(views))), np.array(views), blank)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(asked(0.6, 0.1), (1, 0, 0), id="named"),
        pytest.param(asked(0.4, 0.1), (0, 0, 0), id="not alike enough"),
        pytest.param(asked(0.6, 0.55, 0.1), (0, 0, 1), id="too thin a lead, but not without it"),
        pytest.param(asked(0.3, 0.6, 0.1), (0, 1, 1), id="taken for somebody else"),
        pytest.param(asked(NOT_THERE, 0.6, 0.1), (0, 0, 1), id="a stranger who is named"),
        pytest.param(asked(NOT_THERE, 0.6, 0.59), (0, 0, 0), id="a stranger between two"),
    ],
)
def test_what_becomes_of_an_identity(one: Asked, expected: tuple[float, float, float]) -> None:
    assert rates([one], 0.5, 0.1) == expected


def test_the_lowest_threshold_without_wrong_names_is_proposed() -> None:
    people = [asked(0.7, 0.1)] * 300 + [asked(NOT_THERE, 0.43, 0.1)] * 3

    assert proposed({"one": people}) == 0.44
    assert proposed({"one": people, "other": [asked(0.9, 0.62, 0.0)]}) == 0.63
    assert proposed({"one": [asked(NOT_THERE, 0.95, 0.0)]}) is None


def test_choices_are_made_with_and_without_the_own_member() -> None:
    assert list(choices([asked(0.6, 0.2, 0.1)])) == [
        (0.2, pytest.approx(0.1), False), (0.6, pytest.approx(0.4), True),
    ]  # fmt: skip
    assert list(choices([asked(0.2, 0.6, 0.1)]))[1] == (0.6, pytest.approx(0.4), False)


def test_a_confidence_is_fitted_where_right_and_wrong_meet() -> None:
    rng = np.random.default_rng(2)
    people = [asked(float(v), 0.0) for v in rng.normal(0.6, 0.1, 300)]
    strangers = [asked(NOT_THERE, float(v), 0.0) for v in rng.normal(0.3, 0.1, 300)]

    start, slope = fitted({"all": people + strangers}, 0.5)

    assert slope > 5
    assert 0.7 < -start / slope < 1.1
    assert len(list(reliability({"all": people + strangers}, 0.5))) == 8


def test_the_people_of_episodes_become_a_cast_and_are_found_again() -> None:
    first = [Known("Anna", looks(ANNA), crops(ANNA)), Known("Ben", looks(BEN), crops(BEN, BEN))]
    second = [Known("Anna", looks(ANNA), crops()), Known("Cleo", looks(CLEO), crops(CLEO))]

    cast = cast_of([first])
    anna, cleo = asked_of(cast, [second])

    assert [m.cast_id for m in cast] == ["Anna", "Ben"]
    assert anna.own > 0.9 > anna.others[0]
    assert np.isnan(cleo.own)
    assert cleo.others.max() < 0.3
    told = table({"one": [anna, cleo, asked(0.5, 0.4, 0.1)]})
    assert told[0] == "one: 3 asked, 2 of them in the cast"
    assert "match_thresh 0.41, match_margin 0.10" in told


def test_a_member_has_no_more_faces_than_the_product_keeps() -> None:
    many = thinned(crops(*[ANNA] * 90))

    assert len(many.names) == MAX_PROTOTYPES
    assert many.names[0] == "p0"
    assert many.names[-1] == "p89"


def test_an_argument_that_cannot_be_used_is_named_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["truth.json"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("truth.json: is no TRUTH=RUN_FOLDER")


def test_runs_without_people_in_common_are_told_so() -> None:
    anna, ben = Known("Anna", looks(ANNA), crops(ANNA)), Known("Ben", looks(BEN), crops(BEN))
    cleo, dora = Known("Cleo", looks(CLEO), crops(CLEO)), Known("Dora", looks(CLEO), crops(CLEO))

    assert set(ways_of([[anna, ben], [anna, ben]])) == {
        "cast of one episode", "cast of half of the episodes",
    }  # fmt: skip
    for episodes in ([], [[anna, ben]], [[anna], [anna]], [[anna, ben], [cleo, dora]]):
        with pytest.raises(BenchError, match="too few people are in two of the runs: add runs"):
            ways_of(episodes)
