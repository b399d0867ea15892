"""The memory bench: what a result takes is taken off, and growth is told from noise."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.memory import PROCESSES, StageMemory, compare, holds, report, size_bytes
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.stages import STAGE_PLAN
from tests.stores import EP, Stores, detection_parts


def stage(minutes: float, peak_mb: float, result_mb: float, cpu_s: float = 60) -> StageMemory:
    return StageMemory("faces", minutes, peak_mb, result_mb, cpu_s)


def test_every_stage_is_measured_once() -> None:
    assert sorted(s for stages in PROCESSES for s in stages) == sorted(STAGE_PLAN)


@pytest.mark.parametrize(
    ("long_mb", "result_mb", "beyond_mb", "is_flat"),
    [
        pytest.param(400, 0, 0, True, id="the same"),
        pytest.param(520, 120, 0, True, id="its result alone"),
        pytest.param(439, 0, 39, True, id="noise"),
        pytest.param(561, 120, 41, False, id="more than its result"),
    ],
)
def test_only_what_is_not_the_result_counts(
    long_mb: float, result_mb: float, beyond_mb: float, is_flat: bool
) -> None:
    found = compare([stage(1.5, 400, 3)], [stage(10, long_mb, 3 + result_mb, 400)])

    assert found["stages"][0]["beyond_mb"] == beyond_mb
    assert found["stages"][0]["cpu_s_per_minute"] == [40, 40]
    assert holds(found) == is_flat
    assert f"{beyond_mb:+.1f}" in report(found)[-1]


def test_a_stage_that_takes_too_much_is_told_however_flat_it_is() -> None:
    assert not holds(compare([stage(1.5, 1501, 3)], [stage(10, 1501, 3)]))


def test_the_size_of_a_result_is_that_of_its_tables_and_arrays(tmp_path: Path) -> None:
    stores = Stores(tmp_path)
    stores.run("a")
    stores.publish_detections("a", 5)
    held = stores.artifacts.ref(EP, "a", ArtifactKind.DETECTIONS)
    parts = detection_parts(5)

    assert held is not None
    assert size_bytes(held) == parts["detections"].nbytes + parts["sampled_frames"].nbytes
