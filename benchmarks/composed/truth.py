"""The truth of an episode, gathered frame by frame, in the format of the labelled clips."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.composed.looks import Face, Shown
from screenalytics_core.demo_truth import CLEAR_PART

Intervals = dict[str, list[list[int]]]

# Who is visible for less is an extra, not one of the main people.
_MAIN_LEAST_S: Final = 0.5


@dataclass(slots=True)
class TruthWriter:
    """Takes an episode's frames in order and forgets their pictures.

    Attributes:
        main_people: Whose name and face are certain; main are those of them who are visible
            for half a second or more.
    """

    main_people: frozenset[str]
    frame_count: int = 0
    cuts: list[int] = field(default_factory=list)
    labelled: list[int] = field(default_factory=list)
    faces: list[dict[str, Any]] = field(default_factory=list)
    ignored: list[dict[str, Any]] = field(default_factory=list)
    transitions: list[dict[str, Any]] = field(default_factory=list)
    visible: Intervals = field(default_factory=lambda: defaultdict(list))
    clear: Intervals = field(default_factory=lambda: defaultdict(list))
    maybe: Intervals = field(default_factory=lambda: defaultdict(list))
    present: Intervals = field(default_factory=lambda: defaultdict(list))

    def add(self, shown: Shown) -> None:
        """Take the next frame."""
        frame = self.frame_count
        self.frame_count += 1
        if shown.is_cut:
            self.cuts.append(frame)
        if shown.is_labelled:
            self.labelled.append(frame)
            self.faces += [_row(frame, face) for face in shown.faces]
        for face in shown.faces:
            self.visible.setdefault(face.person, [])
        _extend(self.visible, frame, {f.person for f in shown.faces if f.seen})
        _extend(self.clear, frame, {f.person for f in shown.faces if f.seen_clearly})
        seen = {f.person for f in shown.faces if f.seen}
        _extend(self.maybe, frame, {f.person for f in shown.faces if f.seen_perhaps} - seen)
        _extend(self.present, frame, shown.present)
        for box in shown.ignored:
            _extend_region(self.ignored, frame, [round(v, 1) for v in box])
        if shown.mixed is not None:
            _extend_transition(self.transitions, frame, shown.mixed)

    def document(
        self, clip: str, fps: float, size_px: tuple[int, int], cut_tolerance: int
    ) -> dict[str, Any]:
        """Return the truth of all frames so far."""
        names = sorted(set(self.visible) | set(self.present))
        return {
            "clip": clip,
            "fps": fps,
            "frames": self.frame_count,
            "width": size_px[0],
            "height": size_px[1],
            "cuts": self.cuts,
            "cut_tolerance": cut_tolerance,
            "transitions": self.transitions,
            "persons": {n: {"gallery": None, "main": self._is_main(n, fps)} for n in names},
            "visible": {n: self.visible[n] for n in names},
            "visible_clear": {n: self.clear[n] for n in names},
            "maybe": {n: self.maybe[n] for n in names if self.maybe[n]},
            "present": {n: self.present[n] for n in names if self.present[n]},
            "alt_reading": [],
            "ignore_regions": self.ignored,
            "labelled_frames": self.labelled,
            "faces": self.faces,
            "notes": "Composed: cuts and boxes are those of the material, carried through every "
            "move of the camera.",
        }

    def _is_main(self, person: str, fps: float) -> bool:
        seen = sum(last - first + 1 for first, last in self.visible[person])
        return person in self.main_people and seen >= _MAIN_LEAST_S * fps


def _row(frame: int, face: Face) -> dict[str, Any]:
    return {
        "frame_idx": frame,
        "person": face.person,
        "bbox_xyxy": [round(v, 2) for v in face.bbox_xyxy],
        "small": face.is_small,
        "hard": face.is_hard or face.part < CLEAR_PART or face.weight < 1 or not face.seen,
        "away": face.is_away or not face.seen,
        "source": "geometry",
    }


def _extend(intervals: Intervals, frame: int, people: Iterable[str]) -> None:
    for person in people:
        own = intervals[person]
        if own and own[-1][1] == frame - 1:
            own[-1][1] = frame
        else:
            own.append([frame, frame])


def _extend_region(regions: list[dict[str, Any]], frame: int, box: Sequence[float]) -> None:
    for region in regions[-4:]:
        if region["bbox_xyxy"] == box and region["end"] >= frame - 1:
            region["end"] = frame
            return
    regions.append({"start": frame, "end": frame, "bbox_xyxy": box})


def _extend_transition(transitions: list[dict[str, Any]], frame: int, kind: str) -> None:
    last = transitions[-1] if transitions else None
    if last and last["kind"] == kind and last["last_frame"] == frame - 1:
        last["last_frame"] = frame
    else:
        transitions.append({"kind": kind, "first_frame": frame, "last_frame": frame})
