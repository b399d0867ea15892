"""What of a run is held against the truth; any tracker's result can be put into this shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike

from screenalytics_core.vision.boxes import Float64Array, IntArray, as_boxes
from screenalytics_core.vision.intervals import Intervals, union
from screenalytics_core.vision.observed import fixed_vectors
from screenalytics_core.vision.owners import Owners, PersonKey, find_owners


@dataclass(frozen=True, slots=True)
class TrackBoxes:
    """A face followed through some frames.

    Attributes:
        frame_idxs: (N,) ascending, N at least 1.
        bboxes_xyxy: (N, 4) px; between two of them the box moves in a straight line.
    """

    track_id: int
    frame_idxs: IntArray
    bboxes_xyxy: Float64Array

    @property
    def frames(self) -> tuple[int, int]:
        """First and last frame, both included."""
        return int(self.frame_idxs[0]), int(self.frame_idxs[-1])


@dataclass(frozen=True, slots=True)
class Identity:
    """Tracks said to be one person; `label` is the name given to it, if any."""

    identity_id: str
    track_ids: tuple[int, ...]
    label: str | None = None


@dataclass(frozen=True, slots=True)
class PersonSeconds:
    """The stated seconds of one person.

    Attributes:
        identity_id: The identity that is this person; one without a face is none of them.
        face_s: Their face is on screen.
        total_s: Face or body.
        low_s: Stated lower bound of `total_s`.
        high_s: Stated upper bound of it.
    """

    identity_id: str
    face_s: float
    total_s: float
    low_s: float
    high_s: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """A run, as far as it is judged.

    Attributes:
        fps: Average frames per second.
        frame_times_s: (frames + 1,) presentation timestamps; the last one ends the last frame.
        tracks: Of faces; their order settles ties.
        identities: The people that it states; tracks in none of them are unassigned.
        cuts: First frame of every shot but the first; None = nobody looked for cuts.
        people: Stated seconds; None = none are stated, empty = nobody was found.
        has_bodies: `total_s` of the people counts bodies too.
        trims: Stretches of time that do not count; s.
    """

    fps: float
    width_px: int
    height_px: int
    frame_times_s: Float64Array
    tracks: tuple[TrackBoxes, ...]
    identities: tuple[Identity, ...]
    cuts: tuple[int, ...] | None = None
    people: tuple[PersonSeconds, ...] | None = None
    has_bodies: bool = False
    trims: Intervals = ()

    @property
    def frame_count(self) -> int:
        """Frames of the video."""
        return len(self.frame_times_s) - 1


def prediction_of(
    *,
    shots: Mapping[str, Any],
    frame_times_s: Float64Array,
    tracks: pa.Table,
    identities: Mapping[str, Any],
    screen_time: Mapping[str, Any] | None = None,
    cast: Mapping[str, Any] | None = None,
) -> Prediction:
    """Return what is judged of a run's artifacts: its people as it states them.

    Args:
        shots: The document of `artifacts.SHOTS`.
        frame_times_s: `artifacts.FRAME_TIMES`.
        tracks: `artifacts.TRACKS`.
        identities: The document of `artifacts.IDENTITIES`: what the machine found by itself.
        screen_time: The document of `artifacts.SCREEN_TIME`; without it no seconds are stated.
        cast: The document of `artifacts.CAST`: what people and the gallery decided over the
            machine; without it its identities stand, and nobody has a name.
    """
    said = screen_time or {"has_bodies": False, "trims": ()}
    owners = find_owners(identities["identities"], () if cast is None else cast["people"])
    return Prediction(
        fps=float(Fraction(shots["fps"])),
        width_px=shots["width_px"],
        height_px=shots["height_px"],
        frame_times_s=frame_times_s,
        tracks=tuple(_tracks(tracks)),
        identities=_people(identities["identities"], owners),
        cuts=tuple(int(s["start_frame"]) for s in shots["shots"] if s["start_frame"] > 0),
        people=(
            None
            if screen_time is None
            else tuple(_seconds(row, owners) for row in screen_time["people"])
        ),
        has_bodies=bool(said["has_bodies"]),
        trims=union((t["start_s"], t["end_s"]) for t in said["trims"]),
    )


def track_boxes(track_id: int, frame_idxs: ArrayLike, bboxes_xyxy: ArrayLike) -> TrackBoxes:
    """Return a track of boxes in any order of frames."""
    frames = np.asarray(frame_idxs, np.int64)
    order = np.argsort(frames, kind="stable")
    return TrackBoxes(track_id, frames[order], as_boxes(bboxes_xyxy)[order])


def _tracks(table: pa.Table) -> Iterator[TrackBoxes]:
    """Yield the tracks without making Python's numbers of an hour's boxes."""
    lists = table.column("frame_idxs").combine_chunks()
    cuts = np.cumsum(pc.list_value_length(lists).to_numpy(zero_copy_only=False))[:-1]
    frames = pc.list_flatten(lists).to_numpy(zero_copy_only=False)
    boxes = fixed_vectors(pc.list_flatten(table.column("bboxes_xyxy").combine_chunks()), 4)
    ids = table.column("track_id").to_pylist()
    if ids:
        yield from map(track_boxes, ids, np.split(frames, cuts), np.split(boxes, cuts))


def _people(rows: Sequence[Mapping[str, Any]], owners: Owners) -> tuple[Identity, ...]:
    """Group the tracks by whose they are, in the order of the machine's identities.

    An identity whose tracks all went elsewhere is nobody any more.
    """
    track_ids: dict[PersonKey, list[int]] = {
        owners.of_identities[row["identity_id"]].key: [] for row in rows
    }
    labels: dict[PersonKey, str | None] = {}
    for track_id, owner in owners.of_tracks.items():
        track_ids.setdefault(owner.key, []).append(track_id)
        labels[owner.key] = labels.get(owner.key) or owner.label
    without = (owners.of_identities[row["identity_id"]] for row in rows if not row["track_ids"])
    stays = {owner.key for owner in without}
    return tuple(
        Identity(_shown(key, owners), tuple(own), labels.get(key))
        for key, own in track_ids.items()
        if own or key in stays
    )


def _seconds(row: Mapping[str, Any], owners: Owners) -> PersonSeconds:
    key = row["cast_id"] is not None, row["cast_id"] or row["identity_id"]
    return PersonSeconds(
        _shown(key, owners), row["face_s"], row["total_s"], row["low_s"], row["high_s"]
    )


def _shown(key: PersonKey, owners: Owners) -> str:
    """Return the person's id; a cast member spelt as an identity is told from it."""
    is_cast, person_id = key
    is_taken = is_cast and person_id in owners.of_identities
    return f"{person_id} (cast)" if is_taken else person_id
