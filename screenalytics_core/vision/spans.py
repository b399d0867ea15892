"""When a track is on screen: counted, seen for certain, and at most.

The ends of a track are not known: it was seen at one look and not at the next, and what is
counted goes half-way (`track_shaping`). So there are three stretches of time, each inside the
next: from the first to the last detection, the track as it counts, and as far again as its
ends were extended, which is up to the looks at which it was not seen. Since faces are also found
a moment after they have turned away, and in the mixed pictures of a cut, the first of these leaves
`_END_S` at each end, and the last adds it where the shot goes on. Where people count with their
bodies, who turns away may still be there unseen, and the last adds `_HIDDEN_S` at least.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from screenalytics_core.vision.boxes import Float64Array
from screenalytics_core.vision.intervals import Interval

# Where a person was named rightly and one track had two free ends, the error of both together was
# -0.4 to 0.6 s in nine of ten cases.
_END_S: Final = 0.1
# Chosen on composed episodes whose people are measured with their bodies (docs/evaluation.md).
_HIDDEN_S: Final = 0.5


class Extent(NamedTuple):
    """Three stretches of time in s, half-open: `seen` in `counted` in `possible`."""

    seen: Interval
    counted: Interval
    possible: Interval

    def part(self, start_s: float, end_s: float) -> Extent:
        """Return what of it lies in [start_s, end_s), a part of `counted`.

        Only where the part ends with the whole does anything lie beyond its end.
        """
        first = self.possible[0] if start_s <= self.counted[0] else start_s
        last = self.possible[1] if end_s >= self.counted[1] else end_s
        seen = max(self.seen[0], start_s), min(self.seen[1], end_s)
        return Extent(seen, (start_s, end_s), (first, last))


@dataclass(frozen=True, slots=True)
class FaceSpan:
    """A face track and its time."""

    track_id: int
    extent: Extent


@dataclass(frozen=True, slots=True)
class BodySpan:
    """A body track, or a part of one, that was tied to an identity, and its time.

    Attributes:
        identity_id: None = nobody.
        evidence: The value of an `Evidence`.
        track_ids: The face tracks that voted.
        confidence: 0..1, of the tie.
    """

    body_track_id: int
    extent: Extent
    identity_id: str | None
    evidence: str
    track_ids: tuple[int, ...]
    confidence: float


def face_spans(
    tracks: pa.Table,
    shots: Iterable[Mapping[str, Any]],
    frame_times_s: Float64Array,
    *,
    has_bodies: bool = False,
) -> list[FaceSpan]:
    """Return every face track's time, in the table's order.

    Args:
        tracks: `artifacts.TRACKS`.
        shots: Rows of `artifacts.SHOTS`.
        frame_times_s: (frames + 1,) presentation timestamps; the last one ends the last frame.
        has_bodies: People are measured with their bodies, whose faces may be hidden.
    """
    extents = extents_of(tracks, shots, frame_times_s, _HIDDEN_S if has_bodies else 0.0)
    ids = tracks.column("track_id").to_pylist()
    return [FaceSpan(i, extent) for i, extent in zip(ids, extents, strict=True)]


def body_spans(
    associations: Iterable[Mapping[str, Any]],
    body_tracks: pa.Table,
    shots: Iterable[Mapping[str, Any]],
    frame_times_s: Float64Array,
) -> list[BodySpan]:
    """Return the time of every association.

    Args:
        associations: Rows of `artifacts.TRACK_FUSION`.
        body_tracks: `artifacts.BODY_TRACKS`.
        shots: As for `face_spans`, and so the timestamps.
    """
    ids = body_tracks.column("body_track_id").to_pylist()
    extents = dict(zip(ids, extents_of(body_tracks, shots, frame_times_s), strict=True))
    return [
        BodySpan(
            body_track_id=row["body_track_id"],
            extent=extents[row["body_track_id"]].part(row["start_s"], row["end_s"]),
            identity_id=row.get("identity_id"),
            evidence=row["evidence"],
            track_ids=tuple(row["track_ids"]),
            confidence=row["confidence"],
        )
        for row in associations
    ]


def extents_of(
    tracks: pa.Table,
    shots: Iterable[Mapping[str, Any]],
    frame_times_s: Float64Array,
    hidden_s: float = 0.0,
) -> list[Extent]:
    """Return the times of face or body tracks, in the table's order.

    Args:
        hidden_s: How long at least somebody may be there before and after, within the shot.
    """
    counted_first = _ints(tracks.column("first_frame_idx"))
    counted_last = _ints(tracks.column("last_frame_idx"))
    seen_first, seen_last = _seen_frames(tracks)
    bounds = {int(s["shot_id"]): (s["start_frame"], s["end_frame"] - 1) for s in shots}
    shot = np.array([bounds[i] for i in tracks.column("shot_id").to_pylist()], np.int64)
    shot = shot.reshape(-1, 2)
    # Half the way was rounded down at the end, so twice of it may lack a frame there.
    first = np.maximum(2 * counted_first - seen_first, shot[:, 0])
    last = np.minimum(2 * counted_last - seen_last + 1, shot[:, 1])
    first, last = np.minimum(first, counted_first), np.maximum(last, counted_last)
    begin_s, end_s = frame_times_s[shot[:, 0]], frame_times_s[shot[:, 1] + 1]
    start_s, stop_s = tracks.column("start_s").to_numpy(), tracks.column("end_s").to_numpy()
    seen_s = np.minimum(frame_times_s[seen_first] + _END_S, stop_s)
    unseen_s = (
        np.minimum(frame_times_s[first], start_s) - _END_S,
        np.maximum(frame_times_s[last + 1], stop_s) + _END_S,
    )
    columns = (
        (seen_s, np.maximum(frame_times_s[seen_last + 1] - _END_S, seen_s)),
        (start_s, stop_s),
        (
            np.maximum(np.minimum(unseen_s[0], start_s - hidden_s), begin_s),
            np.minimum(np.maximum(unseen_s[1], stop_s + hidden_s), end_s),
        ),
    )
    pairs = [zip(start.tolist(), end.tolist(), strict=True) for start, end in columns]
    return [Extent(*three) for three in zip(*pairs, strict=True)]


def _seen_frames(tracks: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first and the last frame with a detection; a track without one is not seen."""
    lists = tracks.column("detection_ids").combine_chunks()
    is_seen = pc.list_flatten(lists).is_valid().to_numpy(zero_copy_only=False)
    frames = _ints(pc.list_flatten(tracks.column("frame_idxs").combine_chunks()))[is_seen]
    owners = _ints(pc.list_parent_indices(lists))[is_seen]
    rows = np.arange(tracks.num_rows)
    begins = np.searchsorted(owners, rows, side="left")
    ends = np.searchsorted(owners, rows, side="right")
    first = _ints(tracks.column("first_frame_idx")).copy()
    last = first - 1
    some = ends > begins
    first[some], last[some] = frames[begins[some]], frames[ends[some] - 1]
    return first, last


def _ints(array: pa.Array) -> NDArray[np.int64]:
    return np.asarray(array.to_numpy(zero_copy_only=False), np.int64)
