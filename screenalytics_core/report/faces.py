"""Which face stands for a person, a segment or a track: always by name, never by bytes."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from screenalytics_core.report.model import FacePicture
from screenalytics_core.vision.intervals import Interval

SHEET_FACES: Final = 12
_COLUMNS: Final = ("crop", "face_id", "track_id", "frame_idx", "timestamp_s", "quality")


class FaceIndex:
    """The accepted faces with a picture, by track, each track's in time order."""

    def __init__(self, faces: pa.Table) -> None:
        """Take the table of `artifacts.FACES`."""
        rows = faces.select(_COLUMNS).filter(pc.and_(faces["accepted"], pc.is_valid(faces["crop"])))
        self._by_track: dict[int, list[FacePicture]] = defaultdict(list)
        for row in zip(*(rows[name].to_pylist() for name in _COLUMNS), strict=True):
            face = FacePicture(*row)
            self._by_track[face.track_id].append(face)
        for track in self._by_track.values():
            track.sort(key=lambda f: (f.timestamp_s, f.face_id))

    def best_of(self, track_ids: Iterable[int], during: Interval | None = None) -> str | None:
        """Return the crop of the tracks' best face, or of the best one in `during`."""
        faces = (f for t in track_ids for f in self._of(t, during))
        return min((_rank(f) for f in faces), default=(0.0, 0, None))[2]

    def sheet_of(self, track_ids: Collection[int], at_most: int = SHEET_FACES) -> list[FacePicture]:
        """Return faces from all over the tracks, best first.

        The tracks, in time order, are dealt into `at_most` groups; each gives its best face
        before any gives its second.
        """
        tracks = [self._by_track[t] for t in track_ids if t in self._by_track]
        tracks.sort(key=lambda faces: (faces[0].timestamp_s, faces[0].track_id))
        groups: dict[int, list[FacePicture]] = defaultdict(list)
        for place, faces in enumerate(tracks):
            groups[place * min(at_most, len(tracks)) // len(tracks)].extend(faces)
        ranked = [
            (turn, _rank(face), face)
            for faces in groups.values()
            for turn, face in enumerate(sorted(faces, key=_rank))
        ]
        chosen = sorted(ranked, key=lambda r: r[:2])[:at_most]
        return [face for *_, face in sorted(chosen, key=lambda r: r[1])]

    def _of(self, track_id: int, during: Interval | None) -> list[FacePicture]:
        faces = self._by_track.get(track_id, [])
        if during is None:
            return faces
        first, last = (bisect_left(faces, at, key=lambda f: f.timestamp_s) for at in during)
        return faces[first:last]


def _rank(face: FacePicture) -> tuple[float, int, str]:
    return (-face.quality, face.face_id, face.crop)


def crops_of_faces(faces: pa.Table, face_ids: Iterable[int]) -> dict[int, str]:
    """Return face_id -> name inside crops.zip, for those of `face_ids` that have a crop."""
    wanted = pa.array(sorted(set(face_ids)), pa.int64())
    rows = faces.select(["face_id", "crop"]).filter(
        pc.and_(pc.is_in(faces["face_id"], wanted), pc.is_valid(faces["crop"]))
    )
    return dict(zip(rows["face_id"].to_pylist(), rows["crop"].to_pylist(), strict=True))
