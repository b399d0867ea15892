"""Pictures of people and their time, for the Dagster UI and web pages.

matplotlib's object API only: no pyplot, so no global state, and any thread may draw. The
same input gives the same bytes. The PDF draws its own timeline as vectors (`flowables`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import IO, Any, Final

import cv2
import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from screenalytics_core.crops import read_jpegs
from screenalytics_core.report import fonts, style, text
from screenalytics_core.report.flowables import measure, ticks
from screenalytics_core.report.model import crops_of_faces

NOBODY: Final = "No identified person in this episode."
_DPI: Final = 110
_WIDTH_IN: Final = 9.0
_ROW_IN: Final = 0.28
_NAME_IN: Final = 1.7
_NAME_PT: Final = 8.5
# More cuts than this would shade the whole picture.
_MOST_CUTS: Final = 120
_FACE_COLUMNS: Final = 8
_CELL_IN: Final = 1.1


def timeline_png(screen_time: Mapping[str, Any], shots: Mapping[str, Any] | None = None) -> bytes:
    """Draw who is on screen when.

    Args:
        screen_time: The document of `artifacts.SCREEN_TIME`.
        shots: The document of `artifacts.SHOTS`; with it cuts are marked, and the axis
            starts at the first frame's timestamp.
    """
    return _png(_timeline(screen_time, shots))


def contact_sheet_png(identities: Mapping[str, Any], faces: pa.Table, crops: IO[bytes]) -> bytes:
    """Show the face of every identity with its label or id.

    Args:
        identities: The document of `artifacts.IDENTITIES`.
        faces: The table of `artifacts.FACES`.
        crops: crops.zip, open and seekable.
    """
    rows: Sequence[Mapping[str, Any]] = identities["identities"]
    if not rows:
        return _png(_sentence(NOBODY))
    name_of = crops_of_faces(faces, [r["representative_face_id"] for r in rows])
    names = [name_of.get(r["representative_face_id"]) for r in rows]
    present = list(dict.fromkeys(n for n in names if n is not None))
    jpeg_of = dict(zip(present, read_jpegs(crops, present), strict=True))
    figure, cells = _grid(len(rows))
    for axes, row, name in zip(cells, rows, names, strict=True):
        _draw_face(axes, row, None if name is None else jpeg_of[name])
    return _png(figure)


def _timeline(screen_time: Mapping[str, Any], shots: Mapping[str, Any] | None) -> Figure:
    people = sorted(screen_time["people"], key=lambda p: (-p["total_s"], p["first_s"]))
    if not people:
        return _sentence(NOBODY)
    start_s = 0.0 if shots is None else float(shots["start_s"])
    end_s = start_s + max(float(screen_time["duration_s"]), 1e-3)
    height_in = 0.55 + _ROW_IN * len(people)
    figure, axes = _axes(height_in, (0.21, 0.33 / height_in, 0.70, 1 - 0.45 / height_in))
    cuts_s = [s["start_s"] for s in shots["shots"][1:]] if shots else []
    for cut_s in cuts_s if len(cuts_s) <= _MOST_CUTS else ():
        axes.axvline(cut_s, color=style.RULE_HEX, linewidth=0.6, zorder=0)
    for row, person in enumerate(people):
        _draw_person(axes, row, person, end_s)
    axes.set_xlim(start_s, end_s)
    axes.set_ylim(len(people) - 0.5, -0.5)
    marks = ticks(start_s, end_s, 9)
    axes.set_xticks(marks, [text.tick(m) for m in marks])
    axes.set_yticks([])
    axes.tick_params(axis="x", length=2.5, colors=style.MUTED_HEX, labelsize=8)
    for label in axes.get_xticklabels():
        label.set_fontproperties(_font(8))
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(style.UNKNOWN_HEX)
    return figure


def _draw_person(axes: Axes, row: int, person: Mapping[str, Any], end_s: float) -> None:
    axes.axhline(row, color=style.RULE_HEX, linewidth=0.6, zorder=0)
    for is_face, colour in ((True, style.ACCENT_HEX), (False, style.ACCENT_LIGHT_HEX)):
        bars = [
            (s["start_s"], s["end_s"] - s["start_s"])
            for s in person["segments"]
            if (s["source"] == "face") is is_face
        ]
        # The outline keeps a bar shorter than a pixel visible.
        axes.broken_barh(
            bars, (row - 0.28, 0.56), facecolor=colour, edgecolor=colour, linewidth=0.4
        )
    axes.annotate(
        _caption(person, _NAME_IN, _NAME_PT),
        (0, row),
        xycoords=("axes fraction", "data"),
        xytext=(-8, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        color=style.INK_HEX,
        fontproperties=_font(_NAME_PT),
    )
    axes.annotate(
        text.seconds(person["total_s"]),
        (end_s, row),
        xytext=(6, 0),
        textcoords="offset points",
        ha="left",
        va="center",
        color=style.MUTED_HEX,
        fontproperties=_font(8),
    )


def _grid(n: int) -> tuple[Figure, list[Axes]]:
    """Return `n` cells, in rows of at most eight, each a face with room for a caption."""
    columns = min(n, _FACE_COLUMNS)
    rows = -(-n // _FACE_COLUMNS)
    cell_height = _CELL_IN + 0.2
    figure = Figure((columns * _CELL_IN, rows * cell_height), _DPI, facecolor="white")
    cells = []
    for i in range(n):
        left, top = i % columns / columns, 1 - i // columns / rows
        height = 1 / rows
        # 0.86 leaves a gutter between faces; the caption stands in the rest of the height.
        box = (
            left + 0.07 / columns,
            top - height * (0.02 + 0.86 * _CELL_IN / cell_height),
            0.86 / columns,
            height * 0.86 * _CELL_IN / cell_height,
        )
        cells.append(figure.add_axes(box))
    return figure, cells


def _draw_face(axes: Axes, identity: Mapping[str, Any], jpeg: bytes | None) -> None:
    if jpeg is None:
        axes.set_facecolor(style.PANEL_HEX)
    else:
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if image is not None:
            axes.imshow(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), aspect="auto")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    tracks = text.plural(len(identity["track_ids"]), "track")
    for line, up, colour, size in (
        (_caption(identity, 0.95 * _CELL_IN, 7.5), -3, style.INK_HEX, 7.5),
        (tracks, -13, style.MUTED_HEX, 6.5),
    ):
        axes.annotate(
            line,
            (0.5, 0),
            xycoords="axes fraction",
            xytext=(0, up),
            textcoords="offset points",
            ha="center",
            va="top",
            color=colour,
            fontproperties=_font(size),
        )


def _caption(row: Mapping[str, Any], width_in: float, size: float) -> str:
    """Return a person's name, cut to `width_in` inches at `size` points."""
    style.register_fonts()
    name = row.get("label") or row.get("identity_id") or row.get("cast_id") or "unnamed"
    return fonts.fit(fonts.displayable(name), 72 * width_in, measure(fonts.REGULAR, size))


def _sentence(sentence: str) -> Figure:
    figure, axes = _axes(0.6, (0, 0, 1, 1))
    axes.set_axis_off()
    axes.text(
        0.02, 0.5, sentence, va="center", color=style.MUTED_HEX, fontproperties=_font(9),
        transform=axes.transAxes,
    )  # fmt: skip
    return figure


def _axes(height_in: float, box: tuple[float, float, float, float]) -> tuple[Figure, Axes]:
    figure = Figure((_WIDTH_IN, height_in), _DPI, facecolor="white")
    return figure, figure.add_axes(box, facecolor="white")


def _font(size: float) -> FontProperties:
    return FontProperties(fname=str(fonts.font_path(fonts.REGULAR)), size=size)


def _png(figure: Figure) -> bytes:
    out = BytesIO()
    # Without the version of matplotlib, which the file would else carry.
    FigureCanvasAgg(figure)
    figure.savefig(out, format="png", dpi=_DPI, metadata={"Software": None})
    return out.getvalue()
