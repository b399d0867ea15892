"""One shot of an episode: a take through a camera, with its truth carried along."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.composed.camera import STEADY, STILL, Lens, Occluder, Pace
from benchmarks.composed.looks import (
    Body,
    Face,
    Look,
    Mask,
    Shown,
    area,
    clip_box,
    map_box,
)
from benchmarks.composed.mixing import CUT, FLASH, Join, whiten
from benchmarks.composed.takes import Take
from screenalytics_core.demo_render import Image, Matrix
from screenalytics_core.demo_scenes import Box
from screenalytics_core.demo_truth import LABEL_EVERY, VISIBLE_PART

# Faces whose box lies almost wholly outside are not in the picture at all; as in the demo.
_LEAST_PART: Final = 0.02
# Of a cut-out's outline: about a shoulder and an arm. Of less a viewer would not say that
# somebody is there, unless it is the face.
_PRESENT_PART: Final = 0.15
# The lightest parts of a face, as levels of 255: 12 is 0.4 % of white's light and 40 is 2 %, no
# more than what a lit room adds to a screen's black. Darker, nobody sees it; then it is hard.
_SEEN_LEVEL: Final = 12
_CLEAR_LEVEL: Final = 40
_LIGHTEST: Final = 95
# Above it light skin is burnt out. Chosen by looking.
_MOST_CLEAR_GAIN: Final = 2.5


@dataclass(frozen=True, slots=True)
class EpisodeShot:
    """A take and what is done to it.

    Attributes:
        gain: (part of the shot, factor on the brightness), in order; linear between.
        flashes: Frames of the shot that are almost white, as when a press camera flashes.
        join: How the shot begins after the one before.
    """

    take: Take
    lens: Lens = STILL
    pace: Pace = STEADY
    gain: tuple[tuple[float, float], ...] = ((0.0, 1.0),)
    occluders: tuple[Occluder, ...] = ()
    flashes: tuple[int, ...] = ()
    join: Join = CUT

    @property
    def frame_count(self) -> int:
        """How many frames are shown."""
        return len(self.pace.frames(self.take.frame_count))

    def frames(self, size_px: tuple[int, int]) -> Iterator[Shown]:
        """Yield the shot's frames in the episode's size; the first is no cut yet."""
        order = self.pace.frames(self.take.frame_count)
        take = self.take.drawn_for(max(self.lens.zoom) * size_px[0] / self.take.size_px[0])
        for index, (look, is_new) in enumerate(_in_order(take.looks(), order)):
            at = index / max(len(order) - 1, 1)
            shown = self._show(look, at, take.size_px, size_px)
            is_due = index % LABEL_EVERY == 0 or index in (0, len(order) - 1)
            is_labelled = look.is_labelled and (is_due or not take.is_exact)
            shown = replace(shown, is_labelled=is_labelled, is_cut=look.is_cut and is_new)
            yield whiten(shown, FLASH) if index in self.flashes else shown

    def _show(
        self, look: Look, at: float, take_px: tuple[int, int], size_px: tuple[int, int]
    ) -> Shown:
        matrix = self.lens.matrix(at, take_px, size_px)
        wide, high = take_px
        whole = map_box((0.0, 0.0, float(wide), float(high)), matrix)
        frame = clip_box(whole, self.lens.picture_xyxy(size_px))
        image = _warp(look.image, matrix, size_px, frame)
        ats, factors = zip(*self.gain, strict=True)
        gain = float(np.interp(at, ats, factors))
        if gain != 1.0:
            image = np.asarray(cv2.convertScaleAbs(image, alpha=gain), np.uint8)
        masks = [occluder.mask(at, size_px) for occluder in self.occluders]
        cover = np.bitwise_or.reduce([np.zeros(image.shape[:2], np.uint8), *masks])
        faces, present = _judge(look, matrix, frame, cover)
        if gain != 1.0:
            faces = [_in_light(face, image, gain) for face in faces]
        for occluder, mask in zip(self.occluders, masks, strict=True):
            occluder.paint(image, mask)
        ignored = [clip_box(map_box(box, matrix), frame) for box in look.ignored]
        return Shown(image, tuple(faces), present, tuple(b for b in ignored if area(b) > 0))


def _in_order(looks: Iterator[Look], order: list[int]) -> Iterator[tuple[Look, bool]]:
    """Yield the looks that `order` (never falling) names, and whether each is shown anew."""
    at = -1
    look: Look | None = None
    for wanted in order:
        is_new = wanted != at
        is_cut = False
        while at < wanted:
            look, at = next(looks), at + 1
            is_cut = is_cut or look.is_cut
        if look is not None:
            yield (replace(look, is_cut=is_cut) if is_new else look), is_new


def _warp(image: Image, matrix: Matrix, size_px: tuple[int, int], frame: Box) -> Image:
    """Return the picture as the frame shows it, black outside `frame`."""
    if image.shape[1::-1] == size_px and np.array_equal(matrix, np.eye(3)):
        # A frame that stands still is shown again, without what is painted before it.
        warped = image.copy()
    else:
        warped = _resample(image, matrix, size_px)
    x0, y0, x1, y1 = (round(v) for v in frame)
    warped[:y0], warped[y1:], warped[:, :x0], warped[:, x1:] = 0, 0, 0, 0
    return warped


def _resample(image: Image, matrix: Matrix, size_px: tuple[int, int]) -> Image:
    # warpAffine counts from pixel centres, boxes from pixel corners.
    centred = matrix.copy()
    centred[:2, 2] += matrix[:2, :2] @ (0.5, 0.5) - 0.5
    scale = abs(float(matrix[1, 1]))
    if scale < 0.5:
        # Bilinear looks at 2x2 pixels only.
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.4 / scale), np.uint8)
    flags = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(image, centred[:2], size_px, flags=flags), np.uint8)


def _judge(
    look: Look, matrix: Matrix, frame: Box, cover: Mask
) -> tuple[list[Face], frozenset[str]]:
    """Return the faces in the frame with the part seen of each, and who is present at all.

    Args:
        cover: (H, W), above 0 where something stands in front of everybody; bodies are added.
    """
    faces: list[Face] = []
    present: set[str] = set()
    for depth in sorted({f.depth for f in look.faces} | {b.depth for b in look.bodies})[::-1]:
        mapped = [_seen(f, matrix, frame, cover) for f in look.faces if f.depth == depth]
        faces += [f for f in mapped if f is not None]
        present |= {f.person for f in mapped if f is not None and f.part >= VISIBLE_PART}
        bodies = [(b, _polygon(b, matrix)) for b in look.bodies if b.depth == depth]
        present |= {b.person for b, polygon in bodies if _is_present(polygon, frame, cover)}
        for body, polygon in bodies:
            if body.depth > 0:
                cv2.fillPoly(cover, [polygon], 255)
    return faces, frozenset(present)


def _seen(face: Face, matrix: Matrix, frame: Box, cover: Mask) -> Face | None:
    whole = map_box(face.bbox_xyxy, matrix)
    box = clip_box(whole, frame)
    inside = area(box) / area(whole)
    if inside < _LEAST_PART:
        return None
    x0, y0, x1, y1 = (round(v) for v in box)
    under = cover[y0:y1, x0:x1]
    hidden = float(np.count_nonzero(under) / under.size) if under.size else 0.0
    return replace(face, bbox_xyxy=box, part=inside * (1 - hidden))


def _in_light(face: Face, image: Image, gain: float) -> Face:
    """Return the face as the changed light shows it."""
    x0, y0, x1, y1 = (round(v) for v in face.bbox_xyxy)
    pixels = image[y0:y1, x0:x1].max(axis=2, initial=0)
    level = float(np.percentile(pixels, _LIGHTEST)) if pixels.size else 0.0
    if level < _SEEN_LEVEL:
        doubtful = face.is_visible or face.is_doubtful
        return replace(face, is_visible=False, is_doubtful=doubtful, is_hard=True, is_away=True)
    if level < _CLEAR_LEVEL or gain > _MOST_CLEAR_GAIN:
        return replace(face, is_clear=False, is_hard=True)
    return face


def _polygon(body: Body, matrix: Matrix) -> NDArray[np.int32]:
    return np.round(body.outline_xy @ matrix[:2, :2].T + matrix[:2, 2]).astype(np.int32)


def _is_present(polygon: NDArray[np.int32], frame: Box, cover: Mask) -> bool:
    drawn = np.zeros_like(cover)
    cv2.fillPoly(drawn, [polygon], 255)
    x0, y0, x1, y1 = (round(v) for v in frame)
    part = drawn[y0:y1, x0:x1] & ~cover[y0:y1, x0:x1]
    return bool(np.count_nonzero(part) >= _PRESENT_PART * cv2.contourArea(polygon))
