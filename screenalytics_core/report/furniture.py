"""What stands on every page of a PDF: what it is about, at its foot how many pages there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reportlab import rl_config
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable

from screenalytics_core.report import fonts, style
from screenalytics_core.report.direction import visual
from screenalytics_core.report.flowables import measure


@dataclass(frozen=True, slots=True)
class Furniture:
    """What is written around a page's content; sizes in points."""

    left: str
    right: str
    foot: str
    page_width: float = style.PAGE_WIDTH
    page_height: float = style.PAGE_HEIGHT


def build(document: BaseDocTemplate, story: list[Flowable], furniture: Furniture) -> None:
    """Lay a story out on numbered pages, into the file that the document was given.

    Streams are binary: as text they take a second of Python and a quarter more room.
    """
    as_text = rl_config.useA85
    rl_config.useA85 = 0
    try:
        document.build(story, canvasmaker=_numbered_canvas(furniture))
    finally:
        rl_config.useA85 = as_text


def _numbered_canvas(furniture: Furniture) -> type[Canvas]:
    """Return a canvas class that knows the page count when it draws header and footer."""

    class NumberedCanvas(Canvas):  # type: ignore[misc]
        """Holds every page back until the last one is known."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._held: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - reportlab's name
            self._held.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, state in enumerate(self._held, 1):
                self.__dict__.update(state)
                _draw(self, furniture, f"{number} / {len(self._held)}")
                super().showPage()
            super().save()

    return NumberedCanvas


def _draw(canvas: Canvas, furniture: Furniture, page: str) -> None:
    size = 7.0
    left, right = style.MARGIN, furniture.page_width - style.MARGIN
    top = furniture.page_height - 13 * mm
    half = (right - left) / 2 - 4 * mm
    canvas.saveState()
    canvas.setFont(fonts.BOLD, size)
    canvas.setFillColor(style.INK)
    about = fonts.displayable(furniture.left)
    shown = fonts.fit(about, half, measure(fonts.BOLD, size), middle=True)
    canvas.drawString(left, top, visual(shown))
    canvas.setFont(fonts.REGULAR, size)
    canvas.setFillColor(style.MUTED)
    more = fonts.displayable(furniture.right)
    shown = fonts.fit(more, half, measure(fonts.REGULAR, size), middle=True)
    canvas.drawRightString(right, top, visual(shown))
    canvas.drawString(left, 11 * mm, furniture.foot)
    canvas.drawRightString(right, 11 * mm, page)
    canvas.setStrokeColor(style.RULE)
    canvas.setLineWidth(0.5)
    canvas.line(left, top - 2.2 * mm, right, top - 2.2 * mm)
    canvas.restoreState()
