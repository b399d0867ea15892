"""Does a truth contradict itself: what one field says, another must not deny.

What no figure could be right with is refused. The rest would be read as a run's mistakes, so it
is told beside the figures, with the place, the cause and the way out: one slip of a frame among a
thousand labels is no reason to show nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from screenalytics_core.errors import TruthError
from screenalytics_core.evaluation.frame_intervals import half_open
from screenalytics_core.vision.intervals import Intervals, subtraction

if TYPE_CHECKING:
    from screenalytics_core.evaluation.truth import FrameIntervals, Truth, TruthFace


def contradictions(truth: Truth) -> tuple[str, ...]:
    """Return what fields of a truth deny of each other, in sentences that name the place."""
    return (
        *_beyond("visible_clear", truth.visible_clear, "visible", truth.visible),
        *(
            ()
            if truth.present is None
            else _beyond("visible", truth.visible, "present", truth.present)
        ),
        *_clear_but_not_visible(truth),
        *_without_a_label(truth),
    )


def check_one_face_each(faces: Sequence[TruthFace]) -> None:
    """Refuse a second face of a person on a frame, unless all of them are doubtful.

    In a blend of two shots a person may be in both of them.

    Raises:
        TruthError: There is one: whoever is tracked rightly would be right twice.
    """
    is_clear: dict[tuple[int, str], bool] = {}
    for at, face in enumerate(faces):
        key = face.frame_idx, face.person
        if key in is_clear and (face.is_clear or is_clear[key]):
            place = f"faces[{at}]"
            raise TruthError(
                thing=place,
                reason=f"{face.person} already has a face on frame {face.frame_idx}",
                way_out="Leave one out, or mend its person; only in a blend, where both are hard, "
                "may two stand.",
                field=place,
            )
        is_clear[key] = is_clear.get(key, False) or face.is_clear


def _beyond(
    part: str,
    part_of: Mapping[str, FrameIntervals],
    whole: str,
    whole_of: Mapping[str, FrameIntervals],
) -> Iterator[str]:
    for person, frames in part_of.items():
        missing = subtraction(half_open(frames), half_open(whole_of[person]))
        if missing:
            yield (
                f"{part}.{person} has frame {missing[0][0]:g}, which is not in {whole}.{person}: "
                "add it there, or take it away here"
            )


def _clear_but_not_visible(truth: Truth) -> Iterator[str]:
    """Yield the first such face of each person."""
    allowed = {
        person: half_open(frames, truth.maybe[person]) for person, frames in truth.visible.items()
    }
    told: set[str] = set()
    for at, face in enumerate(truth.faces):
        if face.person in told or not face.is_clear:
            continue
        if not _covers(allowed[face.person], face.frame_idx):
            told.add(face.person)
            yield (
                f"faces[{at}] shows {face.person} clearly on frame {face.frame_idx}, which is not "
                f"in visible.{face.person}: add the frame to visible or maybe, or say that the "
                "face is hard, small or away"
            )


def _without_a_label(truth: Truth) -> Iterator[str]:
    """Yield the main people whom no label ties to an identity: found or not, they are missed.

    Somebody who is never in the picture needs none.
    """
    tied = {face.person for face in truth.faces if not face.is_away}
    present = truth.present or {}
    for person in truth.persons:
        is_there = truth.visible[person.name] or present.get(person.name)
        if person.is_main and is_there and person.name not in tied:
            yield (
                f"persons.{person.name} is main and in the picture, but no labelled face other "
                "than averted ones says who of the run it is, so all their seconds count as "
                "missed: label at least one face of theirs, or take `main` away"
            )


def _covers(intervals: Intervals, frame_idx: int) -> bool:
    at = bisect_right(intervals, float(frame_idx), key=lambda interval: interval[0]) - 1
    return at >= 0 and frame_idx < intervals[at][1]
