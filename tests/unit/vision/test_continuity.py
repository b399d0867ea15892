"""Which tracks of a shot may be one face that was lost and found again."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from screenalytics_core.artifacts import TRACKS
from screenalytics_core.vision.continuity import TrackEnds, continuations

TRACK_ENDS = pa.schema(
    TRACKS.arrow_schema().field(name)
    for name in ("track_id", "shot_id", "start_s", "end_s", "bboxes_xyxy")
)


def track(
    track_id: int,
    start_s: float,
    end_s: float,
    x: float = 0.0,
    shot_id: int = 0,
    side: float = 50.0,
) -> dict[str, Any]:
    """A track that stays at x, px."""
    box = [x, 0.0, x + side, side]
    return {
        "track_id": track_id, "shot_id": shot_id, "start_s": start_s, "end_s": end_s,
        "bboxes_xyxy": [box, box],
    }  # fmt: skip


def pairs(*tracks: dict[str, Any]) -> list[list[int]]:
    table = pa.table({f.name: [t[f.name] for t in tracks] for f in TRACK_ENDS}, TRACK_ENDS)
    found: list[list[int]] = continuations(TrackEnds.of(table)).tolist()
    return found


@pytest.mark.parametrize(
    ("later", "is_one"),
    [
        pytest.param(track(2, 4.5, 6), True, id="soon, at the same place"),
        pytest.param(track(2, 4.0, 6), True, id="at once"),
        pytest.param(track(2, 4.5, 6, x=90), True, id="a little aside"),
        pytest.param(track(2, 4.5, 6, x=110), False, id="too far"),
        pytest.param(track(2, 4.5, 6, x=110, side=90), True, id="as far, but larger"),
        pytest.param(track(2, 6.1, 8), False, id="too late"),
        pytest.param(track(2, 3.5, 6), False, id="at the same time"),
        pytest.param(track(2, 4.5, 6, shot_id=1), False, id="in another shot"),
    ],
)
def test_what_may_go_on(later: dict[str, Any], is_one: bool) -> None:
    earlier = track(1, 0, 4)

    assert pairs(earlier, later) == ([[1, 2]] if is_one else [])
    assert pairs(later, earlier) == ([[1, 2]] if is_one else [])


def test_where_a_track_ends_counts_not_where_it_began() -> None:
    moving = track(1, 0, 4)
    moving["bboxes_xyxy"][-1] = [400.0, 0.0, 450.0, 50.0]

    assert pairs(moving, track(2, 5, 6, x=400)) == [[1, 2]]
    assert pairs(moving, track(2, 5, 6, x=0)) == []


def test_one_may_go_on_with_several() -> None:
    assert pairs(track(5, 0, 4), track(3, 0, 4.2, x=60), track(4, 4.5, 6, x=30)) == [[3, 4], [5, 4]]


def test_no_tracks_no_pairs() -> None:
    assert pairs() == []
