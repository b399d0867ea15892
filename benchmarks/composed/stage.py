"""Backgrounds, and people stood before them so that no cut-out ends in mid-air."""

from __future__ import annotations

from typing import Final

from benchmarks.composed.takes import Staged
from screenalytics_core.demo_scenes import HEIGHT_PX, PEOPLE, Actor, Point, Shot, View

# A hand's sway and rounding may lift a cut-out's lower edge; it stays below the picture's.
_MARGIN_PX: Final = 16.0

LEFT_WALL: Final = View("table", 0, 40, 300, blur_px=16)
LAMP: Final = View("table", 500, 20, 400, blur_px=14)
RIGHT_WALL: Final = View("table", 1000, 0, 270, blur_px=16, light=0.85)
MIDDLE: Final = View("table", 150, 60, 330, blur_px=18, light=0.9)
WARM: Final = View("table", 560, 120, 320, blur_px=14, light=1.05)
TABLE_TOP: Final = View("table", 80, 640, 420, blur_px=26, light=0.8)
ROCKET: Final = View("astronaut", 330, 20, 170, blur_px=14)
DARK_ROOM: Final = View("table", 80, 640, 420, blur_px=30, light=0.45)
BACKGROUNDS: Final = (LEFT_WALL, LAMP, RIGHT_WALL, MIDDLE, WARM, TABLE_TOP, ROCKET)

EVERYBODY: Final = View("table", 4, 0, 1272, soft_from=510)
TWO_AT_THE_TABLE: Final = View("table", 396, 212, 524)
ASTRONAUT: Final = View("astronaut", 0, 0, 512)

# Those who can be cut out whole: the portrait is a square of its own, for a dark room.
CUT_OUTS: Final = tuple(name for name in PEOPLE if name != "portrait")


def standing(person: str, face_height_px: float, x: float, lift_px: float = 0.0) -> Actor:
    """Return somebody standing still.

    Args:
        x: Centre of the face, px of the take (1280 wide).
        lift_px: How much higher than the lower picture edge allows; for a shot that zooms in.
    """
    return walking(person, face_height_px, ((0, x),), lift_px)


def walking(
    person: str, face_height_px: float, path: tuple[tuple[int, float], ...], lift_px: float = 0.0
) -> Actor:
    """Return somebody who is at `x` in `frame` for each (frame, x) of `path`."""
    y = lowest_y(person, face_height_px) - lift_px
    return Actor(person, face_height_px, tuple((frame, x, y) for frame, x in path))


def lowest_y(person: str, face_height_px: float) -> float:
    """Return the face's centre with which the cut-out just reaches the picture's lower edge.

    But no higher than a third: a tall cut-out is stood deeper, as a camera would frame it.
    """
    _, y0, _, y1 = PEOPLE[person].face_xyxy
    bottom = max(y for _, y in PEOPLE[person].outline)
    below = (bottom - (y0 + y1) / 2) * face_height_px / (y1 - y0)
    return max(HEIGHT_PX + _MARGIN_PX - below, HEIGHT_PX / 3, face_height_px * 0.85)


def staged(
    frame_count: int,
    view: View,
    *actors: Actor,
    zoom: tuple[float, float] = (1.0, 1.0),
    pan_px: tuple[Point, Point] = ((0.0, 0.0), (0.0, 0.0)),
) -> Staged:
    """Return a take of `frame_count` frames."""
    return Staged(Shot(frame_count, view, actors, zoom, pan_px))
