"""The tracks step: what it writes, and which detections it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from screenalytics_core.artifacts import BODY_TRACKS, DETECTIONS, TRACK_METRICS, TRACKS
from screenalytics_core.artifacts import ArtifactKind as Kind
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.errors import InputConflictError
from screenalytics_core.steps.base import StepInput
from screenalytics_core.steps.tracks import STEP
from screenalytics_core.vision.track_rows import detections_of, shot_frames, tracks_table
from tests.report_samples import SampleArtifact
from tests.tracking_scenes import FPS, Scene, during, scene, standing, walking


def shots_document(made: Scene, fps: str = "25/1") -> dict[str, Any]:
    times = made.frame_times_s
    bounds = [(int(s.sampled[0]), int(s.sampled[-1]) + 1) for s in made.shots]
    return {
        "fps": fps, "width_px": 640, "height_px": 360, "frame_count": len(times) - 1,
        "start_s": float(times[0]), "duration_s": float(times[-1] - times[0]),
        "shots": [
            {"shot_id": i, "start_frame": a, "end_frame": b,
             "start_s": float(times[a]), "end_s": float(times[b])}
            for i, (a, b) in enumerate(bounds)
        ],
    }  # fmt: skip


def detections_table(made: Scene) -> pa.Table:
    d = made.detections
    starts = [int(s.sampled[0]) for s in made.shots]
    shot_ids = np.searchsorted(starts, d.frame_idxs, side="right") - 1
    return DETECTIONS.from_rows(
        [
            {"detection_id": int(d.detection_ids[i]), "frame_idx": int(d.frame_idxs[i]),
             "timestamp_s": float(made.frame_times_s[d.frame_idxs[i]]), "shot_id": int(shot_ids[i]),
             "bbox_xyxy": d.bboxes_xyxy[i].tolist(), "confidence": float(d.confidences[i])}
            for i in range(len(d.frame_idxs))
        ]
    )  # fmt: skip


def looked_at(made: Scene) -> NDArray[np.int64]:
    return np.concatenate([np.empty(0, np.int64), *(s.sampled for s in made.shots)])


def run(
    made: Scene,
    table: pa.Table | None = None,
    fps: str = "25/1",
    sampled: NDArray[np.int64] | None = None,
    **settings: Any,
) -> Mapping[Kind, Any]:
    config = EpisodeRunConfig.from_mapping({"det_thresh": 0.5, **settings})
    shots = {"shots": shots_document(made, fps), "frame_times": made.frame_times_s}
    table = detections_table(made) if table is None else table
    sampled = looked_at(made) if sampled is None else sampled
    return STEP.run(
        StepInput(
            ep_id="e",
            run_id="r",
            settings=config.only(STEP.settings),
            artifacts={
                Kind.SHOTS: SampleArtifact(Kind.SHOTS, shots),
                Kind.DETECTIONS: SampleArtifact(
                    Kind.DETECTIONS, {"detections": table, "sampled_frames": sampled}
                ),
            },
        )
    )


def tracks_of(made: Mapping[Kind, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = made[Kind.TRACKS]["tracks"].to_pylist()
    return rows


def test_tracks_and_metrics_fit_their_specs() -> None:
    made = run(scene(walking(60, 4), during(standing(x=500), range(30, 60)), stride=3))

    assert made[Kind.TRACKS]["tracks"].schema == TRACKS.arrow_schema()
    assert TRACK_METRICS.conform(made[Kind.TRACK_METRICS]["track_metrics"])["track_count"] == 2


def test_a_track_row_says_when_where_and_on_what_evidence() -> None:
    person = during(standing(confidence=0.75), range(60, 72), range(78, 90))
    made = scene(person, shots=(50, 50), stride=3)

    (row,) = tracks_of(run(made))

    assert (row["track_id"], row["shot_id"]) == (0, 1)
    # Looks at 57 (not seen) and 90 (not seen): an end goes half-way there.
    assert (row["first_frame_idx"], row["last_frame_idx"]) == (59, 88)
    assert (row["start_s"], row["end_s"]) == (59 / FPS, 89 / FPS)
    assert row["frame_idxs"] == [59, *range(60, 88, 3), 88]
    assert row["detection_ids"] == [None, 0, 1, 2, 3, None, None, 4, 5, 6, 7, None]
    assert row["bboxes_xyxy"] == [[270, 170, 330, 230]] * 12
    assert row["mean_confidence"] == 0.75


def test_the_end_of_a_track_is_the_end_of_its_last_frame() -> None:
    """Also of the episode's last one, which the last element of frame_times ends."""
    times = 0.85 + np.arange(31) / FPS
    times[30] += 1.0
    made = scene(standing(), shots=(30,), stride=3, frame_times_s=times)

    (row,) = tracks_of(run(made))

    assert (row["start_s"], row["end_s"]) == (times[0], times[30])


def test_ids_count_up_by_first_frame_then_from_the_left() -> None:
    made = scene(
        during(standing(x=500), range(30, 100)),
        standing(x=300, y=100),
        standing(x=100, y=300),
        stride=3,
    )

    rows = tracks_of(run(made))

    assert [r["track_id"] for r in rows] == [0, 1, 2]
    assert [r["bboxes_xyxy"][0][0] for r in rows] == [70, 270, 470]


def test_an_episode_without_a_face_has_valid_empty_tracks() -> None:
    made = run(scene(shots=(10, 20), stride=3))

    assert made[Kind.TRACKS]["tracks"].num_rows == 0
    assert made[Kind.TRACKS]["tracks"].schema == TRACKS.arrow_schema()
    TRACK_METRICS.conform(made[Kind.TRACK_METRICS]["track_metrics"])


def test_the_settings_reach_the_tracker() -> None:
    hidden = scene(during(standing(confidence=0.6), range(40), range(54, 100)), stride=3)
    once = scene(during(standing(), range(30, 31)), stride=3)

    assert len(tracks_of(run(hidden, track_buffer=18))) == 1
    assert len(tracks_of(run(hidden, track_buffer=9))) == 2
    assert len(tracks_of(run(hidden, track_buffer=9, fps=str(Fraction(25, 2))))) == 1
    assert tracks_of(run(hidden, det_thresh=0.7)) == []
    assert tracks_of(run(once)) == []
    assert len(tracks_of(run(once, min_track_samples=1))) == 1


def test_the_same_input_gives_the_same_bytes() -> None:
    made = scene(walking(60, 4), standing(x=300, y=260), shots=(40, 60), stride=3)

    first, second = run(made), run(made)

    assert first[Kind.TRACKS]["tracks"].equals(second[Kind.TRACKS]["tracks"])
    assert first[Kind.TRACK_METRICS] == second[Kind.TRACK_METRICS]


@pytest.mark.parametrize("stride", [1, 2, 6])
def test_the_looks_that_were_taken_count_whatever_the_settings_say(stride: int) -> None:
    """`reuse_detections` brings detections of another stride; they bring their looks along."""
    made = scene(during(standing(), range(30)), shots=(60,), stride=3)

    assert tracks_of(run(made, stride=stride)) == tracks_of(run(made))


def test_looks_beyond_the_shots_are_refused() -> None:
    longer, shorter = (scene(standing(), shots=(n,), stride=3) for n in (60, 30))

    with pytest.raises(InputConflictError, match="outside the 30 frames"):
        run(shorter, detections_table(longer), sampled=looked_at(longer))


def test_a_detection_on_a_frame_that_nobody_looked_at_is_refused() -> None:
    table = detections_table(scene(standing(), stride=3))
    moved = pa.array([1, *table["frame_idx"].to_pylist()[1:]], pa.int64())
    moved = table.set_column(table.column_names.index("frame_idx"), "frame_idx", moved)

    with pytest.raises(InputConflictError, match="not looked at"):
        run(scene(standing(), stride=3), moved)


def test_detections_that_were_found_with_other_cuts_are_refused() -> None:
    whole, cut, cut_elsewhere = (
        scene(standing(), shots=shots, stride=1) for shots in ((100,), (50, 50), (30, 70))
    )
    sampled = looked_at(whole)

    assert run(cut, detections_table(cut), sampled=sampled)
    for of_others in (whole, cut_elsewhere):
        with pytest.raises(InputConflictError, match="found with other shots"):
            run(cut, detections_table(of_others), sampled=sampled)


def test_detections_are_taken_in_any_order() -> None:
    made = scene(walking(60, 4), standing(x=300, y=260), stride=3)
    table = detections_table(made)
    shuffled = table.take(pa.array(np.random.default_rng(1).permutation(table.num_rows)))

    assert tracks_of(run(made, shuffled)) == tracks_of(run(made))


def test_a_slice_of_a_table_is_read_as_that_slice() -> None:
    table = detections_table(scene(walking(60, 4), stride=3))

    part = detections_of(table.slice(5, 3))

    assert part.detection_ids.tolist() == [5, 6, 7]
    assert part.bboxes_xyxy.tolist() == table["bbox_xyxy"].to_pylist()[5:8]


def test_body_tracks_come_from_the_same_rows() -> None:
    made = scene(standing(), stride=3)
    spec = BODY_TRACKS

    table = tracks_table(made.tracks(), made.frame_times_s, spec, "body_track_id", {
        "appearance_row": pa.array([None], pa.int64()),
        "appearance": pa.array([None], pa.string()),
    })  # fmt: skip

    assert table.schema == spec.arrow_schema()
    assert table["body_track_id"].to_pylist() == [0]


def test_no_shots_have_no_frames() -> None:
    assert shot_frames([], np.empty(0, np.int64)) == []
