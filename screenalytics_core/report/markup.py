"""Text into reportlab paragraphs: escaped, only with glyphs that exist, never torn off."""

from __future__ import annotations

from xml.sax.saxutils import escape

from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, Paragraph

from screenalytics_core.report import fonts, style
from screenalytics_core.report.direction import visual


def escaped(value: str) -> str:
    """Return `value` safe to stand inside a paragraph's markup, in the order it is drawn in."""
    return escape(visual(fonts.displayable(value)))


def paragraph(value: str, look: ParagraphStyle) -> Paragraph:
    """Return a paragraph of plain text; a word wider than its column is broken."""
    return Paragraph(escaped(value), look)


def heading(title: str, room_mm: float = 35) -> list[Flowable]:
    """Return a heading that moves to the next page unless `room_mm` are left for what follows.

    (reportlab's keepWithNext would move a whole long table.)
    """
    return [CondPageBreak(room_mm * mm), Paragraph(title, style.HEADING)]
