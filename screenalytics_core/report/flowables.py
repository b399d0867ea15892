"""Small things that the report draws by itself: key figures, faces, bars with bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Final

from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from screenalytics_core.report import fonts, style
from screenalytics_core.report.direction import visual

# Thinner than this a bar would vanish in print.
MIN_BAR_PT: Final = 0.6
# A name too long for one line stands on two of this size.
_LONG_NAME_PT: Final = 5.4
_STEPS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


def measure(font: str, size: float) -> Callable[[str], float]:
    """Return a function that gives a text's width in points, as it is when drawn."""
    return lambda value: float(stringWidth(visual(value), font, size))


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
        self.height = 16.5 * mm

    def draw(self) -> None:
        gap = 2.5 * mm
        box = (self.width - gap * (len(self._figures) - 1)) / len(self._figures)
        for i, (value, what, note) in enumerate(self._figures):
            left = i * (box + gap)
            self.canv.setFillColor(style.PANEL)
            self.canv.roundRect(left, 0, box, self.height, 2 * mm, stroke=0, fill=1)
            inner = box - 5 * mm
            for line, font, size, colour, up in (
                (value, fonts.BOLD, 12.5, style.INK, 10.2 * mm),
                (what, fonts.REGULAR, 6.8, style.INK, 5.9 * mm),
                (note, fonts.REGULAR, 6, style.MUTED, 2.8 * mm),
            ):
                self.canv.setFont(font, size)
                self.canv.setFillColor(colour)
                shown = fonts.fit(line, inner, measure(font, size))
                self.canv.drawString(left + 2.5 * mm, up, visual(shown))


class RangeBar(Flowable):  # type: ignore[misc]
    """A bar from 0 to `whole`: full to `low`, lighter to `total`, outlined to `high`."""

    def __init__(self, low: float, total: float, high: float, whole: float, width: float) -> None:
        super().__init__()
        scale = width / whole if whole > 0 else 0.0
        self._ends = [min(max(v, 0.0) * scale, width) for v in (low, total, high)]
        self.width = width
        self.height = 2.6 * mm

    def draw(self) -> None:
        canvas, thick, base = self.canv, 1.4 * mm, 0.6 * mm
        low, total, high = self._ends
        canvas.setFillColor(style.PANEL)
        canvas.rect(0, base, self.width, thick, stroke=0, fill=1)
        canvas.setFillColor(style.MAYBE)
        canvas.rect(total, base, max(high - total, 0), thick, stroke=0, fill=1)
        canvas.setFillColor(style.ACCENT_LIGHT)
        canvas.rect(low, base, max(total - low, 0), thick, stroke=0, fill=1)
        canvas.setFillColor(style.ACCENT)
        canvas.rect(0, base, low, thick, stroke=0, fill=1)
        if total > 0:
            mark = min(max(total, MIN_BAR_PT), self.width) - MIN_BAR_PT
            canvas.setFillColor(style.INK)
            canvas.rect(mark, 0, MIN_BAR_PT, self.height, stroke=0, fill=1)


class FaceStrip(Flowable):  # type: ignore[misc]
    """Faces in a row, each with a small caption below; room for `places` of them."""

    _GAP = 1.3 * mm
    _CAPTION = 2.8 * mm

    def __init__(
        self, faces: Sequence[tuple[bytes | None, str]], places: int, width: float
    ) -> None:
        super().__init__()
        self._faces = tuple(faces)
        self._side = (width - self._GAP * (places - 1)) / places
        self.width = width
        self.height = self._side + self._CAPTION

    def draw(self) -> None:
        for place, (jpeg, caption) in enumerate(self._faces):
            left = place * (self._side + self._GAP)
            portrait = Portrait(jpeg, self._side)
            portrait.drawOn(self.canv, left, self._CAPTION)
            self.canv.setFont(fonts.REGULAR, 5.5)
            self.canv.setFillColor(style.MUTED)
            self.canv.drawCentredString(left + self._side / 2, 0.6 * mm, caption)


def draw_name(canvas: Canvas, name: str, middle: float, width: float, size: float) -> None:
    """Write `name` from x = 0 in at most `width`: on one line, else on two smaller ones."""
    lines: Sequence[str] = (name,)
    if measure(fonts.REGULAR, size)(name) > width:
        size = _LONG_NAME_PT
        lines = fonts.wrap(name, width, measure(fonts.REGULAR, size), 2)
    canvas.setFont(fonts.REGULAR, size)
    first = middle - size * 0.36 + (len(lines) - 1) * size * 0.58
    for i, line in enumerate(lines):
        canvas.drawString(0, first - i * size * 1.16, visual(line))


def ticks(start_s: float, end_s: float, at_most: int) -> list[float]:
    """Return round positions from start to end, at most about `at_most` of them."""
    wish = (end_s - start_s) / max(at_most, 1)
    step = next((s for s in _STEPS_S if s >= wish), _STEPS_S[-1] * (1 + int(wish // _STEPS_S[-1])))
    first = -(-start_s // step) * step
    return [first + i * step for i in range(int((end_s - first) // step) + 1)]
