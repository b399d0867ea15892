"""A person's stretches on screen, each with what shows them: a face, or else only a body."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from screenalytics_core.vision.intervals import Interval, Intervals, subtraction, union

FACE: Final = "face"
BODY: Final = "body"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a face or body track that counts for a person: [start_s, end_s).

    Attributes:
        confidence: 0..1, that it is this person.
    """

    track_id: int
    start_s: float
    end_s: float
    confidence: float

    @property
    def interval(self) -> Interval:
        """The seconds, half-open."""
        return self.start_s, self.end_s


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time with one person.

    Attributes:
        source: `FACE`, or `BODY` where only a body was seen.
        track_ids: Face tracks behind it, ascending; empty for a body.
        body_track_ids: Body tracks behind it, ascending; empty for a face.
        confidence: 0..1, of the surest of them.
    """

    start_s: float
    end_s: float
    source: str
    track_ids: tuple[int, ...]
    body_track_ids: tuple[int, ...]
    confidence: float


def segments_of(faces: Sequence[Piece], bodies: Sequence[Piece]) -> tuple[Segment, ...]:
    """Return disjoint segments, ascending: where a face was seen, the body does not count.

    A body next to a face stays a segment of its own.
    """
    shown = union(piece.interval for piece in faces)
    hidden = subtraction((piece.interval for piece in bodies), shown)
    segments = [
        *(
            Segment(start_s, end_s, FACE, ids, (), confidence)
            for (start_s, end_s), ids, confidence in _behind(shown, faces)
        ),
        *(
            Segment(start_s, end_s, BODY, (), ids, confidence)
            for (start_s, end_s), ids, confidence in _behind(hidden, bodies)
        ),
    ]
    return tuple(sorted(segments, key=lambda s: s.start_s))


def _behind(
    stretches: Intervals, pieces: Sequence[Piece]
) -> list[tuple[Interval, tuple[int, ...], float]]:
    """Return each stretch with the tracks that lie in it, and their highest confidence."""
    starts = [start for start, _ in stretches]
    found: list[list[Piece]] = [[] for _ in stretches]
    for piece in pieces:
        at = max(0, bisect_right(starts, piece.start_s) - 1)
        while at < len(stretches) and stretches[at][0] < piece.end_s:
            if stretches[at][1] > piece.start_s:
                found[at].append(piece)
            at += 1
    return [
        (stretch, tuple(sorted({p.track_id for p in own})), max(p.confidence for p in own))
        for stretch, own in zip(stretches, found, strict=True)
    ]
