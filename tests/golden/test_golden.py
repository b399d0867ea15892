"""Composed episodes through the real pipeline: what comes out is what came out before.

After an intended change: `make golden`, and read the difference before committing it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.composed.episodes import EPISODES
from benchmarks.composed.golden import FOLDER, GOLDEN, differences, expected_summary, run_golden
from screenalytics_core.vision.models.protocols import ModelPack

SUMMARY = {
    "shots": 3, "bcubed_f1": 0.98, "recall": None,
    "persons": {"red shirt": {"true_s": 2.0, "seen_s": 2.0}},
}  # fmt: skip


@pytest.mark.models
@pytest.mark.parametrize("name", GOLDEN)
def test_an_episode_gives_the_expected_summary(
    name: str, tmp_path: Path, lite_pack: ModelPack
) -> None:
    found = run_golden(name, tmp_path)

    told = list(differences(expected_summary(name), found))
    assert not told, "\n".join(["not as expected (intended? make golden):", *told])


def test_every_named_episode_has_an_expected_summary_and_none_is_left_over() -> None:
    assert sorted(GOLDEN) == sorted(EPISODES)
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == sorted(GOLDEN)


def changed(**figures: Any) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(SUMMARY))
    person = copy["persons"]["red shirt"]
    person.update({k: v for k, v in figures.items() if k in person})
    copy.update({k: v for k, v in figures.items() if k not in person})
    return copy


@pytest.mark.parametrize(
    ("found", "told"),
    [
        pytest.param(changed(), [], id="the same"),
        pytest.param(changed(seen_s=2.2, bcubed_f1=0.95), [], id="within tolerance"),
        pytest.param(
            changed(seen_s=1.7),
            ["persons, red shirt, seen_s: expected 2.0, found 1.7 (tolerance 0.2)"],
            id="seconds",
        ),
        pytest.param(changed(shots=4), ["shots: expected 3, found 4"], id="a count"),
        pytest.param(
            changed(true_s=2.04),
            ["persons, red shirt, true_s: expected 2.0, found 2.04"],
            id="the truth itself",
        ),
        pytest.param(
            changed(recall=1.0),
            ["recall: expected None, found 1.0 (tolerance 0.03)"],
            id="from nothing",
        ),
        pytest.param(changed(people=2), ["people: is new"], id="a new figure"),
        pytest.param(
            {k: v for k, v in SUMMARY.items() if k != "persons"}, ["persons: is gone"], id="gone"
        ),
    ],
)
def test_a_difference_names_the_figure_and_both_values(
    found: dict[str, Any], told: list[str]
) -> None:
    assert list(differences(SUMMARY, found)) == told
