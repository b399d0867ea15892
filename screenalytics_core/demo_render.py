"""Draws the demo's shots: pictures warped by a camera with sub-pixel moves, people in front.

`placements` is the geometry that both the pictures and the truth are made from.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from screenalytics_core.demo_scenes import (
    HEIGHT_PX,
    PEOPLE,
    PICTURES,
    WIDTH_PX,
    Actor,
    Box,
    Picture,
    Shot,
    View,
)
from screenalytics_core.errors import VideoError

Image = NDArray[np.uint8]
Matrix = NDArray[np.float64]

# A background shot out of focus moves less than what is near.
_FAR: Final = 0.6
_SWAY_PX: Final = 2.5
_FEATHER_PX: Final = 5.0
_NEAR_BLUR_PX: Final = 12.0
_FOCUS_DEPTH_PX: Final = 70.0
# Below this part of it inside a sharp background, a face is not counted as placed at all.
_LEAST_INSIDE: Final = 0.02


@dataclass(frozen=True, slots=True)
class Placement:
    """A face in a frame: `bbox_xyxy` in frame px, which may reach past the edges."""

    person: str
    bbox_xyxy: Box

    @property
    def inside(self) -> float:
        """Part of the box's area that lies in the picture, 0 to 1."""
        x0, y0, x1, y1 = self.bbox_xyxy
        width = max(0.0, min(x1, WIDTH_PX) - max(x0, 0.0))
        height = max(0.0, min(y1, HEIGHT_PX) - max(y0, 0.0))
        return width * height / ((x1 - x0) * (y1 - y0))


@dataclass(frozen=True, slots=True)
class Figure:
    """A whole person in a frame.

    Attributes:
        face_xyxy: Face box, frame px; may reach past the edges.
        outline_xy: Polygon (n, 2) around head and body, frame px, as far as it is drawn.
        depth: 0 = in the background's picture; an actor covers everybody of less depth.
    """

    person: str
    face_xyxy: Box
    outline_xy: NDArray[np.float64]
    depth: int


def load_pictures() -> dict[str, Image]:
    """Read the packages' pictures, BGR.

    Raises:
        VideoError: A package or its picture is missing, or is not the one measured.
    """
    return {name: _load(picture) for name, picture in PICTURES.items()}


def _load(picture: Picture) -> Image:
    spec = find_spec(picture.package)
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    path = Path(folders[0], picture.path) if folders else None
    way_out = "Install the locked requirements again; the demo is composed from this picture."
    thing = f"picture {picture.path} of the package {picture.package}"
    if path is None or not path.is_file():
        raise VideoError(thing=thing, reason="is not there", way_out=way_out)
    image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if image is None or (image.shape[1], image.shape[0]) != picture.size_px:
        found = "is unreadable" if image is None else f"has {image.shape[1]}x{image.shape[0]} px"
        wanted = f"{picture.size_px[0]}x{picture.size_px[1]} px were measured"
        raise VideoError(thing=thing, reason=f"{found}; {wanted}", way_out=way_out)
    return np.asarray(image, np.uint8)


def placements(shot: Shot, frame: int) -> tuple[Placement, ...]:
    """Return every face that is at least partly in frame `frame` (0-based) of the shot."""
    placed = (*_actors(shot, frame), *_people_behind(shot, frame))
    faces = [Placement(name, _box(PEOPLE[name].face_xyxy, matrix)) for name, matrix in placed]
    return tuple(f for f in faces if f.inside > _LEAST_INSIDE)


def figures(shot: Shot, frame: int) -> tuple[Figure, ...]:
    """Return everybody whom the shot draws, also outside the picture, farthest first."""
    behind = [(name, matrix, 0) for name, matrix in _people_behind(shot, frame)]
    actors = [(*actor, depth) for depth, actor in enumerate(_actors(shot, frame), start=1)]
    return tuple(
        Figure(
            name,
            _box(PEOPLE[name].face_xyxy, matrix),
            np.array(PEOPLE[name].outline) @ matrix[:2, :2].T + matrix[:2, 2],
            depth,
        )
        for name, matrix, depth in (*behind, *actors)
    )


def _actors(shot: Shot, frame: int) -> list[tuple[str, Matrix]]:
    near = _camera(shot, frame, 1.0)
    return [(a.person, near @ _actor_matrix(a, frame)) for a in shot.actors]


def _people_behind(shot: Shot, frame: int) -> list[tuple[str, Matrix]]:
    """Return the people of a sharp background."""
    if shot.view.blur_px:
        return []
    matrix = _camera(shot, frame, 1.0) @ _view_matrix(shot.view)
    return [(name, matrix) for name, p in PEOPLE.items() if p.picture == shot.view.picture]


def draw_shot(shot: Shot, pictures: dict[str, Image], scale: float = 1.0) -> Iterator[Image]:
    """Yield the shot's frames, (720, 1280, 3) BGR, or smaller by `scale`."""
    background = _prepared(pictures[shot.view.picture], shot.view)
    size = (round(WIDTH_PX * scale), round(HEIGHT_PX * scale))
    for frame in range(shot.frame_count):
        far = _scale(scale) @ _camera(shot, frame, _FAR if shot.view.blur_px else 1.0)
        canvas = _warp(background, far @ _view_matrix(shot.view), size, shot.view.blur_px == 0)
        near = _scale(scale) @ _camera(shot, frame, 1.0)
        for actor in shot.actors:
            picture = pictures[PEOPLE[actor.person].picture]
            _paste(canvas, picture, actor.person, near @ _actor_matrix(actor, frame))
        gain = _between(shot.gain, _progress(shot, frame))
        yield canvas if gain == 1.0 else _image(cv2.convertScaleAbs(canvas, alpha=gain))


def _prepared(picture: Image, view: View) -> Image:
    """Return the background's picture with its blur and light."""
    if view.blur_px:
        picture = _image(cv2.GaussianBlur(picture, (0, 0), view.blur_px))
    if view.soft_from is not None:
        rows = np.arange(picture.shape[0], dtype=np.float32)
        near = np.clip((rows - view.soft_from) / _FOCUS_DEPTH_PX, 0, 1)[:, None]
        near = np.repeat(near, picture.shape[1], axis=1)
        soft = cv2.GaussianBlur(picture, (0, 0), _NEAR_BLUR_PX)
        picture = _image(cv2.blendLinear(soft, picture, near, 1 - near))
    if view.light != 1.0:
        picture = _image(cv2.convertScaleAbs(picture, alpha=view.light))
    return picture


def _paste(canvas: Image, picture: Image, person: str, matrix: Matrix) -> None:
    """Blend a person, cut out along the outline, into `canvas` in place."""
    mask, (left, top) = _mask(person)
    height, width = mask.shape
    box = _box((left, top, left + width, top + height), matrix)
    x0, y0 = max(math.floor(box[0]), 0), max(math.floor(box[1]), 0)
    x1, y1 = min(math.ceil(box[2]), canvas.shape[1]), min(math.ceil(box[3]), canvas.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    local = _shift(-x0, -y0) @ matrix @ _shift(left, top)
    size = (x1 - x0, y1 - y0)
    cut = _warp(picture[top : top + height, left : left + width], local, size)
    alpha = cv2.warpAffine(mask, local[:2], size, flags=cv2.INTER_LINEAR)
    part = canvas[y0:y1, x0:x1]
    canvas[y0:y1, x0:x1] = cv2.blendLinear(cut, part, alpha, 1.0 - alpha)


@cache
def _mask(person: str) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Return the feathered mask of a person's outline and its place in the picture."""
    width, height = PICTURES[PEOPLE[person].picture].size_px
    outline = np.round(np.array(PEOPLE[person].outline)).astype(np.int32)
    drawn = np.zeros((height, width), np.float32)
    cv2.fillPoly(drawn, [outline], 1.0)
    # Drawn smaller first, so that the feather ends where the outline does.
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    soft = cv2.GaussianBlur(cv2.erode(drawn, kernel, borderValue=0), (0, 0), _FEATHER_PX / 2)
    left, top, wide, high = cv2.boundingRect(outline)
    left, top = max(left, 0), max(top, 0)
    return np.asarray(soft[top : top + high, left : left + wide], np.float32), (left, top)


def _warp(picture: Image, matrix: Matrix, size: tuple[int, int], is_sharp: bool = True) -> Image:
    flags = cv2.INTER_CUBIC if is_sharp else cv2.INTER_LINEAR
    warped = cv2.warpAffine(picture, matrix[:2], size, flags=flags, borderMode=cv2.BORDER_REFLECT)
    return _image(warped)


def _image(array: object) -> Image:
    return np.asarray(array, np.uint8)


def _camera(shot: Shot, frame: int, depth: float) -> Matrix:
    """Return the camera's move: zoom about the centre, pan, and a hand's slight sway."""
    at = _progress(shot, frame)
    zoom = 1 + (_between(shot.zoom, at) - 1) * depth
    (pan_x0, pan_y0), (pan_x1, pan_y1) = shot.pan_px
    sway_x = _SWAY_PX * math.sin(frame / 13.0)
    sway_y = _SWAY_PX * math.sin(frame / 17.0 + 1.0)
    shift_x = (_between((pan_x0, pan_x1), at) + sway_x) * depth
    shift_y = (_between((pan_y0, pan_y1), at) + sway_y) * depth
    centre_x, centre_y = WIDTH_PX / 2, HEIGHT_PX / 2
    return (
        _shift(centre_x + shift_x, centre_y + shift_y) @ _scale(zoom) @ _shift(-centre_x, -centre_y)
    )


def _view_matrix(view: View) -> Matrix:
    return _scale(WIDTH_PX / view.width) @ _shift(-view.left, -view.top)


def _actor_matrix(actor: Actor, frame: int) -> Matrix:
    x0, y0, x1, y1 = PEOPLE[actor.person].face_xyxy
    x, y = _place(actor, frame)
    scale = actor.face_height_px / (y1 - y0)
    return _shift(x, y) @ _scale(scale) @ _shift(-(x0 + x1) / 2, -(y0 + y1) / 2)


def _place(actor: Actor, frame: int) -> tuple[float, float]:
    before = [p for p in actor.path if p[0] <= frame] or [actor.path[0]]
    after = [p for p in actor.path if p[0] > frame] or [actor.path[-1]]
    (f0, x0, y0), (f1, x1, y1) = before[-1], after[0]
    at = _eased((frame - f0) / (f1 - f0)) if f1 > f0 else 0.0
    return _between((x0, x1), at), _between((y0, y1), at)


def _progress(shot: Shot, frame: int) -> float:
    return _eased(frame / max(shot.frame_count - 1, 1))


def _eased(at: float) -> float:
    return at * at * (3 - 2 * at)


def _between(ends: tuple[float, float], at: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * at


def _scale(factor: float) -> Matrix:
    return np.diag([factor, factor, 1.0])


def _shift(x: float, y: float) -> Matrix:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _box(box: Box, matrix: Matrix) -> Box:
    x0, y0, x1, y1 = box
    left, top = (matrix @ (x0, y0, 1.0))[:2]
    right, bottom = (matrix @ (x1, y1, 1.0))[:2]
    return float(left), float(top), float(right), float(bottom)
