"""Who is on screen when, as vectors: one lane per person over the length of the episode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reportlab.lib.colors import Color
from reportlab.lib.units import mm
from reportlab.platypus import Flowable

from screenalytics_core.report import fonts, style, text
from screenalytics_core.report.flowables import MIN_BAR_PT, draw_name, ticks
from screenalytics_core.report.model import PersonRow, ReportModel
from screenalytics_core.vision.intervals import Interval

_MIN_SHADE_PT: Final = 1.0
_MOST_CUTS: Final = 120
_NAME_PT: Final = 7.5


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


def lane_of(person: PersonRow) -> Lane:
    """Return a person's lane; time without the face is lighter."""
    return Lane(
        fonts.displayable(person.name),
        text.seconds(person.total_s),
        tuple((s.start_s, s.end_s, s.source != "face") for s in person.segments),
    )


def timeline_of(model: ReportModel, people: Sequence[PersonRow], *, unknown: bool) -> Flowable:
    """Return the timeline of `people`, with `unknown` also of faces without an identity."""
    lanes = [lane_of(p) for p in people]
    if unknown and model.unknown_segments_s:
        bars = tuple((start, end, False) for start, end in model.unknown_segments_s)
        note = text.seconds(model.unknown_s)
        lanes.append(Lane("unidentified faces", note, bars, is_unknown=True))
    span = (model.start_s, model.start_s + model.duration_s)
    trims = [(t.start_s, t.end_s) for t in model.trims]
    return Timeline(lanes, model.shots_s, trims, span, style.CONTENT_WIDTH)


class Timeline(Flowable):  # type: ignore[misc]
    """Lanes over the episode, shots as alternating shades on top, a clock beneath.

    Stretches that are not counted are greyed. It breaks between lanes; every part repeats
    the shots and the clock.
    """

    _NAME = 40 * mm
    _NOTE = 16 * mm
    _ROW = 5 * mm
    _TOP = 4.6 * mm
    _AXIS = 6.4 * mm

    def __init__(
        self,
        lanes: Sequence[Lane],
        shots_s: Sequence[Interval],
        trims_s: Sequence[Interval],
        span_s: Interval,
        width: float,
    ) -> None:
        super().__init__()
        self._lanes = tuple(lanes)
        self._shots_s = tuple(shots_s)
        self._trims_s = tuple(trims_s)
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
            Timeline(part, self._shots_s, self._trims_s, self._span_s, self.width)
            for part in (self._lanes[:fitting], self._lanes[fitting:])
        ]

    def draw(self) -> None:
        self._draw_trims()
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
        canvas.setFillColor(style.MUTED if lane.is_unknown else style.INK)
        draw_name(canvas, lane.name, middle, self._NAME - 3 * mm, _NAME_PT)
        canvas.setFillColor(style.MUTED)
        canvas.setFont(fonts.REGULAR, _NAME_PT)
        canvas.drawRightString(self.width, middle - _NAME_PT * 0.36, lane.note)
        low, high = self._x(self._span_s[0]), self._x(self._span_s[1])
        canvas.setStrokeColor(style.RULE)
        canvas.setLineWidth(0.4)
        canvas.line(low, middle, high, middle)
        thick = self._ROW * 0.56
        for start, end, is_light in lane.bars:
            left = min(self._x(start), high - MIN_BAR_PT)
            canvas.setFillColor(lane.colour(is_light))
            bar = max(self._x(end) - left, MIN_BAR_PT)
            canvas.rect(left, middle - thick / 2, bar, thick, stroke=0, fill=1)

    def _draw_trims(self) -> None:
        self.canv.setFillColor(style.PANEL)
        for start, end in self._trims_s:
            left = self._x(start)
            height = self.height - self._AXIS - self._TOP
            self.canv.rect(left, self._AXIS, self._x(end) - left, height, stroke=0, fill=1)

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
        if len(self._shots_s) <= _MOST_CUTS:
            for start, _ in self._shots_s[1:]:
                canvas.line(self._x(start), self._AXIS, self._x(start), top)

    def _draw_clock(self) -> None:
        canvas = self.canv
        start, end = self._span_s
        base = self._AXIS - 0.8 * mm
        canvas.setStrokeColor(style.UNKNOWN)
        canvas.setLineWidth(0.5)
        canvas.line(self._x(start), base, self._x(end), base)
        canvas.setFont(fonts.REGULAR, 6.5)
        canvas.setFillColor(style.MUTED)
        for at in ticks(start, end, 9):
            canvas.line(self._x(at), base, self._x(at), base - 0.8 * mm)
            canvas.drawCentredString(self._x(at), base - 3.4 * mm, text.tick(at))
