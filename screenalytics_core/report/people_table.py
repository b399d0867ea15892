"""The table of people: face, name, seconds, share with its bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, Table

from screenalytics_core.report import fonts, style, text
from screenalytics_core.report.flowables import Portrait, RangeBar
from screenalytics_core.report.markup import escaped
from screenalytics_core.report.model import PersonRow

_PORTRAIT: Final = 10.5 * mm
_SMALL_PORTRAIT: Final = 8 * mm
_NAME_LIMIT: Final = 120
# A longer name is set smaller, to keep the rows low.
_LONG_NAME: Final = 36
_BAR_MM: Final = 36
_SCALES: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
_WITH_BODIES: Final = (13.5, 63.5, 25, 15, 16, _BAR_MM + 5)
_FACES_ONLY: Final = (13.5, 92, 26, 0, 0, _BAR_MM + 6.5)


def people_table(
    people: Sequence[PersonRow], pictures: Mapping[str, bytes], whole: float, *, is_roomy: bool
) -> Table:
    """Return one row per person.

    Args:
        pictures: JPEG bytes by the name of the crop.
        whole: The share at which bars end, see `scale_of`.
    """
    has_bodies = any(p.body_only_s is not None for p in people)
    widths = _WITH_BODIES if has_bodies else _FACES_ONLY
    air = (1.3 if is_roomy else 0.7) * mm
    side = _PORTRAIT if is_roomy else _SMALL_PORTRAIT
    rows = [_head(whole, has_bodies)]
    rows += [_row(p, Portrait(pictures.get(p.crop or ""), side), whole, has_bodies) for p in people]
    return Table(
        rows,
        colWidths=[w * mm for w in widths if w],
        repeatRows=1,
        style=[
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ("LEFTPADDING", (-1, 0), (-1, -1), 5 * mm),
            ("TOPPADDING", (0, 0), (-1, -1), air),
            ("BOTTOMPADDING", (0, 0), (-1, -1), air),
            ("BOTTOMPADDING", (0, 0), (-1, 0), 0.8 * mm),
            ("LINEBELOW", (0, 0), (-1, 0), 0.6, style.UNKNOWN),
            ("LINEBELOW", (0, 1), (-1, -1), 0.4, style.RULE),
        ],
    )


def scale_of(people: Sequence[PersonRow]) -> float:
    """Return the round share, at most 1, that every person's bounds fit below."""
    most = max((p.high_share for p in people), default=0.0)
    return next((s for s in _SCALES if s >= most), _SCALES[-1])


def _head(whole: float, has_bodies: bool) -> list[Any]:
    right = ["on screen", *(("face", "body only") if has_bodies else ())]
    return [
        Paragraph("", style.SMALL),
        Paragraph("name", style.SMALL),
        *(Paragraph(h, style.SMALL_RIGHT) for h in right),
        Paragraph(f"share · bar up to {100 * whole:.0f} %", style.SMALL),
    ]


def _row(person: PersonRow, portrait: Portrait, whole: float, has_bodies: bool) -> list[Any]:
    name = escaped(fonts.fit(person.name, _NAME_LIMIT, lambda shown: float(len(shown))))
    label = f'<font name="{fonts.BOLD}">{name}</font>' if person.is_named else name
    times = text.plural(person.appearance_count, "appearance")
    facts = [person.handle, f"{times}, {text.tick(person.first_s)} to {text.tick(person.last_s)}"]
    cells: list[Any] = [
        portrait,
        [
            Paragraph(label, style.BODY if len(person.name) <= _LONG_NAME else style.SMALL_INK),
            Paragraph(escaped(" · ".join(f for f in facts if f)), style.SMALL),
        ],
        [
            Paragraph(f"<b>{text.seconds(person.total_s)}</b>", style.BODY_RIGHT),
            Paragraph(_bounds(person), style.SMALL_RIGHT),
        ],
    ]
    if has_bodies:
        body_s = person.body_only_s
        cells.append(Paragraph(text.seconds(person.face_s), style.BODY_RIGHT))
        body = text.DASH if body_s is None else text.seconds(body_s)
        cells.append(Paragraph(body, style.BODY_RIGHT))
    return [*cells, _share(person, whole)]


def _bounds(person: PersonRow) -> str:
    return f"{text.bare_seconds(person.low_s)} to {text.seconds(person.high_s)}"


def _share(person: PersonRow, whole: float) -> list[Flowable]:
    low, high = text.percent(person.low_share), text.percent(person.high_share)
    words = f'{text.percent(person.share)} <font size="6.5" color="{style.MUTED_HEX}">'
    return [
        Paragraph(f"{words} {low} to {high}</font>", style.BODY),
        RangeBar(person.low_share, person.share, person.high_share, whole, _BAR_MM * mm),
    ]
