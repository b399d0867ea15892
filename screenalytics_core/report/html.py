"""From a `ReportModel` to one HTML file that needs nothing but a browser.

The page loads nothing, and the policy in its head lets only its own style and script in,
by their hashes, whatever a label says. Without the script every word is there; with it
people can be sorted and filtered, and the timeline zooms and shows faces.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from screenalytics_core.report import text
from screenalytics_core.report.html_faces import crops_shown
from screenalytics_core.report.html_markup import escaped, tag
from screenalytics_core.report.html_people import key_figures, people_section
from screenalytics_core.report.html_pictures import Pictures
from screenalytics_core.report.html_resources import resource
from screenalytics_core.report.html_run import (
    bodies_section,
    files_section,
    lineage_section,
    quality_section,
)
from screenalytics_core.report.html_sheets import (
    body_review_section,
    review_section,
    sheets_section,
)
from screenalytics_core.report.html_timeline import TimelineDrawing
from screenalytics_core.report.html_together import together_section
from screenalytics_core.report.model import ReportModel

# Hatching tells a body, nobody known, and what is not counted without colour.
_PATTERNS: Final = "".join(
    tag(
        "pattern",
        tag("rect", width=6, height=6, class_="ground"),
        tag("rect", width=width, height=6, class_="stripe"),
        id=name,
        width=6,
        height=6,
        patternUnits="userSpaceOnUse",
        patternTransform=f"rotate({turn})",
    )
    for name, width, turn in (("hatch", 2, 45), ("dots", 3, 0), ("veil", 2, 135))
)
_CARD: Final = (
    '<div id="card" hidden><svg class="face" aria-hidden="true"><use></use></svg>'
    "<div><b><bdi></bdi></b><dl></dl></div></div>"
)


def render_html(model: ReportModel, pictures: Mapping[str, bytes]) -> bytes:
    """Return the page as UTF-8; equal content gives equal bytes.

    Args:
        model: What it says.
        pictures: JPEG bytes of `model.crops`; a missing one leaves an empty frame. They are
            made smaller, and only as many are kept as a page should weigh.
    """
    held = Pictures(pictures, crops_shown(model))
    sections = [
        _head(model),
        key_figures(model),
        people_section(model, held),
        TimelineDrawing(model, held).section(),
        together_section(model),
        sheets_section(model, held),
        review_section(model, held),
        body_review_section(model),
        quality_section(model),
        bodies_section(model),
        lineage_section(model),
        files_section(model),
        tag("footer", "Screenalytics · screen time report"),
    ]
    defs = tag("svg", tag("defs", _PATTERNS, held.symbols()), class_="defs", aria_hidden="true")
    body = "\n".join(s for s in (defs, tag("main", "\n".join(filter(None, sections))), _CARD) if s)
    return _document(model.ep_id, body).encode()


def _document(ep_id: str, body: str) -> str:
    style = f"\n{resource('html_base.css')}\n{resource('html_report.css')}\n"
    script = f"\n{resource('html_report.js')}\n"
    policy = (
        f"default-src 'none'; img-src data:; style-src {_digest(style)}; "
        f"script-src {_digest(script)}; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escaped(policy)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>Screen time of {escaped(ep_id)}</title>\n<style>{style}</style></head>\n"
        f"<body>\n{body}\n<script>{script}</script></body></html>\n"
    )


def _digest(source: str) -> str:
    return f"'sha256-{b64encode(sha256(source.encode()).digest()).decode()}'"


def _head(model: ReportModel) -> str:
    return tag(
        "header",
        tag("p", "Screen time report", class_="over"),
        tag("h1", escaped(text.headline(model.ep_id))),
        tag("p", escaped(f"{model.ep_id} · run {model.run_id}"), class_="soft"),
    )
