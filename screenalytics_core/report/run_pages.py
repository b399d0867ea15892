"""The later pages, for whoever asks how the numbers came about: inputs, settings, health, files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, Paragraph, Spacer

from screenalytics_core.report import style, text, wording
from screenalytics_core.report.markup import escaped, heading, paragraph
from screenalytics_core.report.model import BodyFacts, ReportModel
from screenalytics_core.report.review_pages import bodies_to_review, contact_sheets, review_list
from screenalytics_core.report.tables import Cells, hash_cell, head_row, ruled_table, two_columns
from screenalytics_core.vision.quality_counters import QualityCounter

_CHANGED: Final = "●"


def run_story(model: ReportModel, pictures: Mapping[str, bytes]) -> list[Flowable]:
    """Return the pages about the run: what went in, how it was set, how far to trust it."""
    return [
        CondPageBreak(style.CONTENT_HEIGHT / 2),
        Paragraph("HOW IT WAS MEASURED", style.SECTION),
        *_inputs(model),
        *_models(model),
        *_settings(model),
        *_counters(model.counters),
        *_bodies(model.bodies),
        *_counts(model),
        *contact_sheets(model, pictures),
        *review_list(model, pictures),
        *bodies_to_review(model),
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
    return [*heading("Inputs"), ruled_table(rows, (34, 140), head=False)]


def _models(model: ReportModel) -> list[Flowable]:
    pack = escaped(model.lineage.pack)
    story: list[Flowable] = [
        *heading("Models"),
        Paragraph(f"The pack that ran is <b>{pack}</b>, with these models.", style.BODY),
        Spacer(0, 1.5 * mm),
    ]
    if not model.lineage.models:
        return [*heading("Models"), Paragraph(wording.NO_MODELS, style.BODY)]
    rows: Cells = [head_row("does what", "file and where it is from", "licence", "sha256")]
    for m in model.lineage.models:
        name: list[Flowable] = [paragraph(m.name, style.SMALL_INK)]
        if m.source:
            name.append(paragraph(m.source, style.SMALL))
        licence = paragraph(m.licence, style.SMALL_INK)
        rows.append(
            [paragraph(m.role, style.SMALL_INK), name, licence, hash_cell(m.sha256, halved=True)]
        )
    return [*story, ruled_table(rows, (26, 62, 42, 44))]


def _counts(model: ReportModel) -> list[Flowable]:
    cells = [
        [paragraph(what, style.SMALL), Paragraph(text.count(n), style.SMALL_INK_RIGHT)]
        for what, n in model.counts
    ]
    return [*heading("Counts"), two_columns(cells, (62, 20))]


def _counters(counters: Sequence[QualityCounter]) -> list[Flowable]:
    crossed = sum(c.is_warning for c in counters)
    says = f"{crossed} of {len(counters)} figures lie outside what is usual."
    story = [
        *heading("How far to trust it", 20 + 7 * len(counters)),
        Paragraph(says, style.BODY),
        Spacer(0, 1.5 * mm),
    ]
    rows: Cells = [head_row("figure", ">value", ">usual", "what to do")]
    for c in counters:
        advice = c.advice or ""
        colour = style.WARN_HEX if c.is_warning else style.INK_HEX
        value = f'<font color="{colour}">{text.number(c.value)}</font>'
        rows.append(
            [
                paragraph(c.title, style.SMALL_INK),
                Paragraph(f"<b>{value}</b>" if c.is_warning else value, style.SMALL_INK_RIGHT),
                Paragraph(wording.expected(c), style.SMALL_RIGHT),
                paragraph(advice, style.SMALL_INK),
            ]
        )
    shade = [
        ("BACKGROUND", (0, i), (-1, i), style.WARN_PANEL)
        for i, c in enumerate(counters, 1)
        if c.is_warning
    ]
    return [*story, ruled_table(rows, (58, 14, 22, 80), extra=shade, indent=True)]


def _settings(model: ReportModel) -> list[Flowable]:
    rows = model.lineage.settings_changed_first
    changed = sum(r.is_changed for r in rows)
    profile = escaped(model.lineage.profile)
    if changed:
        says = f"{changed} of {len(rows)} differ from the profile {profile}"
        intro = f'{says}: those marked <font color="{style.WARN_HEX}">{_CHANGED}</font>.'
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
    return [
        *heading("Settings", 45),
        Paragraph(intro, style.BODY),
        Spacer(0, 1.5 * mm),
        two_columns(cells, (44, 38)),
    ]


def _bodies(bodies: BodyFacts) -> list[Flowable]:
    story = heading("Bodies", 30)
    if bodies.why_none is not None:
        return [*story, paragraph(bodies.why_none, style.BODY)]
    says = (
        f"{bodies.detector or 'A person detector'} looked for bodies and found "
        f"{text.plural(bodies.track_count, 'body track')}."
    )
    if bodies.appearance is not None:
        by = wording.appearance(bodies.appearance)
        says += f" A body alike by {by} stands for a hidden face for up to {bodies.bridge_s:g} s."
    story += [paragraph(says, style.BODY), Spacer(0, 1.5 * mm)]
    rows: Cells = [head_row("tied to a person by", ">body tracks", ">length", ">mean confidence")]
    rows += [
        [
            paragraph(wording.evidence(e.evidence), style.SMALL_INK),
            Paragraph(text.count(e.associations), style.SMALL_INK_RIGHT),
            Paragraph(text.seconds(e.total_s), style.SMALL_INK_RIGHT),
            Paragraph(f"{e.mean_confidence:.2f}", style.SMALL_INK_RIGHT),
        ]
        for e in bodies.evidence
    ]
    return [*story, ruled_table(rows, (80, 28, 30, 36))] if bodies.evidence else story


def _files(model: ReportModel) -> list[Flowable]:
    rows: Cells = [head_row("artifact", "file", ">rows", ">size", "sha256")]
    above = ""
    for f in model.lineage.files:
        rows.append(
            [
                paragraph("" if f.kind == above else f.kind, style.SMALL_INK),
                paragraph(f.path, style.SMALL_INK),
                Paragraph(text.count(f.rows), style.SMALL_INK_RIGHT),
                Paragraph(text.size(f.size_bytes), style.SMALL_INK_RIGHT),
                hash_cell(f.sha256),
            ]
        )
        above = f.kind
    return [
        *heading("Artifacts that this report was made from"),
        ruled_table(rows, (25.2, 53.6, 12, 16.2, 67), indent=True),
    ]
