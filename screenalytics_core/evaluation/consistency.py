"""Does a truth contradict itself: what one field says, another must not deny.

A wrong truth would be read as a run's mistakes, so it is refused, with the place and the cause.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from screenalytics_core.errors import TruthError
from screenalytics_core.evaluation.frame_intervals import half_open
from screenalytics_core.vision.intervals import Intervals, subtraction

if TYPE_CHECKING:
    from screenalytics_core.evaluation.truth import FrameIntervals, Truth, TruthFace


def check_consistency(truth: Truth) -> None:
    """Refuse a truth that contradicts itself.

    Raises:
        TruthError: It does; the field is named.
    """
    _check_one_face_each(truth.faces)
    _check_within("visible_clear", truth.visible_clear, "visible", truth.visible)
    if truth.present is not None:
        _check_within("visible", truth.visible, "present", truth.present)
    _check_clear_faces_are_visible(truth)
    _check_main_people_are_labelled(truth)


def _check_one_face_each(faces: Sequence[TruthFace]) -> None:
    """Refuse a second face of a person on a frame, unless all of them are doubtful.

    In a blend of two shots a person may be in both of them.
    """
    is_clear: dict[tuple[int, str], bool] = {}
    for at, face in enumerate(faces):
        key = face.frame_idx, face.person
        if key in is_clear and (face.is_clear or is_clear[key]):
            raise _error(
                f"faces[{at}]",
                f"{face.person} already has a face on frame {face.frame_idx}",
                "Leave one out, or mend its person; only in a blend, where both are hard, may "
                "two stand.",
            )
        is_clear[key] = is_clear.get(key, False) or face.is_clear


def _check_within(
    part: str,
    part_of: Mapping[str, FrameIntervals],
    whole: str,
    whole_of: Mapping[str, FrameIntervals],
) -> None:
    for person, frames in part_of.items():
        missing = subtraction(half_open(frames), half_open(whole_of[person]))
        if missing:
            raise _error(
                f"{part}.{person}",
                f"has frame {missing[0][0]:g}, which is not in {whole}.{person}",
                f"Every frame of {part} is one of {whole}: add it there, or take it away here.",
            )


def _check_clear_faces_are_visible(truth: Truth) -> None:
    allowed = {
        person: half_open(frames, truth.maybe[person]) for person, frames in truth.visible.items()
    }
    for at, face in enumerate(truth.faces):
        if face.is_clear and not _covers(allowed[face.person], face.frame_idx):
            raise _error(
                f"faces[{at}]",
                f"shows {face.person} clearly on frame {face.frame_idx}, which is not in "
                f"visible.{face.person}",
                "Add the frame to visible or maybe, or say that the face is hard, small or away.",
            )


def _check_main_people_are_labelled(truth: Truth) -> None:
    """Refuse main people whom no label ties to an identity: found or not, they would be missed.

    Somebody who is never in the picture needs none.
    """
    tied = {face.person for face in truth.faces if not face.is_away}
    present = truth.present or {}
    for person in truth.persons:
        is_there = truth.visible[person.name] or present.get(person.name)
        if person.is_main and is_there and person.name not in tied:
            raise _error(
                f"persons.{person.name}",
                "is main and in the picture, but no labelled face other than averted ones says "
                "who of the run it is",
                "Label at least one face of this person, or take `main` away.",
            )


def _covers(intervals: Intervals, frame_idx: int) -> bool:
    at = bisect_right(intervals, float(frame_idx), key=lambda interval: interval[0]) - 1
    return at >= 0 and frame_idx < intervals[at][1]


def _error(place: str, reason: str, way_out: str) -> TruthError:
    return TruthError(thing=place, reason=reason, way_out=way_out, field=place)
