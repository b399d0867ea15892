"""Pictures of people and their time, for the Dagster UI and web pages.

Drawn with Pillow, which needs a fraction of the time that a plotting library takes to
import; any thread may draw. The same input gives the same bytes. The PDF draws its own
timeline as vectors (`flowables`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import IO, Any, Final

import cv2
import numpy as np
import pyarrow as pa
from PIL import Image, ImageDraw, ImageFont

from screenalytics_core.crops import read_jpegs
from screenalytics_core.report import fonts, style, text
from screenalytics_core.report.direction import visual
from screenalytics_core.report.faces import crops_of_faces
from screenalytics_core.report.flowables import measure, ticks
from screenalytics_core.report.people import name_of

NOBODY: Final = "No identified person in this episode."
_DPI: Final = 110
_WIDTH_PX: Final = 9 * _DPI
_LEFT_PX: Final = round(0.21 * _WIDTH_PX)
_RIGHT_PX: Final = round(0.91 * _WIDTH_PX)
_TOP_PX: Final = 13
_ROW_PX: Final = 31
_BAR_PX: Final = 17
_AXIS_PX: Final = 36
_LEGEND_PX: Final = 28
_NAME_IN: Final = 1.7
_NAME_PT: Final = 8.5
# More cuts than this would shade the whole picture.
_MOST_CUTS: Final = 120
_MOST_PEOPLE: Final = 40
_MOST_FACES: Final = 48
_FACE_COLUMNS: Final = 8
_CELL_PX: Final = round(1.1 * _DPI)
_FACE_PX: Final = round(0.86 * _CELL_PX)
_CAPTION_PX: Final = 22


def timeline_png(screen_time: Mapping[str, Any], shots: Mapping[str, Any] | None = None) -> bytes:
    """Draw when the 40 people with the most time are on screen; trims are shaded.

    Args:
        screen_time: The document of `artifacts.SCREEN_TIME`.
        shots: The document of `artifacts.SHOTS`; with it cuts are marked, and the axis
            starts at the first frame's timestamp.
    """
    return _png(_timeline(screen_time, shots))


def contact_sheet_jpeg(identities: Mapping[str, Any], faces: pa.Table, crops: IO[bytes]) -> bytes:
    """Show the faces of the first 48 identities with their labels or ids.

    As JPEG, since Dagster keeps it in the event of every run: a third of a PNG's bytes.

    Args:
        identities: The document of `artifacts.IDENTITIES`.
        faces: The table of `artifacts.FACES`.
        crops: crops.zip, open and seekable.
    """
    rows: Sequence[Mapping[str, Any]] = identities["identities"][:_MOST_FACES]
    if not rows:
        return _jpeg(_sentence(NOBODY))
    crop_of = crops_of_faces(faces, [r["representative_face_id"] for r in rows])
    names = [crop_of.get(r["representative_face_id"]) for r in rows]
    present = list(dict.fromkeys(n for n in names if n is not None))
    jpeg_of = dict(zip(present, read_jpegs(crops, present), strict=True))
    height = -(-len(rows) // _FACE_COLUMNS) * (_CELL_PX + _CAPTION_PX)
    picture = Image.new("RGB", (min(len(rows), _FACE_COLUMNS) * _CELL_PX, height), "white")
    for place, (row, name) in enumerate(zip(rows, names, strict=True)):
        _draw_face(picture, place, row, None if name is None else jpeg_of[name])
    return _jpeg(picture)


def _timeline(screen_time: Mapping[str, Any], shots: Mapping[str, Any] | None) -> Image.Image:
    people = sorted(screen_time["people"], key=lambda p: (-p["total_s"], p["first_s"]))
    if not people:
        return _sentence(NOBODY)
    start_s = 0.0 if shots is None else float(shots["start_s"])
    end_s = start_s + max(float(screen_time["duration_s"]), 1e-3)
    shown = people[:_MOST_PEOPLE]
    bottom = _TOP_PX + _ROW_PX * len(shown)
    hidden = len(people) - len(shown)
    more = f"and {text.plural(hidden, 'person', 'people')} with less time" if hidden else ""
    legend = _legend(screen_time)
    legend_px = _LEGEND_PX if legend or more else 0
    picture = Image.new("RGB", (_WIDTH_PX, bottom + _AXIS_PX + legend_px), "white")
    draw = ImageDraw.Draw(picture)

    def x_of(moment_s: float) -> int:
        return round(_LEFT_PX + (moment_s - start_s) / (end_s - start_s) * (_RIGHT_PX - _LEFT_PX))

    for trim in screen_time.get("trims", ()):
        area = (x_of(trim["start_s"]), _TOP_PX, x_of(trim["end_s"]), bottom)
        draw.rectangle(area, style.PANEL_HEX)
    cuts_s = [s["start_s"] for s in shots["shots"][1:]] if shots else []
    for cut_s in cuts_s if len(cuts_s) <= _MOST_CUTS else ():
        draw.line([(x_of(cut_s), _TOP_PX), (x_of(cut_s), bottom)], style.RULE_HEX)
    for row, person in enumerate(shown):
        _draw_person(draw, _TOP_PX + row * _ROW_PX + _ROW_PX // 2, person, x_of)
    draw.line([(_LEFT_PX, bottom), (_RIGHT_PX, bottom)], style.UNKNOWN_HEX)
    for mark in ticks(start_s, end_s, 9):
        x = x_of(mark)
        draw.line([(x, bottom), (x, bottom + 4)], style.MUTED_HEX)
        draw.text((x, bottom + 9), text.tick(mark), style.MUTED_HEX, _font(8), anchor="mt")
    _draw_legend(draw, bottom + _AXIS_PX + legend_px // 2, legend, more)
    return picture


def _legend(screen_time: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what the colours mean; nothing where there is only one."""
    entries = []
    if screen_time.get("has_bodies"):
        entries.append((style.ACCENT_LIGHT_HEX, "body without face"))
    if screen_time.get("trims"):
        entries.append((style.PANEL_HEX, "not counted"))
    return [(style.ACCENT_HEX, "face"), *entries] if entries else []


def _draw_legend(
    draw: ImageDraw.ImageDraw, y: int, entries: Sequence[tuple[str, str]], more: str
) -> None:
    x = _LEFT_PX
    for colour, says in entries:
        draw.rectangle((x, y - 6, x + 18, y + 6), colour, outline=style.RULE_HEX)
        draw.text((x + 26, y), says, style.MUTED_HEX, _font(8), anchor="lm")
        x += 26 + round(draw.textlength(says, _font(8))) + 24
    draw.text((_RIGHT_PX, y), more, style.MUTED_HEX, _font(8), anchor="rm")


def _draw_person(
    draw: ImageDraw.ImageDraw, y: int, person: Mapping[str, Any], x_of: Callable[[float], int]
) -> None:
    draw.line([(_LEFT_PX, y), (_RIGHT_PX, y)], style.RULE_HEX)
    for is_face, colour in ((True, style.ACCENT_HEX), (False, style.ACCENT_LIGHT_HEX)):
        for s in person["segments"]:
            if (s["source"] == "face") is is_face:
                # Both ends count, so a bar shorter than a pixel stays visible.
                bar = (x_of(s["start_s"]), y - _BAR_PX // 2, x_of(s["end_s"]), y + _BAR_PX // 2)
                draw.rectangle(bar, colour)
    name = _caption(person, _NAME_IN, _NAME_PT)
    draw.text((_LEFT_PX - 12, y), name, style.INK_HEX, _font(_NAME_PT), anchor="rm")
    total = text.seconds(person["total_s"])
    draw.text((_RIGHT_PX + 9, y), total, style.MUTED_HEX, _font(8), anchor="lm")


def _draw_face(
    picture: Image.Image, place: int, identity: Mapping[str, Any], jpeg: bytes | None
) -> None:
    """Draw the face of cell `place`, in rows of at most eight, and its caption below."""
    x = place % _FACE_COLUMNS * _CELL_PX + (_CELL_PX - _FACE_PX) // 2
    y = place // _FACE_COLUMNS * (_CELL_PX + _CAPTION_PX) + 2
    draw = ImageDraw.Draw(picture)
    face = None if jpeg is None else cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if face is None:
        draw.rectangle((x, y, x + _FACE_PX - 1, y + _FACE_PX - 1), style.PANEL_HEX)
    else:
        scaled = cv2.resize(face, (_FACE_PX, _FACE_PX), interpolation=cv2.INTER_AREA)
        picture.paste(Image.fromarray(cv2.cvtColor(scaled, cv2.COLOR_BGR2RGB)), (x, y))
    middle, below = x + _FACE_PX // 2, y + _FACE_PX
    name = _caption(identity, 0.95 * _CELL_PX / _DPI, 7.5)
    tracks = text.plural(len(identity["track_ids"]), "track")
    draw.text((middle, below + 4), name, style.INK_HEX, _font(7.5), anchor="ma")
    draw.text((middle, below + 18), tracks, style.MUTED_HEX, _font(6.5), anchor="ma")


def _caption(row: Mapping[str, Any], width_in: float, size: float) -> str:
    """Return a person's name as it is drawn, cut to `width_in` inches at `size` points."""
    style.register_fonts()
    name = fonts.displayable(name_of(row))
    return visual(fonts.fit(name, 72 * width_in, measure(fonts.REGULAR, size)))


def _sentence(sentence: str) -> Image.Image:
    picture = Image.new("RGB", (_WIDTH_PX, 66), "white")
    draw = ImageDraw.Draw(picture)
    draw.text((20, 33), sentence, style.MUTED_HEX, _font(9), anchor="lm")
    return picture


def _font(size_pt: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(
        fonts.font_path(fonts.REGULAR),
        size_pt * _DPI / 72,
        # The other engine is only in some builds, and would give other bytes there.
        layout_engine=ImageFont.Layout.BASIC,
    )


def _png(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, format="png")
    return out.getvalue()


def _jpeg(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, format="jpeg", quality=85)
    return out.getvalue()
