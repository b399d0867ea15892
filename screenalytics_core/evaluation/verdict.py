"""The figures of one clip. Names are stable: results are kept and compared by them.

Ratios are 0 to 1 and None where there is nothing to divide by; `*_percent_of_clip` are 0 to
100; frames are 0-based.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from screenalytics_core.evaluation.bcubed import BCubed
from screenalytics_core.evaluation.bounds import BoundsSample, Calibration
from screenalytics_core.evaluation.cuts import CutScores
from screenalytics_core.evaluation.faces import FaceScores
from screenalytics_core.evaluation.identities import IdentityScores, LabelScores
from screenalytics_core.evaluation.seconds import PersonRow, SpareIdentity, TimeScores
from screenalytics_core.evaluation.tracking import TrackingScores
from screenalytics_core.evaluation.truth import OtherReading


@dataclass(frozen=True, slots=True)
class People:
    """Everything that depends on who is who.

    Attributes:
        bcubed: Over the clear faces; one that is missed or of nobody stands alone.
        bcubed_matched_only: The same without missed ones.
    """

    bcubed: BCubed
    bcubed_matched_only: BCubed
    identities: IdentityScores
    labels: LabelScores
    screen_time: TimeScores
    persons: tuple[PersonRow, ...]
    identities_left_over: tuple[SpareIdentity, ...]


@dataclass(frozen=True, slots=True)
class OtherVerdict:
    """The figures if every doubt of `changes` is so."""

    changes: tuple[OtherReading, ...]
    people: People


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How right a run is about one clip.

    Attributes:
        labelled_frames: How many there are.
        tracking: None where the truth says nothing of cuts, at which tracks end.
        bounds: None where no stated bounds can be judged.
        bounds_samples: What `bounds` was made of, to be pooled over clips.
        cuts: None where the truth or the run says nothing of them.
        other_reading: None where the truth has no doubts about who is who.
        truth_contradicts: What the truth denies of itself; figures may be wrong for it.
    """

    clip: str
    fps: float
    frames: int
    labelled_frames: int
    faces: FaceScores
    tracking: TrackingScores | None
    people: People
    bounds: Calibration | None
    bounds_samples: tuple[BoundsSample, ...]
    cuts: CutScores | None
    other_reading: OtherVerdict | None
    truth_contradicts: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return every figure, ready for JSON."""
        return {
            "clip": self.clip,
            "fps": self.fps,
            "frames": self.frames,
            "labelled_frames": self.labelled_frames,
            "faces": _plain(self.faces),
            "tracking": _plain(self.tracking),
            **_plain(self.people),
            "bounds": _plain(self.bounds),
            "cuts": _plain(self.cuts),
            "alt_reading": self._other(),
            "truth_contradicts": list(self.truth_contradicts),
        }

    def _other(self) -> dict[str, Any] | None:
        other = self.other_reading
        if other is None:
            return None
        return {"changes": [_change(c) for c in other.changes], **_plain(other.people)}


def _change(doubt: OtherReading) -> dict[str, Any]:
    """Return a doubt as a truth file says it."""
    first, last = doubt.frames
    return {
        "person": doubt.person,
        "start": first,
        "end": last,
        "becomes": doubt.becomes,
        "main": doubt.is_main,
    }


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value
