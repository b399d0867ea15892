"""The bodies that a person should look at: doubtful ties that add seconds to somebody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from screenalytics_core.report.model import BodyReviewRow
from screenalytics_core.report.people import HARDLY_S, frames_of, name_of
from screenalytics_core.vision.intervals import Interval, Intervals, intersection, subtraction
from screenalytics_core.vision.intervals import total_s as seconds_of
from screenalytics_core.vision.owners import Owners, PersonKey
from screenalytics_core.vision.segments import BODY

SURE_TIE: Final = 0.4
"""Confidence from which a body's tie is not to be looked at; five parts below 1 multiply in it."""

_Row = Mapping[str, Any]


def body_review_rows(
    associations: Iterable[_Row],
    segments: pa.Table,
    frame_times: NDArray[np.float64],
    owners: Owners,
) -> list[BodyReviewRow]:
    """Return the ties of less confidence than `SURE_TIE` that add body-only time, most of it first.

    Time that several bodies of a person show hangs on the surest of them, so that the rows'
    seconds may be added up. A body whose every face a person has moved is decided, not doubtful.

    Args:
        associations: Rows of `artifacts.TRACK_FUSION`.
        segments: The table of `artifacts.SEGMENTS`: what is trimmed or has a face is no body's.
        frame_times: Array of `artifacts.FRAME_TIMES`.
        owners: Who people are.
    """
    body_only, names = _body_only(segments)
    rows = []
    for key, ties in _ties(associations, owners).items():
        left = body_only.get(key, ())
        for tie in ties:
            during = tie["start_s"], tie["end_s"]
            length_s = seconds_of(intersection(left, [during]))
            left = subtraction(left, [during])
            is_doubtful = tie["confidence"] < SURE_TIE and not owners.is_decided(tie["track_ids"])
            if is_doubtful and length_s > HARDLY_S:
                rows.append(_row(tie, during, length_s, names[key], frame_times))
    return sorted(rows, key=lambda r: (-r.body_only_s, r.body_track_id, r.start_s))


def _body_only(segments: pa.Table) -> tuple[dict[PersonKey, Intervals], dict[PersonKey, str]]:
    """Return when only a body shows each person, and what they are called."""
    found: dict[PersonKey, Intervals] = defaultdict(tuple)
    names = {}
    for row in segments.to_pylist():
        if row["source"] == BODY:
            key = row["cast_id"] is not None, row["cast_id"] or row["identity_id"]
            found[key] += ((row["start_s"], row["end_s"]),)
            names[key] = name_of(row)
    return found, names


def _ties(associations: Iterable[_Row], owners: Owners) -> dict[PersonKey, list[_Row]]:
    """Return the bodies of each person, the surest first."""
    found: dict[PersonKey, list[_Row]] = defaultdict(list)
    for row in associations:
        if owner := owners.of_body(row["identity_id"], row["track_ids"]):
            found[owner.key].append(row)
    for ties in found.values():
        ties.sort(key=lambda r: (-r["confidence"], r["body_track_id"], r["start_s"]))
    return found


def _row(
    tie: _Row, during: Interval, length_s: float, name: str, frame_times: NDArray[np.float64]
) -> BodyReviewRow:
    first, last = frames_of(during, frame_times)
    return BodyReviewRow(
        body_track_id=tie["body_track_id"],
        start_s=during[0],
        end_s=during[1],
        first_frame_idx=first,
        last_frame_idx=last,
        body_only_s=length_s,
        name=name,
        evidence=tie["evidence"],
        confidence=tie["confidence"],
    )
