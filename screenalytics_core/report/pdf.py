"""From a `ReportModel` to PDF bytes that are the same every time.

reportlab's `invariant` mode fixes the dates and ids that a PDF carries; fonts are subset
per document in the order of use, so equal content gives equal bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO

from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

from screenalytics_core.report import fonts, style
from screenalytics_core.report.furniture import Furniture, build
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
    furniture = Furniture(model.ep_id, f"run {model.run_id}", "Screenalytics · screen time report")
    build(document, story, furniture)
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
