"""Scenes for tests of fusion: people stand at places, and trackers follow faces and bodies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from screenalytics_core.artifacts import BODY_TRACKS, TRACKS
from screenalytics_core.vision.body_bridging import LIKENESS
from screenalytics_core.vision.body_votes import NOBODY
from screenalytics_core.vision.box_tracks import BoxTracks, box_tracks
from screenalytics_core.vision.fusion import Association, Looks, People, fuse
from screenalytics_core.vision.scenes import MAX_LINK_S, Scene, ShotSpan, find_scenes

FPS = 10
FACE_STRIDE, BODY_STRIDE = 1, 2
COLOURS = 3  # numbers in the vector of a body's looks
Box = tuple[float, float, float, float]


def face_at(x: float, y: float = 100, size: float = 1) -> Box:
    """The face of somebody who stands at `x`, the top of the head at `y`."""
    return (x - 18 * size, y + 12 * size, x + 18 * size, y + 56 * size)


def body_at(x: float, y: float = 100, size: float = 1) -> Box:
    return (x - 60 * size, y, x + 60 * size, y + 360 * size)


@dataclass(frozen=True)
class Seen:
    """A track from frame `first` to `last`, included, always at one place."""

    track_id: int
    first: int
    last: int
    box: Box
    who: str | None = None  # of a face: its identity, and how sure that is
    sureness: float = 1.0
    looks: tuple[float, ...] | None = None  # of a body: its vector
    shot_id: int = 0
    unseen: frozenset[int] = frozenset()  # frames on which its box is a guess

    def row(self, id_column: str, stride: int) -> dict[str, Any]:
        frames = sorted({*range(self.first, self.last + 1, stride), self.last})
        return {
            id_column: self.track_id, "shot_id": self.shot_id,
            "first_frame_idx": self.first, "last_frame_idx": self.last,
            "start_s": self.first / FPS, "end_s": (self.last + 1) / FPS,
            "frame_idxs": frames, "bboxes_xyxy": [list(self.box)] * len(frames),
            "detection_ids": [None if f in self.unseen else f for f in frames],
            "mean_confidence": 0.9,
        }  # fmt: skip


def faces_table(faces: Sequence[Seen]) -> pa.Table:
    return TRACKS.from_rows([face.row("track_id", FACE_STRIDE) for face in faces])


def bodies_table(bodies: Sequence[Seen]) -> tuple[pa.Table, Any]:
    """Return the table and the vectors that it points into."""
    rows, vectors = [], []
    for body in bodies:
        has_looks = body.looks is not None
        rows.append(
            {
                **body.row("body_track_id", BODY_STRIDE),
                "appearance_row": len(vectors) if has_looks else None,
                "appearance": "hsv_stripes" if has_looks else None,
            }
        )
        if body.looks is not None:
            vectors.append(np.array(body.looks) / np.linalg.norm(body.looks))
    return BODY_TRACKS.from_rows(rows), np.array(vectors, np.float32).reshape(-1, COLOURS)


@dataclass(frozen=True)
class Story:
    """An episode: shots by the frame at which each ends, faces and bodies."""

    faces: Sequence[Seen]
    bodies: Sequence[Seen]
    shot_ends: Sequence[int] = (200,)
    max_bridge_s: float = 5.0
    max_link_s: float = MAX_LINK_S

    @property
    def names(self) -> list[str]:
        return sorted({face.who for face in self.faces if face.who is not None})

    @property
    def frame_times_s(self) -> Any:
        return np.arange(self.shot_ends[-1] + 1) / FPS

    @property
    def shots(self) -> list[ShotSpan]:
        starts = [0, *self.shot_ends[:-1]]
        return [
            ShotSpan(n, start / FPS, end / FPS)
            for n, (start, end) in enumerate(zip(starts, self.shot_ends, strict=True))
        ]

    @property
    def scenes(self) -> list[Scene]:
        known = [(f.shot_id, self.names.index(f.who)) for f in self.faces if f.who is not None]
        return find_scenes(self.shots, known, self.max_link_s)

    def tracks(self) -> tuple[BoxTracks, People, BoxTracks, Looks]:
        faces = box_tracks(faces_table(self.faces), "track_id")
        in_order = sorted(self.faces, key=lambda face: face.track_id)
        numbers = [NOBODY if f.who is None else self.names.index(f.who) for f in in_order]
        people = People(
            np.array(numbers, np.int64), np.array([f.sureness for f in in_order], np.float64)
        )
        table, vectors = bodies_table(self.bodies)
        bodies = box_tracks(table, "body_track_id")
        looks = np.full((len(bodies), vectors.shape[1]), np.nan)
        order = np.argsort([body.track_id for body in self.bodies])
        for row, at in enumerate(order.tolist()):
            if (vector_row := table["appearance_row"][at].as_py()) is not None:
                looks[row] = vectors[vector_row]
        kind = LIKENESS["hsv_stripes"] if len(vectors) else None
        return faces, people, bodies, Looks(looks, kind)

    def associations(self) -> list[Association]:
        faces, people, bodies, looks = self.tracks()
        return fuse(
            faces, people, bodies, looks, self.scenes, self.frame_times_s, self.max_bridge_s
        )

    def owners(self) -> list[tuple[int, float, float, str | None]]:
        """Return (body track, start_s, end_s, whose) of every association."""
        return [
            (a.body_track_id, round(a.start_s, 6), round(a.end_s, 6), self.name(a.identity))
            for a in self.associations()
        ]

    def name(self, identity: int) -> str | None:
        return None if identity == NOBODY else self.names[identity]
