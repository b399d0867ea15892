"""What the report draws by itself: key figures, faces, the timeline of people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from reportlab.lib.colors import Color
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Flowable

from screenalytics_core.report import fonts, style, text

# Thinner than this a bar would vanish in print.
_MIN_BAR_PT: Final = 0.6
_MIN_SHADE_PT: Final = 1.0
_STEPS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


def measure(font: str, size: float) -> Callable[[str], float]:
    """Return a function that gives a text's width in points."""
    return lambda value: float(stringWidth(value, font, size))


class Portrait(Flowable):  # type: ignore[misc]
    """A face in a rounded square; an empty one where there is no picture."""

    def __init__(self, jpeg: bytes | None, side: float) -> None:
        super().__init__()
        self._jpeg = jpeg
        self.width = self.height = side

    def draw(self) -> None:
        canvas, side = self.canv, self.width
        canvas.saveState()
        outline = canvas.beginPath()
        outline.roundRect(0, 0, side, side, side * 0.14)
        canvas.setFillColor(style.PANEL)
        canvas.drawPath(outline, stroke=0, fill=1)
        if self._jpeg is not None:
            canvas.clipPath(outline, stroke=0)
            canvas.drawImage(ImageReader(BytesIO(self._jpeg)), 0, 0, side, side)
        canvas.restoreState()


class KeyFigures(Flowable):  # type: ignore[misc]
    """A row of large figures with what they mean beneath."""

    def __init__(self, figures: Sequence[tuple[str, str, str]], width: float) -> None:
        """Take (value, what it is, small print) triples."""
        super().__init__()
        self._figures = figures
        self.width = width
        self.height = 19 * mm

    def draw(self) -> None:
        gap = 3 * mm
        box = (self.width - gap * (len(self._figures) - 1)) / len(self._figures)
        for i, (value, what, note) in enumerate(self._figures):
            left = i * (box + gap)
            self.canv.setFillColor(style.PANEL)
            self.canv.roundRect(left, 0, box, self.height, 2 * mm, stroke=0, fill=1)
            inner = box - 6 * mm
            for line, font, size, colour, up in (
                (value, fonts.BOLD, 14, style.INK, 11.2 * mm),
                (what, fonts.REGULAR, 7.5, style.INK, 6.6 * mm),
                (note, fonts.REGULAR, 6.5, style.MUTED, 3.2 * mm),
            ):
                self.canv.setFont(font, size)
                self.canv.setFillColor(colour)
                shown = fonts.fit(line, inner, measure(font, size))
                self.canv.drawString(left + 3 * mm, up, shown)


class ShareBar(Flowable):  # type: ignore[misc]
    """A thin bar that fills to `share` (0 to 1) of its width."""

    def __init__(self, share: float, width: float) -> None:
        super().__init__()
        self._share = min(max(share, 0.0), 1.0)
        self.width = width
        self.height = 1.5 * mm

    def draw(self) -> None:
        self.canv.setFillColor(style.RULE)
        self.canv.roundRect(0, 0, self.width, 0.9 * mm, 0.4 * mm, stroke=0, fill=1)
        self.canv.setFillColor(style.ACCENT)
        if self._share:
            filled = max(self._share * self.width, _MIN_BAR_PT)
            self.canv.rect(0, 0, filled, 0.9 * mm, stroke=0, fill=1)


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of the timeline: (start_s, end_s, is_light) bars, disjoint, ascending."""

    name: str
    note: str
    bars: tuple[tuple[float, float, bool], ...]
    is_unknown: bool = False

    def colour(self, is_light: bool) -> Color:
        """Return a bar's colour."""
        if self.is_unknown:
            return style.UNKNOWN
        return style.ACCENT_LIGHT if is_light else style.ACCENT


class Timeline(Flowable):  # type: ignore[misc]
    """Lanes over the episode, shots as alternating shades on top, a clock beneath.

    It breaks between lanes; every part repeats the shots and the clock.
    """

    _NAME = 36 * mm
    _NOTE = 17 * mm
    _ROW = 5.4 * mm
    _TOP = 5.2 * mm
    _AXIS = 7 * mm

    def __init__(
        self,
        lanes: Sequence[Lane],
        shots_s: Sequence[tuple[float, float]],
        span_s: tuple[float, float],
        width: float,
    ) -> None:
        super().__init__()
        self._lanes = tuple(lanes)
        self._shots_s = tuple(shots_s)
        self._span_s = span_s
        self.width = width
        self.height = self._TOP + self._AXIS + self._ROW * len(lanes)

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        return self.width, self.height

    def split(self, _width: float, height: float) -> list[Flowable]:
        fitting = int((height - self._TOP - self._AXIS) / self._ROW)
        if fitting < 1 or fitting >= len(self._lanes):
            return []
        return [
            Timeline(part, self._shots_s, self._span_s, self.width)
            for part in (self._lanes[:fitting], self._lanes[fitting:])
        ]

    def draw(self) -> None:
        self._draw_clock()
        self._draw_shots()
        for i, lane in enumerate(self._lanes):
            self._draw_lane(lane, self.height - self._TOP - (i + 1) * self._ROW)

    def _x(self, at_s: float) -> float:
        start, end = self._span_s
        place = (at_s - start) / (end - start) if end > start else 0.0
        inner = self.width - self._NAME - self._NOTE
        return float(self._NAME + inner * min(max(place, 0.0), 1.0))

    def _draw_lane(self, lane: Lane, bottom: float) -> None:
        canvas, middle = self.canv, bottom + self._ROW / 2
        size = 7.5
        width = self._NAME - 3 * mm
        canvas.setFont(fonts.REGULAR, size)
        canvas.setFillColor(style.MUTED if lane.is_unknown else style.INK)
        name = fonts.fit(lane.name, width, measure(fonts.REGULAR, size))
        canvas.drawString(0, middle - size * 0.36, name)
        canvas.setFillColor(style.MUTED)
        canvas.drawRightString(self.width, middle - size * 0.36, lane.note)
        low, high = self._x(self._span_s[0]), self._x(self._span_s[1])
        canvas.setStrokeColor(style.RULE)
        canvas.setLineWidth(0.4)
        canvas.line(low, middle, high, middle)
        thick = self._ROW * 0.56
        for start, end, is_light in lane.bars:
            left = min(self._x(start), high - _MIN_BAR_PT)
            canvas.setFillColor(lane.colour(is_light))
            bar = max(self._x(end) - left, _MIN_BAR_PT)
            canvas.rect(left, middle - thick / 2, bar, thick, stroke=0, fill=1)

    def _draw_shots(self) -> None:
        canvas = self.canv
        top = self.height - self._TOP + 1.6 * mm
        canvas.setFont(fonts.REGULAR, 6.5)
        canvas.setFillColor(style.MUTED)
        canvas.drawString(0, top + 0.2 * mm, text.plural(len(self._shots_s), "shot"))
        low, high = self._x(self._span_s[0]), self._x(self._span_s[1])
        canvas.setFillColor(style.RULE)
        canvas.rect(low, top, high - low, 1.6 * mm, stroke=0, fill=1)
        # Shades finer than this would run into patterns that mean nothing.
        if high - low >= _MIN_SHADE_PT * len(self._shots_s):
            canvas.setFillColor(style.UNKNOWN)
            for start, end in self._shots_s[1::2]:
                left = self._x(start)
                canvas.rect(left, top, self._x(end) - left, 1.6 * mm, stroke=0, fill=1)
        canvas.setStrokeColor(style.RULE)
        canvas.setLineWidth(0.25)
        if len(self._shots_s) <= 120:
            for start, _ in self._shots_s[1:]:
                canvas.line(self._x(start), self._AXIS, self._x(start), top)

    def _draw_clock(self) -> None:
        canvas = self.canv
        start, end = self._span_s
        base = self._AXIS - 1 * mm
        canvas.setStrokeColor(style.UNKNOWN)
        canvas.setLineWidth(0.5)
        canvas.line(self._x(start), base, self._x(end), base)
        canvas.setFont(fonts.REGULAR, 6.5)
        canvas.setFillColor(style.MUTED)
        for at in ticks(start, end, 9):
            canvas.line(self._x(at), base, self._x(at), base - 0.8 * mm)
            canvas.drawCentredString(self._x(at), base - 3.4 * mm, text.tick(at))


def ticks(start_s: float, end_s: float, at_most: int) -> list[float]:
    """Return round positions from start to end, at most about `at_most` of them."""
    wish = (end_s - start_s) / max(at_most, 1)
    step = next((s for s in _STEPS_S if s >= wish), _STEPS_S[-1] * (1 + int(wish // _STEPS_S[-1])))
    first = -(-start_s // step) * step
    return [first + i * step for i in range(int((end_s - first) // step) + 1)]
