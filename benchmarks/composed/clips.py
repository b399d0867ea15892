"""Labelled clips as material: frames of a clip with what its truth says about each."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from benchmarks.composed.looks import Face, Look
from screenalytics_assets.cli.evaluate import load_truth
from screenalytics_core.demo_scenes import Box
from screenalytics_core.errors import VideoError

# Labels of the clips stand on every third frame; over more than twice that a head may have
# moved anyhow.
_LARGEST_GAP: Final = 6


@dataclass(frozen=True)
class Clip:
    """A labelled clip: its file and the truth beside it."""

    path: Path

    @cached_property
    def truth(self) -> dict[str, Any]:
        """The document of `truth/NAME.json`, with everything in it that may be left out.

        Raises:
            TruthError: A field of it is missing or wrong.
            VideoError: There is none, or its cuts are not labelled.
        """
        path = self.path.parent / "truth" / f"{self.path.stem}.json"
        if not path.is_file():
            raise VideoError(
                thing=f"clip {self.path.name}",
                reason=f"has no truth at {path}",
                way_out="Give a folder of labelled clips.",
            )
        known = load_truth(path)
        if known.cuts is None:
            raise VideoError(
                thing=f"clip {self.path.name}",
                reason=f"has no cuts in {path}, and shots are taken whole",
                way_out="Label them, [] if there are none.",
            )
        return _completed(json.loads(path.read_text(encoding="utf-8")))

    @cached_property
    def shots(self) -> tuple[tuple[int, int], ...]:
        """First and last frame of each of its shots."""
        edges = [0, *self.truth["cuts"], self.truth["frames"]]
        return tuple((a, b - 1) for a, b in pairwise(edges))

    def name_of(self, person: str) -> str:
        """Return a name that no other clip uses: leads keep theirs, `bg_07` gets the clip's."""
        is_main = self.truth["persons"][person]["main"]
        return person if is_main else f"{self.path.stem} {person}"

    @cached_property
    def boxes(self) -> dict[str, tuple[list[int], list[dict[str, Any]]]]:
        """Person -> labelled frames in order, and the label of each."""
        found: dict[str, tuple[list[int], list[dict[str, Any]]]] = defaultdict(lambda: ([], []))
        for face in sorted(self.truth["faces"], key=lambda f: int(f["frame_idx"])):
            frames, labels = found[face["person"]]
            frames.append(face["frame_idx"])
            labels.append(face)
        return dict(found)

    def faces_at(self, frame: int) -> tuple[Face, ...]:
        """Return everybody's face in a frame; between labels the box is linear."""
        faces = (self._face(person, frame) for person in self.boxes)
        return tuple(face for face in faces if face is not None)

    def _face(self, person: str, frame: int) -> Face | None:
        label = self._label(person, frame)
        if label is None:
            return None
        is_visible = _covers(self.truth["visible"], person, frame)
        return Face(
            self.name_of(person),
            label["bbox_xyxy"],
            is_visible=is_visible,
            is_clear=_covers(self.truth["visible_clear"], person, frame),
            is_doubtful=_covers(self.truth["maybe"], person, frame),
            is_hard=label["hard"] or label["small"],
            is_away=label["away"] or not is_visible,
        )

    def _label(self, person: str, frame: int) -> dict[str, Any] | None:
        """Return the label of a frame, or one between its neighbours in the same shot."""
        frames, labels = self.boxes[person]
        at = bisect_left(frames, frame)
        if at < len(frames) and frames[at] == frame:
            return labels[at]
        first, last = next(s for s in self.shots if s[0] <= frame <= s[1])
        before = labels[at - 1] if at > 0 and frames[at - 1] >= first else None
        after = labels[at] if at < len(frames) and frames[at] <= last else None
        if before and after and after["frame_idx"] - before["frame_idx"] <= _LARGEST_GAP:
            part = (frame - before["frame_idx"]) / (after["frame_idx"] - before["frame_idx"])
            pairs = zip(before["bbox_xyxy"], after["bbox_xyxy"], strict=True)
            flags = {key: before[key] or after[key] for key in ("hard", "small", "away")}
            return flags | {"bbox_xyxy": tuple(a + (b - a) * part for a, b in pairs)}
        # Seen between the last label and the end of the interval: the head is about there.
        near = before if before and frame - before["frame_idx"] < _LARGEST_GAP // 2 else after
        if near is None or not _covers(self.truth["visible"], person, frame):
            return None
        return near if abs(near["frame_idx"] - frame) < _LARGEST_GAP // 2 else None


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Frames `first` to `last` (both included) of a labelled clip."""

    clip: Clip
    first: int
    last: int

    @property
    def frame_count(self) -> int:
        """How many frames there are."""
        return self.last - self.first + 1

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return self.clip.truth["width"], self.clip.truth["height"]

    @property
    def is_exact(self) -> bool:
        """Only some frames are labelled."""
        return False

    def main_people(self) -> frozenset[str]:
        """Return the clip's leads."""
        people = self.clip.truth["persons"].items()
        return frozenset(name for name, facts in people if facts["main"])

    def drawn_for(self, scale: float) -> Excerpt:  # noqa: ARG002  (a clip has one size)
        """Return the excerpt as it is."""
        return self

    def looks(self) -> Iterator[Look]:
        """Yield the frames in order."""
        truth = self.clip.truth
        labelled, cuts = set(truth["labelled_frames"]), set(truth["cuts"])
        with av.open(str(self.clip.path)) as container:
            for frame, picture in enumerate(container.decode(video=0)):
                if frame > self.last:
                    break
                if frame < self.first:
                    continue
                yield Look(
                    np.asarray(picture.to_ndarray(format="bgr24"), np.uint8),
                    self.clip.faces_at(frame),
                    ignored=self._ignored(frame),
                    is_labelled=frame in labelled,
                    is_cut=frame in cuts and frame > self.first,
                )

    def _ignored(self, frame: int) -> tuple[Box, ...]:
        regions = self.clip.truth["ignore_regions"]
        at = (r["bbox_xyxy"] for r in regions if r["start"] <= frame <= r["end"])
        return tuple((float(x0), float(y0), float(x1), float(y1)) for x0, y0, x1, y1 in at)


def _completed(truth: dict[str, Any]) -> dict[str, Any]:
    """Return a checked truth with all that docs/evaluation.md lets a labeller leave out."""
    doubts = {"small": False, "hard": False, "away": False}
    people = truth["persons"].items()
    return {
        "visible_clear": truth["visible"],
        "maybe": {},
        "ignore_regions": [],
        **_said(truth),
        "persons": {name: {"main": False} | _said(facts) for name, facts in people},
        "faces": [doubts | _said(face) for face in truth["faces"]],
    }


def _said(facts: dict[str, Any]) -> dict[str, Any]:
    """Return what is not null, which is as good as left out."""
    return {key: value for key, value in facts.items() if value is not None}


def labelled_clips(folder: Path) -> tuple[Clip, ...]:
    """Return the clips of a folder that have a truth, by name."""
    known = (
        p for p in sorted(folder.glob("*.mp4")) if (folder / "truth" / f"{p.stem}.json").is_file()
    )
    return tuple(Clip(path) for path in known)


def _covers(intervals: dict[str, list[list[int]]], person: str, frame: int) -> bool:
    return any(first <= frame <= last for first, last in intervals.get(person, ()))
