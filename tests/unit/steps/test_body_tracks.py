"""The body_tracks step: what it writes, how long it waits, and which detections it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from screenalytics_core.artifacts import ARTIFACTS, BODY_DETECTIONS, BODY_TRACKS
from screenalytics_core.artifacts import ArtifactKind as Kind
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.errors import InputConflictError
from screenalytics_core.steps.base import StepInput
from screenalytics_core.steps.body_tracks import STEP
from tests.report_samples import SampleArtifact
from tests.tracking_scenes import FPS, Scene, during, scene, standing, walking, weak_in

Vectors = NDArray[np.float16]


def shots_document(made: Scene) -> dict[str, Any]:
    times = made.frame_times_s
    bounds = [(int(s.sampled[0]), int(s.sampled[-1]) + 1) for s in made.shots]
    return {
        "fps": f"{FPS:.0f}/1", "frame_count": len(times) - 1,
        "shots": [
            {"shot_id": i, "start_frame": a, "end_frame": b} for i, (a, b) in enumerate(bounds)
        ],
    }  # fmt: skip


def detections_table(made: Scene, appearance: str | None = "reid") -> pa.Table:
    d = made.detections
    starts = [int(s.sampled[0]) for s in made.shots]
    shot_ids = np.searchsorted(starts, d.frame_idxs, side="right") - 1
    return BODY_DETECTIONS.from_rows(
        [
            {"detection_id": int(d.detection_ids[i]), "frame_idx": int(d.frame_idxs[i]),
             "timestamp_s": float(made.frame_times_s[d.frame_idxs[i]]), "shot_id": int(shot_ids[i]),
             "bbox_xyxy": d.bboxes_xyxy[i].tolist(), "confidence": float(d.confidences[i]),
             "appearance": appearance}
            for i in range(len(d.frame_idxs))
        ]
    )  # fmt: skip


def who_is_who(made: Scene) -> Vectors:
    """A vector per detection: person n has it in dimension n of 4."""
    return np.eye(4, dtype=np.float16)[[made.person_of[i] for i in range(len(made.person_of))]]


def run(
    made: Scene,
    vectors: Vectors | None = None,
    *,
    table: pa.Table | None = None,
    sampled: NDArray[np.int64] | None = None,
    **settings: Any,
) -> Mapping[str, Any]:
    config = EpisodeRunConfig.from_mapping(settings)
    shots = {"shots": shots_document(made), "frame_times": made.frame_times_s}
    bodies = {
        "body_detections": detections_table(made) if table is None else table,
        "body_sampled_frames": np.concatenate(
            [np.empty(0, np.int64), *(s.sampled for s in made.shots)]
        )
        if sampled is None
        else sampled,
        "body_appearance": who_is_who(made) if vectors is None else vectors,
    }
    artifacts = {Kind.SHOTS: shots, Kind.BODY_DETECTIONS: bodies}
    return STEP.run(
        StepInput(
            ep_id="e", run_id="r", settings=config.only(STEP.settings),
            artifacts={k: SampleArtifact(k, artifacts[k]) for k in STEP.inputs},
        )
    )[Kind.BODY_TRACKS]  # fmt: skip


def rows_of(made: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = made["body_tracks"].to_pylist()
    return rows


def test_each_body_has_a_track_and_what_it_looks_like() -> None:
    made = run(scene(walking(60, 4), standing(x=500), stride=3))

    assert set(made) == {f.part for f in ARTIFACTS[Kind.BODY_TRACKS].files}
    assert made["body_tracks"].schema == BODY_TRACKS.arrow_schema()
    rows = rows_of(made)
    assert [r["body_track_id"] for r in rows] == [0, 1]
    assert [r["appearance_row"] for r in rows] == [0, 1]
    assert [r["appearance"] for r in rows] == ["reid", "reid"]
    assert made["body_embeddings"].dtype == np.float32
    assert made["body_embeddings"].tolist() == [[1, 0, 0, 0], [0, 1, 0, 0]]


def test_the_vector_of_a_track_is_the_mean_of_its_own_and_has_length_one() -> None:
    there = scene(standing(), shots=(12,), stride=4)
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float16)

    made = run(there, vectors)

    assert made["body_embeddings"][0] == pytest.approx([0.5**0.5] * 2)


def test_a_body_behind_another_is_described_by_the_frames_where_it_stands_alone() -> None:
    # At frame 50 the boxes, 60 px wide, are 30 px apart; before and after, further.
    passing = scene(
        lambda f: (200 + 30 + abs(f - 50) * 3, 200, 0.8), standing(x=200), shots=(100,), stride=5
    )
    frames = passing.detections.frame_idxs
    vectors = who_is_who(passing)
    vectors[np.abs(frames - 50) <= 3] = [0, 0, 1, 0]

    made = run(passing, vectors)

    assert np.sort(made["body_embeddings"][:, 2]).tolist() == [0, 0]


def test_a_body_that_never_stands_alone_is_described_nevertheless() -> None:
    made = run(scene(standing(x=200), standing(x=235), stride=5))

    assert made["body_embeddings"].tolist() == [[1, 0, 0, 0], [0, 1, 0, 0]]


def test_a_box_of_no_track_covers_nobody() -> None:
    """Detectors box a chest once or twice beside the whole body."""
    there = scene(standing(x=200), during(standing(x=235), range(50, 51)), stride=5)
    vectors = who_is_who(there)
    vectors[there.detections.frame_idxs != 50] = [0, 0, 1, 0]

    made = run(there, vectors)

    assert made["body_embeddings"][0, 0] > 0


@pytest.mark.parametrize("useless", [0.0, np.nan])
def test_a_track_without_a_usable_vector_has_no_row(useless: float) -> None:
    there = scene(standing(x=100), standing(x=500), stride=5)
    vectors = who_is_who(there)
    vectors[vectors[:, 0] == 1] = useless

    made = run(there, vectors)

    assert [(r["appearance_row"], r["appearance"]) for r in rows_of(made)] == [
        (None, None), (0, "reid"),
    ]  # fmt: skip
    assert made["body_embeddings"].tolist() == [[0, 1, 0, 0]]


def test_a_vector_that_is_not_finite_does_not_spoil_its_track() -> None:
    there = scene(standing(), stride=5)
    vectors = who_is_who(there)
    vectors[3, 2] = np.inf

    assert run(there, vectors)["body_embeddings"].tolist() == [[1, 0, 0, 0]]


def test_detections_without_vectors_still_become_tracks() -> None:
    there = scene(standing(), stride=5)

    made = run(there, np.empty((0, 0), np.float16), table=detections_table(there, None))

    assert [r["appearance_row"] for r in rows_of(made)] == [None]
    assert made["body_embeddings"].shape == (0, 0)


@pytest.mark.parametrize("stride", [2, 6, 12])
def test_a_body_that_is_missed_in_one_look_is_the_same_whatever_the_stride(stride: int) -> None:
    missed = range(5 * stride, 5 * stride + 1)
    there = scene(
        lambda f: None if f in missed else (300, 200, 0.8), shots=(12 * stride,), stride=stride
    )

    assert len(rows_of(run(there, track_buffer=0))) == 1


def test_a_body_that_is_gone_for_longer_is_a_new_one() -> None:
    gone = scene(during(standing(), range(36), range(72, 120)), shots=(120,), stride=6)

    assert len(rows_of(run(gone))) == 2
    assert len(rows_of(run(gone, track_buffer=42))) == 1


def test_short_shots_do_not_shorten_the_wait() -> None:
    """Looks at their ends stand close together; the stride is the longest distance."""
    missed = during(standing(), range(60), range(61, 100))
    there = scene(missed, shots=(10, 10, 10, 10, 60), stride=12)

    assert [r["shot_id"] for r in rows_of(run(there, track_buffer=0))] == [0, 1, 2, 3, 4]


def test_two_who_stand_close_are_two() -> None:
    """Their boxes overlap by half, which in faces would be one face boxed twice."""
    made = run(scene(standing(x=200), standing(x=220), stride=6))

    assert len(rows_of(made)) == 2


def test_a_body_is_not_looked_for_beyond_its_own_size() -> None:
    leaving = during(standing(x=200), range(31))
    coming = during(standing(x=270), range(36, 100))

    assert len(rows_of(run(scene(leaving, coming, stride=6)))) == 2


def test_a_weak_box_that_is_cut_off_continues_its_body() -> None:
    """It overlaps the body of a look ago by 43 %."""
    cut_off = weak_in(lambda f: (200 if f < 50 else 224, 200, 0.8), range(50, 100))

    [row] = rows_of(run(scene(cut_off, stride=6)))

    assert row["last_frame_idx"] == 99


def test_the_settings_reach_the_tracker() -> None:
    faint = scene(weak_in(standing(), range(100), 0.45), stride=6)
    once = scene(during(standing(), range(30, 31)), stride=6)

    assert rows_of(run(faint)) == []
    assert len(rows_of(run(faint, body_thresh=0.4))) == 1
    assert rows_of(run(once)) == []
    assert len(rows_of(run(once, min_track_samples=1))) == 1


def test_where_nobody_looked_there_are_no_tracks() -> None:
    empty = scene(shots=(10, 20), stride=3)

    made = run(empty, np.empty((0, 0), np.float16), sampled=np.empty(0, np.int64))

    assert made["body_tracks"].num_rows == 0
    assert made["body_tracks"].schema == BODY_TRACKS.arrow_schema()
    assert (made["body_embeddings"].dtype, made["body_embeddings"].shape) == (np.float32, (0, 0))


def test_vectors_stay_with_their_detections_in_any_order() -> None:
    there = scene(walking(60, 4), standing(x=300, y=260), stride=3)
    order = np.random.default_rng(1).permutation(len(there.person_of))
    shuffled = detections_table(there).take(pa.array(order))

    made, other = run(there), run(there, who_is_who(there)[order], table=shuffled)

    assert rows_of(other) == rows_of(made)
    assert other["body_embeddings"].tobytes() == made["body_embeddings"].tobytes()


def test_detections_of_other_cuts_are_refused_by_their_name() -> None:
    whole, cut = (scene(standing(), shots=shots, stride=1) for shots in ((100,), (50, 50)))

    with pytest.raises(InputConflictError, match=r"^body_detections: were found with other shots"):
        run(cut, table=detections_table(whole))


def test_detections_on_frames_that_nobody_looked_at_are_refused() -> None:
    there = scene(standing(), stride=3)

    with pytest.raises(InputConflictError, match=r"^body_detections: .*not looked at"):
        run(there, sampled=np.arange(0, 100, 6))
