"""What happens in the demo episode: coordinates in pictures that ship inside two packages.

Face boxes and outlines were measured once in those pictures, in their pixels. Only numbers
stand here; the pictures stay in the packages. People are named after what they wear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FPS: Final = 25
WIDTH_PX: Final = 1280
HEIGHT_PX: Final = 720

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture inside a package, and the size that it must have."""

    package: str
    path: str
    size_px: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Person:
    """Where a person is in a picture.

    Attributes:
        face_xyxy: Face box, px of the picture, as a detector draws it.
        outline: Polygon around head and body; what lies outside is faded out.
    """

    picture: str
    face_xyxy: Box
    outline: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A 16:9 window of a picture that fills the frame.

    Attributes:
        left, top, width: px of the picture.
        blur_px: Standard deviation of a blur that turns it into a distant background
            without faces; 0 = sharp, and every whole face in it counts.
        light: Factor on its brightness.
        soft_from: Row of the picture from which it fades out of focus, as what is near does;
            heaps of round things on the table look like faces to some detectors.
    """

    picture: str
    left: float
    top: float
    width: float
    blur_px: float = 0.0
    light: float = 1.0
    soft_from: float | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """A person put in front of the background.

    Attributes:
        face_height_px: Height of the face box in the frame.
        path: (frame of the shot, x, y) of the face's centre, eased between the points.
    """

    person: str
    face_height_px: float
    path: tuple[tuple[int, float, float], ...]


@dataclass(frozen=True, slots=True)
class Shot:
    """One shot: background, actors, and a camera that moves from start to end.

    Attributes:
        zoom: Camera's magnification at start and end, about the frame's centre.
        pan_px: How far the picture is shifted at start and end.
        gain: Brightness at start and end.
    """

    frame_count: int
    view: View
    actors: tuple[Actor, ...] = ()
    zoom: tuple[float, float] = (1.0, 1.0)
    pan_px: tuple[Point, Point] = ((0.0, 0.0), (0.0, 0.0))
    gain: tuple[float, float] = (1.0, 1.0)


PICTURES: Final = {
    "table": Picture("insightface", "data/images/t1.jpg", (1280, 886)),
    "portrait": Picture("insightface", "data/images/Tom_Hanks_54745.png", (112, 112)),
    "astronaut": Picture("skimage", "data/astronaut.png", (512, 512)),
}

PEOPLE: Final = {
    "lace dress": Person(
        "table", (58, 262, 169, 396),
        ((38, 250), (60, 235), (95, 227), (128, 238), (158, 262), (178, 300), (192, 350),
         (193, 388), (215, 376), (238, 395), (262, 440), (270, 500), (300, 590), (300, 612),
         (8, 612), (4, 440), (24, 412), (13, 330), (24, 275)),
    ),
    "black top": Person(
        "table", (269, 147, 371, 265),
        ((258, 150), (266, 122), (290, 103), (325, 93), (372, 98), (424, 118), (426, 140),
         (408, 160), (408, 212), (440, 226), (463, 232), (463, 335), (425, 352), (385, 372),
         (350, 420), (338, 480), (345, 560), (350, 606), (288, 606), (280, 500),
         (260, 390), (256, 345), (262, 298), (300, 270), (280, 238), (262, 195)),
    ),
    "charcoal shirt": Person(
        "table", (465, 265, 573, 416),
        ((462, 255), (474, 225), (505, 213), (560, 215), (596, 228), (612, 255), (610, 302),
         (592, 340), (570, 376), (590, 410), (600, 470), (612, 440), (618, 412), (634, 396),
         (655, 402), (684, 430), (680, 472), (642, 524), (604, 575), (600, 606), (342, 606),
         (336, 500), (348, 440), (375, 392), (410, 362), (458, 338)),
    ),
    "red shirt": Person(
        "table", (745, 339, 846, 481),
        ((742, 332), (741, 314), (765, 295), (800, 286), (850, 290), (875, 318), (878, 365),
         (872, 388), (900, 400), (910, 440), (918, 520), (924, 560), (924, 606), (640, 606),
         (640, 545), (665, 508), (685, 466), (715, 438), (746, 424), (748, 380), (744, 350)),
    ),
    "grey polo": Person(
        "table", (904, 54, 1013, 204),
        ((877, 45), (905, 20), (950, 1), (1000, 1), (1042, 18), (1059, 55), (1060, 126),
         (1095, 133), (1150, 140), (1197, 156), (1227, 190), (1236, 232), (1190, 233),
         (1148, 246), (1124, 285), (1120, 414), (1086, 424), (1062, 470), (1042, 540),
         (1040, 606), (925, 606), (905, 500), (882, 424), (873, 330),
         (876, 242), (892, 210), (930, 202), (924, 182), (902, 142), (894, 95), (877, 72)),
    ),
    "blond bob": Person(
        "table", (1131, 271, 1226, 399),
        ((1121, 300), (1138, 254), (1175, 232), (1217, 234), (1252, 263), (1267, 320),
         (1270, 400), (1264, 444), (1275, 462), (1275, 600), (1040, 600), (1042, 540),
         (1062, 470), (1086, 424), (1120, 414), (1121, 360)),
    ),
    "astronaut": Person(
        "astronaut", (181, 56, 271, 178),
        ((150, 90), (165, 40), (215, 12), (262, 20), (300, 60), (302, 120), (300, 170),
         (345, 260), (362, 330), (362, 500), (24, 500), (40, 290), (118, 180), (150, 130)),
    ),
    "portrait": Person(
        "portrait", (9, 6, 85, 111), ((4, 3), (108, 3), (108, 109), (4, 109)),
    ),
}  # fmt: skip

_LEFT_WALL: Final = View("table", 0, 40, 300, blur_px=16)
_LAMP: Final = View("table", 500, 20, 400, blur_px=14)
_RIGHT_WALL: Final = View("table", 1000, 0, 270, blur_px=16, light=0.85)
_DARK_ROOM: Final = View("table", 80, 640, 420, blur_px=30, light=0.45)


def _still(person: str, face_height_px: float, x: float, y: float) -> Actor:
    return Actor(person, face_height_px, ((0, x, y),))


STORYBOARD: Final = (
    # Everybody, the camera closing in.
    Shot(75, View("table", 4, 0, 1272, soft_from=510), zoom=(1.0, 1.06)),
    # Two at the table, panned.
    Shot(70, View("table", 396, 212, 524), zoom=(1.03, 1.03), pan_px=((14, 0), (-14, 0))),
    # One alone while the lamp is turned down.
    Shot(65, _LEFT_WALL, (_still("lace dress", 262, 560, 330),), (1.0, 1.1), gain=(1.0, 0.72)),
    # Two who stand apart in the picture, brought together.
    Shot(
        70, _RIGHT_WALL,
        (_still("grey polo", 225, 500, 205), _still("blond bob", 192, 830, 514)),
        (1.05, 1.0),
    ),
    # Nobody: the table.
    Shot(40, View("table", 330, 540, 560), pan_px=((30, 0), (-30, 0)), zoom=(1.06, 1.06)),
    Shot(60, View("astronaut", 0, 0, 512), zoom=(1.0, 1.15)),
    # One who gets up and leaves the picture.
    Shot(
        75, _LAMP,
        (Actor("red shirt", 240, ((0, 560, 400), (24, 575, 400), (54, 1520, 395))),),
        (1.0, 1.03),
    ),
    Shot(
        70, View("table", 150, 60, 330, blur_px=18, light=0.9),
        (_still("black top", 260, 1004, 440), _still("lace dress", 240, 430, 380)),
        pan_px=((20, 0), (-20, 0)),
    ),
    Shot(50, _DARK_ROOM, (_still("portrait", 320, 622, 360),), (1.0, 1.06)),
    # One is joined by another, who walks in.
    Shot(
        65, View("table", 560, 120, 320, blur_px=14, light=1.05),
        (
            Actor("black top", 203, ((0, -260, 210), (18, -240, 210), (46, 466, 205))),
            _still("charcoal shirt", 260, 810, 436),
        ),
        (1.0, 1.04),
    ),
    Shot(50, _RIGHT_WALL, (_still("blond bob", 270, 620, 320),), (1.1, 1.0), gain=(0.75, 1.0)),
    # Everybody once more, from farther and farther away.
    Shot(60, View("table", 4, 0, 1272, light=0.9, soft_from=510), zoom=(1.06, 1.0)),
)  # fmt: skip
