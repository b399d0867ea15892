"""The named hard episodes that the demo's pictures give; each is about one difficulty."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Final

from benchmarks.composed.camera import Lens, Occluder, Pace
from benchmarks.composed.compose import Episode
from benchmarks.composed.encoding import Encoding
from benchmarks.composed.mixing import Join
from benchmarks.composed.shots import EpisodeShot
from benchmarks.composed.stage import (
    ASTRONAUT,
    DARK_ROOM,
    EVERYBODY,
    LAMP,
    LEFT_WALL,
    MIDDLE,
    RIGHT_WALL,
    ROCKET,
    TWO_AT_THE_TABLE,
    WARM,
    staged,
    standing,
    walking,
)
from screenalytics_core.demo_scenes import Actor


def aba_cutting() -> Episode:
    """Two who talk, cut to and fro, down to half a second; now and then both."""
    she = standing("lace dress", 250, 560)
    he = standing("charcoal shirt", 270, 700)
    both = staged(
        36, MIDDLE, standing("lace dress", 200, 380), standing("charcoal shirt", 215, 850)
    )
    shots = []
    for index, frames in enumerate((40, 34, 30, 24, 20, 14, 12, 24)):
        take = staged(frames, LEFT_WALL, she) if index % 2 == 0 else staged(frames, LAMP, he)
        nearer = 1.0 + 0.12 * (index // 2)
        shots.append(EpisodeShot(take, Lens((nearer, nearer), ((0.5, 0.52), (0.5, 0.52)))))
    shots.insert(4, EpisodeShot(both))
    return Episode("aba_cutting", tuple(shots), Encoding())


def leave_and_return() -> Episode:
    """One who walks out of a shot and comes back into it, and one who misses a shot."""
    goes = walking("red shirt", 230, ((0, 480), (22, 480), (40, 1560), (78, 1560), (98, 420)))
    stays = standing("blond bob", 190, 900)
    enters = walking("black top", 220, ((0, -320), (20, -300), (44, 420), (70, 430), (92, -380)))
    shots = (
        EpisodeShot(staged(120, LAMP, stays, goes)),
        EpisodeShot(staged(36, RIGHT_WALL, standing("grey polo", 250, 620))),
        EpisodeShot(staged(100, WARM, enters, standing("grey polo", 215, 900))),
    )
    return Episode("leave_and_return", shots, Encoding())


def occlusion() -> Episode:
    """A bar that passes, a blob that stays, and people who stand in each other's way."""
    bar = Occluder("bar", (0.22, 1.2), ((0.0, -0.3, 0.5), (0.25, -0.2, 0.5), (0.8, 1.3, 0.5)))
    blob = Occluder(
        "blob", (0.3, 0.6), ((0.0, 1.3, 0.5), (0.3, 0.66, 0.5), (0.65, 0.66, 0.5), (1.0, 1.3, 0.5)),
        (52, 60, 84),
    )  # fmt: skip
    passes = walking("grey polo", 250, ((0, -420), (15, -400), (75, 1650)))
    two = (standing("lace dress", 210, 390), standing("blond bob", 200, 850))
    swapped = (standing("blond bob", 225, 360), standing("lace dress", 225, 850))
    shots = (
        EpisodeShot(staged(80, LEFT_WALL, *two), occluders=(bar,)),
        EpisodeShot(staged(80, WARM, *swapped), occluders=(blob,)),
        EpisodeShot(staged(90, RIGHT_WALL, standing("charcoal shirt", 215, 640), passes)),
    )
    return Episode("occlusion", shots, Encoding())


def zooms() -> Episode:
    """From everybody to one face and back, slow and quick, one mirrored."""
    shots = (
        EpisodeShot(staged(90, EVERYBODY), Lens((1.0, 3.2), ((0.5, 0.5), (0.40, 0.42)))),
        EpisodeShot(staged(24, TWO_AT_THE_TABLE), Lens((2.2, 1.0), ((0.24, 0.42), (0.5, 0.5)))),
        EpisodeShot(
            staged(60, EVERYBODY), Lens((2.6, 2.6), ((0.20, 0.36), (0.78, 0.36)), is_mirrored=True)
        ),
        EpisodeShot(staged(40, ASTRONAUT), Lens((1.0, 1.8), ((0.5, 0.5), (0.46, 0.38)))),
    )
    return Episode("zooms", shots, Encoding())


def dark_and_bright() -> Episode:
    """The same two from a tenth of the light to three times as much, in steps and gliding."""
    here = (standing("lace dress", 220, 400), standing("grey polo", 220, 860))
    there = (standing("grey polo", 245, 380), standing("lace dress", 235, 930))
    shots = [
        # Other light alone would be no cut.
        EpisodeShot(
            staged(26, MIDDLE, *here) if index % 2 == 0 else staged(26, WARM, *there),
            gain=((0.0, gain),),
        )
        for index, gain in enumerate((1.0, 0.1, 0.25, 3.0, 0.5, 2.0))
    ]
    glide = ((0.0, 1.0), (0.25, 0.1), (0.5, 1.0), (0.75, 3.0), (1.0, 1.0))
    shots.append(EpisodeShot(staged(75, LAMP, standing("red shirt", 260, 620)), gain=glide))
    return Episode("dark_and_bright", tuple(shots), Encoding())


def low_bitrate() -> Episode:
    """So few bits that faces turn to blocks after each cut."""
    shots = (
        EpisodeShot(staged(70, EVERYBODY, zoom=(1.0, 1.12), pan_px=((20, 0), (-20, 0)))),
        EpisodeShot(staged(60, WARM, standing("astronaut", 250, 640), zoom=(1.0, 1.1))),
        EpisodeShot(staged(60, LAMP, walking("red shirt", 230, ((0, 300), (55, 980))))),
        EpisodeShot(staged(50, TWO_AT_THE_TABLE, pan_px=((14, 0), (-14, 0)))),
    )
    return Episode("low_bitrate", shots, Encoding(bitrate_kbps=90))


def variable_frame_rate() -> Episode:
    """Frames that stand from half to three times their time, with somebody who comes and goes."""
    goes = walking("black top", 230, ((0, 500), (30, 500), (50, 1600), (70, 1600), (95, 520)))
    shots = (
        EpisodeShot(staged(60, TWO_AT_THE_TABLE, pan_px=((12, 0), (-12, 0)))),
        EpisodeShot(staged(110, LEFT_WALL, goes)),
        EpisodeShot(staged(50, RIGHT_WALL, standing("blond bob", 250, 620))),
    )
    return Episode("variable_frame_rate", shots, Encoding(fps=Fraction(30), uneven_seed=7))


def letterbox() -> Episode:
    """Black bars above and below, at the sides, and all around."""
    two = (standing("charcoal shirt", 225, 420), standing("blond bob", 210, 860))
    shots = (
        EpisodeShot(staged(60, EVERYBODY), Lens((1.0, 1.15), aspect=2.39)),
        EpisodeShot(staged(60, WARM, *two), Lens(aspect=4 / 3)),
        EpisodeShot(staged(60, LAMP, *two), Lens(aspect=2.39)),
        EpisodeShot(staged(60, EVERYBODY), Lens((0.62, 0.62))),
    )
    return Episode("letterbox", shots, Encoding())


def blends_and_flashes() -> Episode:
    """Cuts over mixed, white and black frames, and flashes that are no cuts."""
    people = ("lace dress", "charcoal shirt", "grey polo", "blond bob", "red shirt", "black top")
    views = (LEFT_WALL, LAMP, RIGHT_WALL, MIDDLE, WARM, ROCKET)
    joins = (
        Join(), Join("blend", 1), Join("flash", 1), Join("dissolve", 8), Join("flash", 2),
        Join("fade", 12),
    )  # fmt: skip
    flashes = ((20,), (), (14, 15, 30), (), (25,), ())
    shots = tuple(
        EpisodeShot(staged(44, view, standing(person, 240, 630)), flashes=flash, join=join)
        for person, view, join, flash in zip(people, views, joins, flashes, strict=True)
    )
    return Episode("blends_and_flashes", shots, Encoding())


def fast_heads() -> Episode:
    """People who dash to and fro, cross each other, and jump in size."""
    to_and_fro = tuple((f, 300.0 if f // 10 % 2 == 0 else 940.0) for f in range(0, 80, 10))
    crossing = (
        walking("blond bob", 200, ((0, 300), (20, 300), (34, 980), (54, 980), (68, 300))),
        walking("grey polo", 230, ((0, 960), (20, 960), (34, 280), (54, 280), (68, 960))),
    )
    nod = tuple((f, 620.0, 330.0 if f // 6 % 2 == 0 else 480.0) for f in range(0, 60, 6))
    shots = (
        EpisodeShot(staged(80, LAMP, walking("red shirt", 220, to_and_fro))),
        EpisodeShot(staged(80, MIDDLE, *crossing)),
        EpisodeShot(staged(60, RIGHT_WALL, Actor("lace dress", 280, nod))),
        EpisodeShot(staged(60, EVERYBODY), Lens((1.6, 1.6), ((0.33, 0.4), (0.67, 0.4))), Pace(2.0)),
    )
    return Episode("fast_heads", shots, Encoding())


def still_and_slow() -> Episode:
    """A picture that freezes, slow motion, and a dark room with a small portrait."""
    shots = (
        EpisodeShot(staged(40, TWO_AT_THE_TABLE, pan_px=((30, 0), (-30, 0))), pace=Pace(0.5)),
        EpisodeShot(
            staged(50, WARM, walking("astronaut", 240, ((0, 300), (45, 950)))),
            pace=Pace(1.0, ((25, 30),)),
        ),
        EpisodeShot(staged(40, DARK_ROOM, Actor("portrait", 320, ((0, 622, 360),)))),
    )
    return Episode("still_and_slow", shots, Encoding(fps=Fraction(24)))


EPISODES: Final[dict[str, Callable[[], Episode]]] = {
    make.__name__: make
    for make in (
        aba_cutting, leave_and_return, occlusion, zooms, dark_and_bright, low_bitrate,
        variable_frame_rate, letterbox, blends_and_flashes, fast_heads, still_and_slow,
    )
}  # fmt: skip
