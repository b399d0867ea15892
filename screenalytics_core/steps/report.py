"""The step that makes the report: gathers values and pictures, and has them laid out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.crops import read_jpegs
from screenalytics_core.report.gather import ReportInputs, build_model
from screenalytics_core.report.html import render_html
from screenalytics_core.report.lineage import FileRow
from screenalytics_core.report.model import ReportModel
from screenalytics_core.report.pdf import render_pdf
from screenalytics_core.steps.base import ArtifactData, Step, StepInput, StepOutput
from screenalytics_core.vision.quality_counters import quality_counters

# Embeddings and representatives are only named in the table of files: with them, the report
# lists everything that its numbers rest on.
_INPUTS: Final = (
    ArtifactKind.SHOTS,
    ArtifactKind.DETECTIONS,
    ArtifactKind.TRACKS,
    ArtifactKind.TRACK_METRICS,
    ArtifactKind.FACES,
    ArtifactKind.FACES_EMBEDDINGS,
    ArtifactKind.TRACK_REPS,
    ArtifactKind.IDENTITIES,
    ArtifactKind.CAST,
    ArtifactKind.BODY_DETECTIONS,
    ArtifactKind.BODY_TRACKS,
    ArtifactKind.TRACK_FUSION,
    ArtifactKind.SCREEN_TIME,
)


def build(step: StepInput) -> ReportModel:
    """Compute what the report says, without its pictures."""
    files = tuple(
        FileRow(str(kind), f.path, f.rows, f.size_bytes, f.sha256)
        for kind in _INPUTS
        for f in step.artifacts[kind].files
    )
    track_metrics = step.read(ArtifactKind.TRACK_METRICS)
    faces, identities = step.read(ArtifactKind.FACES), step.read(ArtifactKind.IDENTITIES)
    return build_model(
        ReportInputs(
            ep_id=step.ep_id,
            run_id=step.run_id,
            shots=step.read(ArtifactKind.SHOTS),
            frame_times=step.read(ArtifactKind.SHOTS, "frame_times"),
            tracks=step.read(ArtifactKind.TRACKS),
            track_metrics=track_metrics,
            faces=faces,
            identities=identities,
            cast=step.read(ArtifactKind.CAST),
            body_tracks=step.read(ArtifactKind.BODY_TRACKS),
            track_fusion=step.read(ArtifactKind.TRACK_FUSION),
            screen_time=step.read(ArtifactKind.SCREEN_TIME),
            segments=step.read(ArtifactKind.SCREEN_TIME, "segments"),
            counters=quality_counters(track_metrics, faces, identities),
            run_record=step.run_record,
            files=files,
        )
    )


def run(step: StepInput) -> Mapping[ArtifactKind, ArtifactData]:
    """Make the PDF and the page; both say the same."""
    model = build(step)
    step.progress(0, 2, "laying out the report")
    pictures: dict[str, bytes] = {}
    if model.crops:
        with step.read(ArtifactKind.FACES, "crops") as archive:
            pictures = dict(zip(model.crops, read_jpegs(archive, model.crops), strict=True))
    pdf = render_pdf(model, pictures)
    step.progress(1, 2, "PDF laid out")
    html = render_html(model, pictures)
    step.progress(2, 2, "report laid out")
    return {ArtifactKind.REPORT: {"pdf": pdf, "html": html}}


STEP: Final = Step(
    "report",
    (
        StepOutput(
            "report",
            (ArtifactKind.REPORT,),
            version="4",
            inputs=_INPUTS,
            reads_run_record=True,
        ),
    ),
    run,
    "the report that people keep: who was on screen, how long and when, and how it was measured",
)
