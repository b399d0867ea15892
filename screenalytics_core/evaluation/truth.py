"""What is known to be true of a clip: faces, cuts, and when each person is to be seen.

`read_truth` takes the document of a truth file (JSON) and checks it; `docs/evaluation.md`
says field by field how to label one. Frames are 0-based in decode order; intervals of frames
include both ends, as people write them down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from screenalytics_core.evaluation.consistency import check_one_face_each
from screenalytics_core.evaluation.fields import Field

FrameInterval = tuple[int, int]
FrameIntervals = tuple[FrameInterval, ...]
Box = tuple[float, float, float, float]

# Labels are rounded to tenths of a pixel or to whole ones.
_ROUNDING_PX: Final = 1.0


@dataclass(frozen=True, slots=True)
class TruthPerson:
    """Somebody in the clip.

    Attributes:
        is_main: One of those whose seconds are to be right.
        gallery: Folder or picture that shows the person; for people who label, not read.
    """

    name: str
    is_main: bool
    gallery: str | None = None


@dataclass(frozen=True, slots=True)
class TruthFace:
    """One face on one labelled frame.

    Attributes:
        bbox_xyxy: Px of the source frame, clipped to the picture.
        is_small: Too small to be asked for.
        is_hard: Blurred, half hidden, half outside: may be found or missed.
        is_away: No eye is seen: the head is no visible face.
    """

    frame_idx: int
    person: str
    bbox_xyxy: Box
    is_small: bool = False
    is_hard: bool = False
    is_away: bool = False

    @property
    def is_clear(self) -> bool:
        """Whether a face detector is expected to find it."""
        return not (self.is_small or self.is_hard or self.is_away)


@dataclass(frozen=True, slots=True)
class IgnoreRegion:
    """A place, for some frames, where not every face is labelled."""

    frames: FrameInterval
    bbox_xyxy: Box


@dataclass(frozen=True, slots=True)
class OtherReading:
    """A doubt: in these frames `person` may really be `becomes`."""

    person: str
    becomes: str
    frames: FrameInterval
    is_main: bool = False


@dataclass(frozen=True, slots=True)
class Truth:
    """A labelled clip; maps of intervals have every person as a key.

    Attributes:
        clip: Name of the video, for people.
        fps: Average frames per second.
        cuts: First frame of every shot but the first; None = not labelled.
        labelled_frames: Ascending; on them every face is in `faces`.
        visible: When the person's face is to be seen, hard faces included, away ones not.
        visible_clear: The part of it without hard and small faces.
        maybe: Where it may be seen besides.
        present: When the person is in the picture, face or not; None = not labelled.
    """

    clip: str
    fps: float
    frame_count: int
    width_px: int
    height_px: int
    cuts: tuple[int, ...] | None
    persons: tuple[TruthPerson, ...]
    labelled_frames: tuple[int, ...]
    faces: tuple[TruthFace, ...]
    visible: Mapping[str, FrameIntervals]
    visible_clear: Mapping[str, FrameIntervals]
    maybe: Mapping[str, FrameIntervals]
    present: Mapping[str, FrameIntervals] | None = None
    ignore_regions: tuple[IgnoreRegion, ...] = ()
    other_readings: tuple[OtherReading, ...] = ()


def read_truth(document: Mapping[str, Any]) -> Truth:
    """Return the truth of a truth file.

    Args:
        document: The parsed JSON; fields that are not known (notes, sources) are not read.

    Raises:
        TruthError: A field is missing, wrong, or contradicts another one; it is named.
    """
    top = Field("truth", document)
    frames = top.need("frames").whole(1)
    size = top.need("width").whole(1), top.need("height").whole(1)
    persons = tuple(_person(name, field) for name, field in top.need("persons").items())
    names = tuple(p.name for p in persons)
    labelled = _frames(top.need("labelled_frames"), 0, frames - 1)
    visible = _intervals_by_person(top.need("visible"), names, frames)
    has_clear = top.get("visible_clear").value is not None
    truth = Truth(
        clip=top.need("clip").text(),
        fps=top.need("fps").rate(),
        frame_count=frames,
        width_px=size[0],
        height_px=size[1],
        cuts=_cuts(top.get("cuts"), frames),
        persons=persons,
        labelled_frames=labelled,
        faces=_faces(top.need("faces"), names, labelled, size),
        visible=visible,
        visible_clear=(
            _intervals_by_person(top.get("visible_clear"), names, frames) if has_clear else visible
        ),
        maybe=_intervals_by_person(top.get("maybe"), names, frames),
        present=_present(top.get("present"), names, frames),
        ignore_regions=tuple(
            IgnoreRegion(_start_end(field, frames), _box(field.need("bbox_xyxy"), size))
            for field in _optional_list(top.get("ignore_regions"))
        ),
        other_readings=tuple(
            _other_reading(field, names, frames) for field in _optional_list(top.get("alt_reading"))
        ),
    )
    check_one_face_each(truth.faces)
    return truth


def _person(name: str, field: Field) -> TruthPerson:
    if not name.strip():
        raise field.error("is a person without a name", "Give everybody a name, such as guest_1.")
    gallery = field.get("gallery")
    return TruthPerson(
        name, field.get("main").flag(), None if gallery.value is None else gallery.text()
    )


def _frames(field: Field, least: int, most: int) -> tuple[int, ...]:
    found = [element.whole(least, most) for element in field.elements()]
    for at in range(1, len(found)):
        if found[at] <= found[at - 1]:
            raise Field(f"{field.place}[{at}]", None).error(
                f"is {found[at]} after {found[at - 1]}", "List each frame once, in order."
            )
    return tuple(found)


def _cuts(field: Field, frames: int) -> tuple[int, ...] | None:
    return None if field.value is None else _frames(field, 1, frames - 1)


def _present(field: Field, names: tuple[str, ...], frames: int) -> dict[str, FrameIntervals] | None:
    return None if field.value is None else _intervals_by_person(field, names, frames)


def _optional_list(field: Field) -> list[Field]:
    return [] if field.value is None else list(field.elements())


def _intervals_by_person(
    field: Field, names: tuple[str, ...], frames: int
) -> dict[str, FrameIntervals]:
    given = {} if field.value is None else dict(field.items())
    for name, value in given.items():
        if name not in names:
            raise value.error(f"{name!r} is not in persons", "Add the person, or mend the name.")
    return {
        name: tuple(_interval(i, frames) for i in given[name].elements()) if name in given else ()
        for name in names
    }


def _interval(field: Field, frames: int) -> FrameInterval:
    ends = list(field.elements())
    if len(ends) != 2:
        raise field.error("is no pair [first, last]")
    return _ordered(field, ends[0], ends[1], frames)


def _start_end(field: Field, frames: int) -> FrameInterval:
    return _ordered(field, field.need("start"), field.need("end"), frames)


def _ordered(field: Field, first: Field, last: Field, frames: int) -> FrameInterval:
    pair = first.whole(0, frames - 1), last.whole(0, frames - 1)
    if pair[1] < pair[0]:
        raise field.error(f"ends at {pair[1]}, before it begins at {pair[0]}")
    return pair


def _box(field: Field, size_px: tuple[int, int]) -> Box:
    sides = [element.number() for element in field.elements()]
    if len(sides) != 4:
        raise field.error("is no box [left, top, right, bottom]")
    left, top, right, bottom = sides
    if right <= left or bottom <= top:
        raise field.error("has no area", "Write [left, top, right, bottom].")
    width, height = (float(side) for side in size_px)
    low, most_x, most_y = -_ROUNDING_PX, width + _ROUNDING_PX, height + _ROUNDING_PX
    if left < low or top < low or right > most_x or bottom > most_y:
        raise field.error(
            f"leaves the picture of {width:g}x{height:g} px", "Clip boxes to the picture."
        )
    left, top, right, bottom = max(left, 0.0), max(top, 0.0), min(right, width), min(bottom, height)
    if right <= left or bottom <= top:
        raise field.error(
            f"has no area in the picture of {width:g}x{height:g} px", "Clip boxes to the picture."
        )
    return left, top, right, bottom


def _faces(
    field: Field, names: tuple[str, ...], labelled: tuple[int, ...], size_px: tuple[int, int]
) -> tuple[TruthFace, ...]:
    on = frozenset(labelled)
    faces = []
    for one in field.elements():
        frame_idx, person = one.need("frame_idx"), one.need("person")
        if frame_idx.whole(0) not in on:
            raise frame_idx.error(
                f"is {frame_idx.value}, which is not in labelled_frames",
                "Add the frame there once all its faces are labelled, or leave the face out.",
            )
        faces.append(
            TruthFace(
                frame_idx.whole(0),
                _known(person, names),
                _box(one.need("bbox_xyxy"), size_px),
                is_small=one.get("small").flag(),
                is_hard=one.get("hard").flag(),
                is_away=one.get("away").flag(),
            )
        )
    return tuple(faces)


def _known(field: Field, names: tuple[str, ...]) -> str:
    if field.text() not in names:
        raise field.error(f"{field.value!r} is not in persons", "Add the person, or mend the name.")
    return field.text()


def _other_reading(field: Field, names: tuple[str, ...], frames: int) -> OtherReading:
    return OtherReading(
        _known(field.need("person"), names),
        field.need("becomes").text(),
        _start_end(field, frames),
        field.get("main").flag(),
    )
