"""What Dagster is told of a step: how far it is, what it used up, what it published."""

from typing import Any

import dagster as dg

from screenalytics_assets.asset_facts import asset_facts
from screenalytics_assets.measuring import Usage
from screenalytics_assets.session import RunSession
from screenalytics_assets.tables import table_of
from screenalytics_assets.work import PendingOutput, StepWork, rows_of
from screenalytics_core.artifact_store import ArtifactRef
from screenalytics_core.artifacts import ARTIFACTS

Metadata = dict[str, Any]


def published_metadata(
    session: RunSession, pending: PendingOutput, refs: list[ArtifactRef]
) -> Metadata:
    """Return what is shown of a materialization: what it says, then where it came from."""
    shown: Metadata = asset_facts(session, pending.output.name)
    if refs[0].files[0].rows is not None:
        shown["dagster/row_count"] = refs[0].files[0].rows
    shown["run_id"] = session.run_id
    # A relaunched run holds what it computed earlier: this attempt only checked it.
    shown["source"] = refs[0].entry.source if pending.reused is None else "checkpoint"
    notes = [note for ref in refs for note in ref.entry.notes]
    if notes:
        shown["note"] = "; ".join(notes)
    shown["fingerprint"] = pending.fingerprint
    shown["code_ref"] = pending.code_ref
    shown["rows_in"] = pending.rows_in
    shown["rows_out"] = rows_of(refs)
    shown.update(_usage(pending.usage))
    if pending.reused is None:
        shown["stored_bytes"] = sum(ref.entry.size_bytes for ref in refs)
    for ref in refs:
        for file in ARTIFACTS[ref.kind].files:
            shown[file.filename] = dg.MetadataValue.path(ref.location(file.part))
    shown["files"] = _file_table(refs)
    return shown


def progress_metadata(work: StepWork, done: int, total: int, message: str) -> Metadata:
    """Return what is shown of a step that still runs: how far it is, on what, and what it used.

    Of a process that is killed this is the last that is heard.
    """
    told = {"done": done, "total": total, "message": message}
    return {**told, **_given(work), **_usage(work.meter.usage())}


def failed_step_metadata(work: StepWork) -> Metadata:
    """Return what is shown of a step that failed: what it worked on and had used up by then."""
    return {"measured": True, **_given(work), **_usage(work.meter.usage())}


def unpublished_metadata(pending: PendingOutput) -> Metadata:
    """Return what is shown of a computed output that could not be published."""
    return {
        "measured": True,
        "fingerprint": pending.fingerprint,
        "code_ref": pending.code_ref,
        "rows_in": pending.rows_in,
        **_usage(pending.usage),
    }


def _given(work: StepWork) -> Metadata:
    known = {} if work.fingerprint is None else {"fingerprint": work.fingerprint}
    return {**known, "code_ref": work.code_ref, "rows_in": work.rows_in}


def _usage(usage: Usage) -> Metadata:
    shown: Metadata = {
        "frames": usage.frames,
        "inferences": usage.inferences,
        **usage.rounded_seconds(),
        "compute_s": round(usage.compute_s, 3),
    }
    if usage.peak_rss_bytes is not None:
        shown["peak_rss_bytes"] = usage.peak_rss_bytes
    return shown


def _file_table(refs: list[ArtifactRef]) -> dg.TableMetadataValue:
    return table_of(
        ("file", "rows", "bytes", "sha256"),
        [
            {"file": f.path, "rows": f.rows, "bytes": f.size_bytes, "sha256": f.sha256}
            for ref in refs
            for f in ref.files
        ],
    )
