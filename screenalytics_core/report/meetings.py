"""Who was on screen with whom: a matrix for a small cast, the longest pairs for a large one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reportlab.lib.colors import Color
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, Table

from screenalytics_core.report import fonts, style, text
from screenalytics_core.report.flowables import Portrait, draw_name
from screenalytics_core.report.markup import escaped
from screenalytics_core.report.model import CoAppearance, PersonRow, ReportModel

# Above this many people a matrix has columns too narrow for its figures.
MATRIX_UP_TO: Final = 8
NEVER: Final = "No two of them are ever on screen together."


def meetings(model: ReportModel, pictures: Mapping[str, bytes]) -> Flowable:
    """Return the matrix of everybody, or a sentence if nobody ever met."""
    if not model.co_appearances:
        return Paragraph(NEVER, style.BODY)
    return Matrix(model.people, model.co_appearances, pictures, style.CONTENT_WIDTH)


def longest(model: ReportModel, at_most: int) -> Flowable:
    """Return the pairs with most time together, or a sentence if nobody ever met."""
    pairs = model.co_appearances[:at_most]
    return pair_list(pairs) if pairs else Paragraph(NEVER, style.BODY)


def pair_list(pairs: Sequence[CoAppearance]) -> Table:
    """Return pairs with their seconds in two columns, the left one read first."""
    half = (len(pairs) + 1) // 2
    rows = [
        [*_pair(pairs[i]), "", *(_pair(pairs[half + i]) if half + i < len(pairs) else ["", ""])]
        for i in range(half)
    ]
    ruled: list[tuple[Any, ...]] = [("LINEBELOW", (0, 0), (1, -1), 0.4, style.RULE)]
    if len(pairs) > 1:
        ruled.append(("LINEBELOW", (3, 0), (4, len(pairs) - half - 1), 0.4, style.RULE))
    return Table(
        rows,
        colWidths=[w * mm for w in (66, 17, 8, 66, 17)],
        style=[
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("FONTSIZE", (0, 0), (-1, -1), 1),
            ("LEADING", (0, 0), (-1, -1), 1),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 0.6 * mm),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 0.6 * mm),
            *ruled,
        ],
    )


def _pair(pair: CoAppearance) -> list[Paragraph]:
    both = f"{escaped(pair.name)} <b>+</b> {escaped(pair.other_name)}"
    return [
        Paragraph(both, style.SMALL_INK),
        Paragraph(text.seconds(pair.together_s), style.SMALL_INK_RIGHT),
    ]


class Matrix(Flowable):  # type: ignore[misc]
    """Seconds together, people down and across; a darker field is more of the rarer one's time."""

    _NAME = 40 * mm
    _HEAD = 6.6 * mm
    _ROW = 5.2 * mm
    _FACE = 5.6 * mm
    _WIDEST = 22 * mm

    def __init__(
        self,
        people: Sequence[PersonRow],
        pairs: Sequence[CoAppearance],
        pictures: Mapping[str, bytes],
        width: float,
    ) -> None:
        super().__init__()
        self._people = tuple(people)
        self._pictures = pictures
        self._together = {frozenset((p.person_id, p.other_id)): p.together_s for p in pairs}
        self._cell = min((width - self._NAME) / len(people), self._WIDEST)
        self.width = width
        self.height = self._HEAD + self._ROW * len(people)

    def draw(self) -> None:
        for column, person in enumerate(self._people):
            left = self._left(column) + (self._cell - self._FACE) / 2
            face = Portrait(self._pictures.get(person.crop or ""), self._FACE)
            face.drawOn(self.canv, left, self.height - self._FACE)
        for row, person in enumerate(self._people):
            bottom = self.height - self._HEAD - (row + 1) * self._ROW
            self.canv.setFillColor(style.INK)
            name, middle = fonts.displayable(person.name), bottom + self._ROW / 2
            draw_name(self.canv, name, middle, self._NAME - 2 * mm, 7)
            for column, other in enumerate(self._people):
                self._draw_cell(person, other, self._left(column), bottom)

    def _left(self, column: int) -> float:
        return float(self._NAME + column * self._cell)

    def _draw_cell(self, one: PersonRow, other: PersonRow, left: float, bottom: float) -> None:
        together_s = self._together.get(frozenset((one.person_id, other.person_id)), 0.0)
        is_self = one is other
        canvas = self.canv
        canvas.setFillColor(
            style.PANEL if is_self else _shade(together_s, min(one.total_s, other.total_s))
        )
        canvas.rect(left + 0.5, bottom + 0.5, self._cell - 1, self._ROW - 1, stroke=0, fill=1)
        canvas.setFont(fonts.REGULAR, 6.5)
        canvas.setFillColor(style.INK if together_s > 0 else style.UNKNOWN)
        shown = "" if is_self else text.seconds(together_s) if together_s > 0 else text.DASH
        canvas.drawCentredString(left + self._cell / 2, bottom + self._ROW / 2 - 6.5 * 0.36, shown)


def _shade(together_s: float, whole_s: float) -> Color:
    """Return white for never, and light accent for all of the time of the rarer of the two."""
    part = min(together_s / whole_s, 1.0) if whole_s > 0 else 0.0
    light = style.ACCENT_LIGHT
    return Color(*(1 - (1 - c) * part for c in (light.red, light.green, light.blue)))
