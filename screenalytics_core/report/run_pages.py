"""The later pages, for whoever asks how the numbers came about: inputs, settings, health, files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, PageBreak, Paragraph, Spacer, Table

from screenalytics_core.report import style, text
from screenalytics_core.report.markup import escaped, heading, paragraph
from screenalytics_core.report.model import ReportModel
from screenalytics_core.vision.quality_counters import QualityCounter

_TIGHT: Final = 0.9 * mm
_CHANGED: Final = "●"
Cells = list[list[Any]]


def run_story(model: ReportModel) -> list[Flowable]:
    """Return the pages about the run: what went in, how it was set, what came out."""
    return [
        PageBreak(),
        Paragraph("HOW IT WAS MEASURED", style.EYEBROW),
        *_inputs(model),
        *_models(model),
        *_counts(model),
        *_counters(model.counters),
        *_settings(model),
        *_files(model),
    ]


def _inputs(model: ReportModel) -> list[Flowable]:
    facts = [("episode", model.ep_id), ("run", model.run_id)]
    facts += [(f"video {name}", value) for name, value in model.lineage.video]
    if model.lineage.code_ref:
        facts.append(("code", model.lineage.code_ref))
    if model.lineage.settings_hash:
        facts.append(("settings hash", model.lineage.settings_hash))
    rows: Cells = [[paragraph(k, style.SMALL), paragraph(v, style.SMALL_INK)] for k, v in facts]
    return [*heading("Inputs"), _table(rows, (34, 140), head=False)]


def _models(model: ReportModel) -> list[Flowable]:
    pack = escaped(model.lineage.pack)
    story: list[Flowable] = [
        *heading("Models"),
        Paragraph(f"The pack that ran is <b>{pack}</b>, with these models.", style.BODY),
        Spacer(0, 1.5 * mm),
    ]
    if not model.lineage.models:
        return [*heading("Models"), paragraph("The run's record names no model file.", style.BODY)]
    rows: Cells = [_head("does what", "file and where it is from", "licence", "sha256")]
    for m in model.lineage.models:
        name: list[Flowable] = [paragraph(m.name, style.SMALL_INK)]
        if m.source:
            name.append(paragraph(m.source, style.SMALL))
        licence = paragraph(m.licence, style.SMALL_INK)
        rows.append([paragraph(m.role, style.SMALL_INK), name, licence, _hash(m.sha256)])
    return [*story, _table(rows, (26, 62, 42, 44))]


def _counts(model: ReportModel) -> list[Flowable]:
    cells = [
        [paragraph(what, style.SMALL), Paragraph(text.count(n), style.SMALL_INK_RIGHT)]
        for what, n in model.counts
    ]
    return [*heading("Counts"), _two_columns(cells, (62, 20))]


def _counters(metrics: Sequence[QualityCounter]) -> list[Flowable]:
    story = heading("Health of the tracking")
    if not metrics:
        return [*story, paragraph("Nothing was measured.", style.BODY)]
    rows: Cells = [_head("figure", ">value", ">expected", "")]
    for m in metrics:
        verdict = f'<font color="{style.WARN_HEX}"><b>outside its limits</b></font>'
        rows.append(
            [
                paragraph(m.title, style.SMALL_INK),
                Paragraph(text.number(m.value), style.SMALL_INK_RIGHT),
                Paragraph(_expected(m), style.SMALL_RIGHT),
                Paragraph(verdict if m.is_warning else "", style.SMALL_INK),
            ]
        )
    shade = [
        ("BACKGROUND", (0, i), (-1, i), style.WARN_PANEL)
        for i, m in enumerate(metrics, 1)
        if m.is_warning
    ]
    return [*story, _table(rows, (62, 26, 40, 46), extra=shade, indent=True)]


def _expected(metric: QualityCounter) -> str:
    low, high = metric.warn_below, metric.warn_above
    if low is not None and high is not None:
        return f"{text.number(low)} to {text.number(high)}"
    if low is not None:
        return f"at least {text.number(low)}"
    return text.DASH if high is None else f"at most {text.number(high)}"


def _settings(model: ReportModel) -> list[Flowable]:
    rows = model.lineage.settings_changed_first
    changed = sum(r.is_changed for r in rows)
    profile = model.lineage.profile
    if changed:
        says = f"{changed} of {len(rows)} differ from the profile {profile}"
        intro = f'{says} and are marked <font color="{style.WARN_HEX}">{_CHANGED}</font>.'
    else:
        intro = f"All are those of the profile {profile}."
    cells: Cells = []
    for row in rows:
        name, value = escaped(row.name), escaped(row.value)
        if row.is_changed:
            name = f'<font color="{style.WARN_HEX}">{_CHANGED}</font> <b>{name}</b>'
            usual = f'<font color="{style.MUTED_HEX}"> (else {escaped(row.baseline)})</font>'
            value = f"<b>{value}</b>{usual}"
        cells.append([Paragraph(name, style.SMALL_INK), Paragraph(value, style.SMALL_INK_RIGHT)])
    story = [
        Paragraph("Settings", style.HEADING),
        Paragraph(intro, style.BODY),
        Spacer(0, 1.5 * mm),
        _two_columns(cells, (44, 38)),
    ]
    return [KeepTogether(story)]


def _files(model: ReportModel) -> list[Flowable]:
    rows: Cells = [_head("artifact", "file", ">rows", ">size", "sha256")]
    for f in model.lineage.files:
        rows.append(
            [
                paragraph(f.kind, style.SMALL_INK),
                paragraph(f.path, style.SMALL_INK),
                Paragraph(text.count(f.rows), style.SMALL_INK_RIGHT),
                Paragraph(text.size(f.size_bytes), style.SMALL_INK_RIGHT),
                _hash(f.sha256),
            ]
        )
    return [
        *heading("Artifacts that this report was made from"),
        _table(rows, (32, 52, 22, 22, 46), indent=True),
    ]


def _hash(sha256: str) -> Paragraph:
    return paragraph(f"{sha256[:32]} {sha256[32:]}", style.HASH)


def _head(*titles: str) -> list[Paragraph]:
    """Return header cells; a title that starts with `>` stands right."""
    return [
        Paragraph(t.lstrip(">"), style.SMALL_RIGHT if t.startswith(">") else style.SMALL)
        for t in titles
    ]


def _two_columns(cells: Cells, widths_mm: tuple[float, float]) -> Table:
    """Set (name, value) rows side by side, reading down the left column first."""
    half = (len(cells) + 1) // 2
    gap = style.CONTENT_WIDTH / mm - 2 * sum(widths_mm)
    rows = [
        [*cells[i], "", *(cells[half + i] if half + i < len(cells) else ("", ""))]
        for i in range(half)
    ]
    ruled: list[tuple[Any, ...]] = [
        ("LINEBELOW", (0, 0), (1, -1), 0.4, style.RULE),
        ("RIGHTPADDING", (1, 0), (1, -1), 0),
    ]
    if len(cells) > 1:
        ruled.append(("LINEBELOW", (3, 0), (4, len(cells) - half - 1), 0.4, style.RULE))
    table = Table(rows or [[""] * 5], colWidths=[w * mm for w in (*widths_mm, gap, *widths_mm)])
    table.setStyle([*_padding(), *ruled])
    return table


def _table(
    rows: Cells,
    widths_mm: Sequence[float],
    *,
    head: bool = True,
    extra: Sequence[tuple[Any, ...]] = (),
    indent: bool = False,
) -> Table:
    """Return a ruled table; `indent` keeps right-aligned columns clear of what follows them."""
    lines: list[tuple[Any, ...]] = [("LINEBELOW", (0, 0), (-1, -1), 0.4, style.RULE)]
    if head:
        lines.append(("LINEBELOW", (0, 0), (-1, 0), 0.6, style.UNKNOWN))
    table = Table(rows, colWidths=[w * mm for w in widths_mm], repeatRows=1 if head else 0)
    table.setStyle([*_padding(), *extra, *lines])
    if indent:
        table.setStyle([("LEFTPADDING", (-1, 0), (-1, -1), 4 * mm)])
    return table


def _padding() -> list[tuple[Any, ...]]:
    return [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 2 * mm),
        ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), _TIGHT),
        ("BOTTOMPADDING", (0, 0), (-1, -1), _TIGHT),
    ]
