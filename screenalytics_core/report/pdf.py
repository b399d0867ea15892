"""From a `ReportModel` to PDF bytes that are the same every time.

reportlab's `invariant` mode fixes the dates and ids that a PDF carries; fonts are subset
per document in the order of use, so equal content gives equal bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

from screenalytics_core.report import fonts, style
from screenalytics_core.report.direction import visual
from screenalytics_core.report.flowables import measure
from screenalytics_core.report.model import ReportModel
from screenalytics_core.report.people_pages import people_story
from screenalytics_core.report.run_pages import run_story
from screenalytics_core.report.thumbnails import thumbnail


def render_pdf(model: ReportModel, pictures: Mapping[str, bytes]) -> bytes:
    """Lay the report out on A4 pages.

    Args:
        model: What it says.
        pictures: JPEG bytes of `model.crops`; a missing one leaves an empty frame.
    """
    style.register_fonts()
    out = BytesIO()
    document = BaseDocTemplate(
        out,
        pagesize=(style.PAGE_WIDTH, style.PAGE_HEIGHT),
        title=f"Screen time of {fonts.displayable(model.ep_id)}",
        subject=f"Run {fonts.displayable(model.run_id)}",
        author="Screenalytics",
        creator="Screenalytics",
        lang="en",
        invariant=1,
        pageTemplates=[PageTemplate("page", [_frame()], pagesize=_page_size())],
    )
    shown = _thumbnails(model, pictures)
    story = people_story(model, shown) + run_story(model, shown)
    document.build(story, canvasmaker=_canvas_maker(model.ep_id, model.run_id))
    return out.getvalue()


def _thumbnails(model: ReportModel, pictures: Mapping[str, bytes]) -> dict[str, bytes]:
    """Make small those pictures that stand in the PDF; those of segments do not."""
    names = {p.crop for p in model.people} | {f.crop for p in model.people for f in p.sheet}
    names |= {row.crop for row in model.review}
    small = {name: thumbnail(pictures.get(name)) for name in names if name is not None}
    return {name: jpeg for name, jpeg in small.items() if jpeg is not None}


def _page_size() -> tuple[float, float]:
    return (style.PAGE_WIDTH, style.PAGE_HEIGHT)


def _frame() -> Frame:
    return Frame(
        style.MARGIN,
        style.BOTTOM,
        style.CONTENT_WIDTH,
        style.CONTENT_HEIGHT,
        leftPadding=0,
        rightPadding=0,
        topPadding=0,
        bottomPadding=0,
    )


def _canvas_maker(ep_id: str, run_id: str) -> type[Canvas]:
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
                _draw_furniture(self, ep_id, run_id, f"{number} / {len(self._held)}")
                super().showPage()
            super().save()

    return NumberedCanvas


def _draw_furniture(canvas: Canvas, ep_id: str, run_id: str, page: str) -> None:
    size = 7.0
    left, right = style.MARGIN, style.PAGE_WIDTH - style.MARGIN
    top = style.PAGE_HEIGHT - 13 * mm
    half = style.CONTENT_WIDTH / 2 - 4 * mm
    canvas.saveState()
    canvas.setFont(fonts.BOLD, size)
    canvas.setFillColor(style.INK)
    episode = fonts.displayable(ep_id)
    shown = fonts.fit(episode, half, measure(fonts.BOLD, size), middle=True)
    canvas.drawString(left, top, visual(shown))
    canvas.setFont(fonts.REGULAR, size)
    canvas.setFillColor(style.MUTED)
    run = f"run {fonts.displayable(run_id)}"
    shown = fonts.fit(run, half, measure(fonts.REGULAR, size), middle=True)
    canvas.drawRightString(right, top, visual(shown))
    canvas.drawString(left, 11 * mm, "Screenalytics · screen time report")
    canvas.drawRightString(right, 11 * mm, page)
    canvas.setStrokeColor(style.RULE)
    canvas.setLineWidth(0.5)
    canvas.line(left, top - 2.2 * mm, right, top - 2.2 * mm)
    canvas.restoreState()
