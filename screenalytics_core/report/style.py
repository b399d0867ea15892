"""Colours, type sizes and paragraph styles: the one place that says how the report looks."""

from __future__ import annotations

from typing import Final

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics

from screenalytics_core.report import fonts

INK_HEX: Final = "#1F2A37"
MUTED_HEX: Final = "#64707D"
RULE_HEX: Final = "#D8DEE4"
PANEL_HEX: Final = "#F3F5F7"
ACCENT_HEX: Final = "#1B6B80"
ACCENT_LIGHT_HEX: Final = "#9CC6D1"
MAYBE_HEX: Final = "#DCE9ED"
UNKNOWN_HEX: Final = "#A9B1BA"
WARN_HEX: Final = "#A8500C"
WARN_PANEL_HEX: Final = "#FCF3E8"

INK: Final = HexColor(INK_HEX)
MUTED: Final = HexColor(MUTED_HEX)
RULE: Final = HexColor(RULE_HEX)
PANEL: Final = HexColor(PANEL_HEX)
ACCENT: Final = HexColor(ACCENT_HEX)
ACCENT_LIGHT: Final = HexColor(ACCENT_LIGHT_HEX)
MAYBE: Final = HexColor(MAYBE_HEX)
UNKNOWN: Final = HexColor(UNKNOWN_HEX)
WARN: Final = HexColor(WARN_HEX)
WARN_PANEL: Final = HexColor(WARN_PANEL_HEX)

PAGE_WIDTH: Final[float] = A4[0]
PAGE_HEIGHT: Final[float] = A4[1]
MARGIN: Final[float] = 18 * mm
TOP: Final[float] = 21 * mm
BOTTOM: Final[float] = 18 * mm
CONTENT_WIDTH: Final[float] = PAGE_WIDTH - 2 * MARGIN
CONTENT_HEIGHT: Final[float] = PAGE_HEIGHT - TOP - BOTTOM


def register_fonts() -> None:
    """Make the embedded fonts known to reportlab; doing it again changes nothing."""
    for name in (fonts.REGULAR, fonts.BOLD, fonts.MONO):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(fonts.embedded(name))
    # Markup's <b> looks here; the report uses no italics.
    pdfmetrics.registerFontFamily(
        fonts.REGULAR, fonts.REGULAR, fonts.BOLD, fonts.REGULAR, fonts.BOLD
    )


def _style(name: str, size: float, **more: object) -> ParagraphStyle:
    values = {"fontName": fonts.REGULAR, "leading": size * 1.4, "textColor": INK, **more}
    return ParagraphStyle(name, fontSize=size, **values)


BODY: Final = _style("body", 8.5)
BODY_RIGHT: Final = _style("body-right", 8.5, alignment=TA_RIGHT)
SMALL: Final = _style("small", 7, textColor=MUTED)
SMALL_INK: Final = _style("small-ink", 7)
SMALL_RIGHT: Final = _style("small-right", 7, textColor=MUTED, alignment=TA_RIGHT)
SMALL_INK_RIGHT: Final = _style("small-ink-right", 7, alignment=TA_RIGHT)
# A hash has no blank to break at; 64 characters fit the widest column, else 32 on a line.
HASH: Final = _style("hash", 4.6, leading=8, fontName=fonts.MONO, textColor=MUTED, splitLongWords=1)
EYEBROW: Final = _style("eyebrow", 7, textColor=ACCENT, fontName=fonts.BOLD)
SECTION: Final = _style(
    "section", 7, textColor=ACCENT, fontName=fonts.BOLD, spaceBefore=8 * mm, spaceAfter=0
)
TITLE: Final = _style(
    "title", 19, fontName=fonts.BOLD, leading=23, splitLongWords=1, spaceAfter=1 * mm
)
HEADING: Final = _style(
    "heading", 11.5, fontName=fonts.BOLD, spaceBefore=5.5 * mm, spaceAfter=1.6 * mm
)
