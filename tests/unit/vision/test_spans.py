"""When a track is on screen: seen, counted and possible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from screenalytics_core.artifacts import BODY_TRACKS, TRACKS
from screenalytics_core.vision.spans import Extent, body_spans, extents_of, face_spans
from screenalytics_core.vision.track_rows import tracks_table
from screenalytics_core.vision.track_shaping import track_boxes
from screenalytics_core.vision.tracking import Detections, ShotFrames, TrackerSettings

TIMES_S = 2.0 + np.arange(101) / 10  # the first frame does not stand at 0
SHOTS = [
    {"shot_id": 0, "start_frame": 0, "end_frame": 40},
    {"shot_id": 1, "start_frame": 40, "end_frame": 100},
]


def frames(first: int, last: int) -> tuple[float, float]:
    """The time of frames, both included."""
    return pytest.approx(TIMES_S[first]), pytest.approx(TIMES_S[last + 1])  # type: ignore[return-value]


def track(
    track_id: int, shot_id: int, boxes: Sequence[tuple[int, int | None]], **more: Any
) -> dict[str, Any]:
    """A track of (frame, detection) pairs."""
    first, last = boxes[0][0], boxes[-1][0]
    return {
        "track_id": track_id, "shot_id": shot_id, "first_frame_idx": first, "last_frame_idx": last,
        "start_s": TIMES_S[first], "end_s": TIMES_S[last + 1], "mean_confidence": 0.9,
        "frame_idxs": [f for f, _ in boxes], "detection_ids": [d for _, d in boxes],
        "bboxes_xyxy": [[0, 0, 9, 9]] * len(boxes), **more,
    }  # fmt: skip


def test_an_extended_end_goes_as_far_again_but_not_out_of_the_shot() -> None:
    rows = [
        track(4, 1, [(58, None), (60, 0), (65, None), (70, 1), (72, None)]),
        track(2, 1, [(41, None), (44, 2), (97, 3), (99, None)]),
    ]

    inside, at_the_cuts = face_spans(TRACKS.from_rows(rows), SHOTS, TIMES_S)

    assert inside.track_id == 4
    assert inside.extent == Extent(frames(61, 69), frames(58, 72), frames(55, 76))
    assert at_the_cuts.extent == Extent(frames(45, 96), frames(41, 99), frames(40, 99))


def test_somebody_measured_with_their_body_may_be_there_unseen_while_the_shot_lasts() -> None:
    rows = [track(4, 1, [(43, 0), (70, 1)]), track(2, 1, [(58, 2), (97, 3)])]

    early, late = face_spans(TRACKS.from_rows(rows), SHOTS, TIMES_S, has_bodies=True)

    assert early.extent == Extent(frames(44, 69), frames(43, 70), frames(40, 75))
    assert late.extent == Extent(frames(59, 96), frames(58, 97), frames(53, 99))


@pytest.mark.parametrize("stride", range(1, 9))
def test_what_is_possible_reaches_the_looks_without_the_face(stride: int) -> None:
    """As the tracker shapes a track whose face was seen in the middle three of nine looks."""
    sampled = np.arange(0, 9 * stride, stride)
    seen = sampled[3:6]
    found = Detections(
        np.arange(3), seen, np.full((3, 4), [10, 10, 50, 50], np.float32),
        np.full(3, 0.9, np.float32),
    )  # fmt: skip
    (made,) = track_boxes(found, [ShotFrames(0, sampled)], TIMES_S, TrackerSettings(0.5, 1.0))
    table = tracks_table([made], TIMES_S, TRACKS, "track_id")

    (times,) = extents_of(table, [{"shot_id": 0, "start_frame": 0, "end_frame": 100}], TIMES_S)

    # A tenth of a second, here a frame, is left for the moment in which a face turns away.
    before, after = int(sampled[2]) - 1, int(sampled[6]) + 1
    assert times.seen == frames(int(seen[0]) + 1, int(seen[-1]) - 1)
    assert TIMES_S[before] - 1e-9 <= times.possible[0] <= TIMES_S[before + 1] + 1e-9
    assert TIMES_S[after] - 1e-9 <= times.possible[1] <= TIMES_S[after + 1] + 1e-9
    assert times.possible[0] <= times.counted[0] <= times.seen[0]
    assert times.seen[1] <= times.counted[1] <= times.possible[1]


def test_a_track_that_was_never_seen_has_no_sure_time() -> None:
    (span,) = face_spans(TRACKS.from_rows([track(0, 0, [(5, None), (9, None)])]), SHOTS, TIMES_S)

    start_s, end_s = span.extent.seen
    assert end_s <= start_s
    assert span.extent.counted == frames(5, 9)


def test_no_tracks_have_no_times() -> None:
    assert face_spans(TRACKS.arrow_schema().empty_table(), SHOTS, TIMES_S) == []


def association(start_s: float, end_s: float, identity_id: str | None) -> dict[str, Any]:
    return {
        "body_track_id": 3, "start_s": start_s, "end_s": end_s, "identity_id": identity_id,
        "evidence": "face_in_body", "track_ids": [7], "confidence": 0.8,
    }  # fmt: skip


def test_only_the_ends_of_the_whole_body_reach_further() -> None:
    row = track(0, 1, [(58, None), (60, 0), (70, 1), (72, None)])
    row["body_track_id"] = 3 + 0 * row.pop("track_id")
    start_s, middle_s, end_s = TIMES_S[58], TIMES_S[65], TIMES_S[73]

    first, second = body_spans(
        [association(start_s, middle_s, "id_0001"), association(middle_s, end_s, None)],
        BODY_TRACKS.from_rows([row]), SHOTS, TIMES_S,
    )  # fmt: skip

    assert first.extent == Extent(frames(61, 64), frames(58, 64), frames(55, 64))
    assert second.extent == Extent(frames(65, 69), frames(65, 72), frames(65, 76))
    assert (first.body_track_id, first.identity_id, first.track_ids) == (3, "id_0001", (7,))
    assert second.identity_id is None
