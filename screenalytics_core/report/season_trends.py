"""Seconds over a season's episodes: a small chart for each person, all on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reportlab.lib.units import mm
from reportlab.platypus import Flowable

from screenalytics_core.report import fonts, style, text
from screenalytics_core.report.direction import visual
from screenalytics_core.report.flowables import MIN_BAR_PT, measure
from screenalytics_core.report.season_model import SeasonEpisode, SeasonPerson

COLUMNS: Final = 4
_ROOM: Final = 1.2


def scale_s(people: Sequence[SeasonPerson]) -> float:
    """Return the seconds that the height of every chart stands for.

    What is possible of somebody doubtful may be far more than anybody is seen; it is cut off
    rather than let it press every bar flat.
    """
    cells = [c for p in people for c in p.cells if c.total_s is not None]
    most_s = max((c.total_s or 0.0 for c in cells), default=0.0)
    possible_s = max((c.high_s or 0.0 for c in cells), default=0.0)
    return min(possible_s, _ROOM * most_s) or 1.0


class TrendRow(Flowable):  # type: ignore[misc]
    """Charts of up to four people beside each other."""

    _GAP = 7 * mm
    _HEAD = 7.5 * mm
    _BARS = 20 * mm
    _AXIS = 5 * mm

    def __init__(
        self,
        people: Sequence[SeasonPerson],
        episodes: Sequence[SeasonEpisode],
        most_s: float,
        width: float,
    ) -> None:
        super().__init__()
        self._people = tuple(people)
        self._episodes = tuple(episodes)
        self._most_s = most_s
        self.width = width
        self.height = self._HEAD + self._BARS + self._AXIS

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        return self.width, self.height

    def draw(self) -> None:
        box = (self.width - self._GAP * (COLUMNS - 1)) / COLUMNS
        for i, person in enumerate(self._people):
            self._draw_person(person, i * (box + self._GAP), box)

    def _draw_person(self, person: SeasonPerson, left: float, width: float) -> None:
        canvas, top = self.canv, self.height - 3 * mm
        total = text.seconds(person.total_s)
        canvas.setFont(fonts.REGULAR, 7)
        canvas.setFillColor(style.MUTED)
        canvas.drawRightString(left + width, top, total)
        font = fonts.BOLD if person.is_named else fonts.REGULAR
        room = width - measure(fonts.REGULAR, 7)(total) - 2 * mm
        name = fonts.fit(fonts.displayable(person.name), room, measure(font, 8))
        canvas.setFont(font, 8)
        canvas.setFillColor(style.INK)
        canvas.drawString(left, top, visual(name))
        self._draw_bars(person, left, width)

    def _draw_bars(self, person: SeasonPerson, left: float, width: float) -> None:
        canvas, base = self.canv, self._AXIS
        step = width / max(len(self._episodes), 1)
        bar = min(step * 0.68, 9 * mm)
        every = -(-len(self._episodes) // 12)
        for i, (episode, cell) in enumerate(zip(self._episodes, person.cells, strict=True)):
            middle = left + (i + 0.5) * step
            if cell.total_s is None:
                canvas.setFillColor(style.PANEL)
                canvas.rect(middle - step / 2, base, step, self._BARS, stroke=0, fill=1)
            else:
                self._draw_bar(middle, bar, cell.low_s or 0.0, cell.total_s, cell.high_s or 0.0)
            if i % every == 0:
                canvas.setFont(fonts.REGULAR, 5.5)
                canvas.setFillColor(style.MUTED)
                canvas.drawCentredString(middle, base - 2.6 * mm, episode.short)
        canvas.setStrokeColor(style.UNKNOWN)
        canvas.setLineWidth(0.5)
        canvas.line(left, base, left + width, base)

    def _draw_bar(self, middle: float, width: float, low: float, total: float, high: float) -> None:
        canvas, base, scale = self.canv, self._AXIS, self._BARS / self._most_s
        canvas.setFillColor(style.ACCENT_LIGHT)
        height = max(total * scale, MIN_BAR_PT) if total > 0 else 0
        canvas.rect(middle - width / 2, base, width, height, stroke=0, fill=1)
        canvas.setFillColor(style.ACCENT)
        canvas.rect(middle - width / 2, base, width, low * scale, stroke=0, fill=1)
        if high > total:
            canvas.setStrokeColor(style.UNKNOWN)
            canvas.setLineWidth(0.6)
            canvas.line(
                middle, base + total * scale, middle, base + min(high, self._most_s) * scale
            )
