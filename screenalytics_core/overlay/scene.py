"""What is to be drawn on each frame: boxes, whose they are, and how they are known."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from screenalytics_core.overlay.people import UNKNOWN_COLOUR, Colour, People, Who
from screenalytics_core.vision.box_tracks import BoxTracks, box_tracks
from screenalytics_core.vision.boxes import Float64Array
from screenalytics_core.vision.evidence import Evidence
from screenalytics_core.vision.spans import BodySpan, body_spans

FACE: Final = "face"
BODY: Final = "body"
_EVIDENCE: Final[Mapping[str, str]] = {
    Evidence.FACE_IN_BODY: "by face",
    Evidence.APPEARANCE: "by appearance",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One box.

    Attributes:
        kind: `FACE` or `BODY`.
        bbox_xyxy: px of the picture as shown.
        is_observed: Detected on this frame, or on both looks around it.
        name: Who it is; empty if nobody knows.
        detail: Ids, and for a body the evidence.
    """

    kind: str
    bbox_xyxy: tuple[float, float, float, float]
    is_observed: bool
    colour: Colour
    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class RunFindings:
    """What a run found, as far as it got.

    Attributes:
        shots: `artifacts.SHOTS`.
        frame_times_s: (frames + 1,) presentation timestamps; the last one ends the last frame.
        tracks: `artifacts.TRACKS`.
        identities: `artifacts.IDENTITIES`, None if it is not there; so the others.
        body_tracks: None without a body branch.
    """

    shots: Mapping[str, Any]
    frame_times_s: Float64Array
    tracks: pa.Table
    identities: Mapping[str, Any] | None = None
    cast: Mapping[str, Any] | None = None
    body_tracks: pa.Table | None = None
    track_fusion: Mapping[str, Any] | None = None


@dataclass(slots=True)
class _Active:
    """A track that is on screen, with its box on each of its frames."""

    track_id: int
    first_frame_idx: int
    bboxes_xyxy: Float64Array
    is_observed: NDArray[np.bool_]


class _Cursor:
    """Gives the tracks of each frame, going forward; only those on screen are unfolded."""

    def __init__(self, tracks: BoxTracks, frame_times_s: Float64Array) -> None:
        self._tracks = tracks
        self._times_s = frame_times_s
        firsts, lasts = tracks.first_frame_idxs.tolist(), tracks.last_frame_idxs.tolist()
        spans = zip(firsts, lasts, range(len(tracks)), strict=True)
        self._waiting = sorted(spans, reverse=True)
        self._active: list[tuple[int, int, _Active]] = []

    def at(self, frame_idx: int) -> list[_Active]:
        """Return the tracks on a frame, by id; frames must ascend."""
        while self._waiting and self._waiting[-1][0] <= frame_idx:
            first, last, row = self._waiting.pop()
            if last >= frame_idx:
                heappush(self._active, (last, row, self._unfolded(row, first, last)))
        while self._active and self._active[0][0] < frame_idx:
            heappop(self._active)
        return [one for _, _, one in sorted(self._active, key=lambda entry: entry[1])]

    def _unfolded(self, row: int, first: int, last: int) -> _Active:
        own = slice(self._tracks.offsets[row], self._tracks.offsets[row + 1])
        known, observed = self._tracks.frame_idxs[own], self._tracks.is_observed[own]
        frames = np.arange(first, last + 1)
        before = np.searchsorted(known, frames, side="right") - 1
        after = np.searchsorted(known, frames, side="left")
        return _Active(
            int(self._tracks.ids[row]),
            first,
            self._tracks.boxes_at(row, frames, self._times_s),
            observed[before] & observed[after],
        )


class Scene:
    """The marks of each frame of a run; frames must be asked for in ascending order."""

    def __init__(self, findings: RunFindings) -> None:
        self._people = People(
            (findings.identities or {}).get("identities", ()),
            (findings.cast or {}).get("people", ()),
        )
        times_s = findings.frame_times_s
        self._faces = _Cursor(box_tracks(findings.tracks, "track_id"), times_s)
        self._bodies = (
            None
            if findings.body_tracks is None
            else _Cursor(box_tracks(findings.body_tracks, "body_track_id"), times_s)
        )
        self._ties = _ties(findings)
        shots = findings.shots["shots"]
        self._shot_starts = [shot["start_frame"] for shot in shots]
        self._shot_ids = [shot["shot_id"] for shot in shots]

    def shot_id(self, frame_idx: int) -> int | None:
        """Return the shot that holds a frame."""
        at = bisect_right(self._shot_starts, frame_idx) - 1
        return self._shot_ids[at] if at >= 0 else None

    def marks(self, frame_idx: int, timestamp_s: float) -> list[Mark]:
        """Return what is drawn on a frame, bodies first, so that faces lie above them."""
        found = []
        for track in self._bodies.at(frame_idx) if self._bodies else ():
            tie = self._tie(track.track_id, timestamp_s)
            who = None if tie is None else self._people.of_body(tie)
            detail = f"b{track.track_id}"
            if tie is not None and who is not None:
                detail += f" {_EVIDENCE.get(tie.evidence, tie.evidence)}"
            found.append(_mark(BODY, track, frame_idx, who, detail))
        for track in self._faces.at(frame_idx):
            who = self._people.of_track(track.track_id)
            ids = [f"t{track.track_id}"]
            if who is not None and who.identity_id not in (None, who.name):
                ids.insert(0, str(who.identity_id))
            found.append(_mark(FACE, track, frame_idx, who, " ".join(ids)))
        return found

    def _tie(self, body_track_id: int, timestamp_s: float) -> BodySpan | None:
        for tie in self._ties.get(body_track_id, ()):
            start_s, end_s = tie.extent.counted
            if start_s <= timestamp_s < end_s:
                return tie
        return None


def _ties(findings: RunFindings) -> dict[int, list[BodySpan]]:
    """Return the associations of each body track."""
    ties: dict[int, list[BodySpan]] = defaultdict(list)
    if findings.body_tracks is not None and findings.track_fusion is not None:
        rows, shots = findings.track_fusion["associations"], findings.shots["shots"]
        for tie in body_spans(rows, findings.body_tracks, shots, findings.frame_times_s):
            ties[tie.body_track_id].append(tie)
    return ties


def _mark(kind: str, track: _Active, frame_idx: int, who: Who | None, detail: str) -> Mark:
    at = frame_idx - track.first_frame_idx
    left, top, right, bottom = track.bboxes_xyxy[at].tolist()
    return Mark(
        kind,
        (left, top, right, bottom),
        bool(track.is_observed[at]),
        UNKNOWN_COLOUR if who is None else who.colour,
        "" if who is None else who.name,
        detail,
    )
