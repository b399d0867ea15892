"""What the Dagster UI shows of an asset: its columns, its numbers, and a picture of it."""

import base64
from collections.abc import Callable, Sequence
from typing import Any, Final

import dagster as dg
import pyarrow as pa

from screenalytics_assets.measuring import Usage
from screenalytics_assets.session import RunSession
from screenalytics_assets.work import PendingOutput, StepWork, rows_of
from screenalytics_core.artifact_store import ArtifactRef
from screenalytics_core.artifacts import ArtifactKind, ArtifactSpec
from screenalytics_core.report.charts import contact_sheet_png, timeline_png
from screenalytics_core.schema import Column, DocumentSpec, TableSpec

Metadata = dict[str, Any]


def definition_metadata(specs: Sequence[ArtifactSpec]) -> Metadata:
    """Return the column schema of an asset's primary artifact."""
    columns = _columns(specs[0].primary.spec)
    if not columns:
        return {}
    return {
        "dagster/column_schema": dg.TableSchema(
            columns=[
                dg.TableColumn(
                    name=c.name,
                    type=str(c.dtype),
                    description=f"{c.description} [{c.unit}]" if c.unit else c.description,
                    constraints=dg.TableColumnConstraints(nullable=c.nullable),
                )
                for c in columns
            ]
        )
    }


def published_metadata(
    session: RunSession, pending: PendingOutput, refs: list[ArtifactRef]
) -> Metadata:
    """Return what is shown of a materialization: what it says, then where it came from."""
    picture = _PICTURES.get(pending.output.name)
    shown: Metadata = {} if picture is None else picture(session, refs)
    if refs[0].files[0].rows is not None:
        shown["dagster/row_count"] = refs[0].files[0].rows
    shown["run_id"] = session.run_id
    # A relaunched run holds what it computed earlier: this attempt only checked it.
    shown["source"] = refs[0].entry.source if pending.reused is None else "checkpoint"
    notes = [ref.entry.note for ref in refs if ref.entry.note]
    if notes:
        shown["note"] = "; ".join(notes)
    shown["fingerprint"] = pending.fingerprint
    shown["code_ref"] = pending.code_ref
    shown["rows_in"] = pending.rows_in
    shown["rows_out"] = rows_of(refs)
    shown.update(_usage(pending.usage))
    for ref in refs:
        shown[str(ref.kind)] = dg.MetadataValue.path(str(ref.path()))
    shown["files"] = _file_table(refs)
    return shown


def progress_metadata(work: StepWork, done: int, total: int, message: str) -> Metadata:
    """Return what is shown of a step that still runs: how far it is, and what it works on."""
    return {"done": done, "total": total, "message": message, **_given(work)}


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
        "cpu_s": round(usage.cpu_s, 3),
        "compute_s": round(usage.compute_s, 3),
    }
    if usage.peak_rss_bytes is not None:
        shown["peak_rss_bytes"] = usage.peak_rss_bytes
    return shown


def _file_table(refs: list[ArtifactRef]) -> dg.TableMetadataValue:
    records = [
        dg.TableRecord(
            {
                "file": file.path,
                "rows": "" if file.rows is None else file.rows,
                "bytes": file.size_bytes,
                "sha256": file.sha256,
            }
        )
        for ref in refs
        for file in ref.files
    ]
    names = ("file", "rows", "bytes", "sha256")
    return dg.MetadataValue.table(
        records, schema=dg.TableSchema([dg.TableColumn(n) for n in names])
    )


def _columns(spec: Any) -> tuple[Column, ...]:
    if isinstance(spec, TableSpec):
        return spec.columns
    if isinstance(spec, DocumentSpec):
        return spec.tables[0].columns if spec.tables else spec.fields
    return ()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return round(value, 3) if isinstance(value, float) else value


def _png(data: bytes) -> dg.MarkdownMetadataValue:
    encoded = base64.b64encode(data).decode()
    return dg.MetadataValue.md(f"![picture](data:image/png;base64,{encoded})")


def _people(session: RunSession, refs: list[ArtifactRef]) -> Metadata:
    document = refs[0].read()
    shots = session.stores.artifacts.ref(session.ep_id, session.run_id, ArtifactKind.SHOTS)
    names = ("label", "identity_id", "total_s", "share", "first_s", "last_s")
    records = [dg.TableRecord({name: _cell(p[name]) for name in names}) for p in document["people"]]
    return {
        "people": len(records),
        "covered_s": document["covered_s"],
        "unknown_s": document["unknown_s"],
        "screen time": dg.MetadataValue.table(
            records, schema=dg.TableSchema([dg.TableColumn(n) for n in names])
        ),
        "timeline": _png(timeline_png(document, shots.read() if shots else None)),
    }


def _identities(session: RunSession, refs: list[ArtifactRef]) -> Metadata:
    document = refs[0].read()
    shown: Metadata = {
        "people": len(document["identities"]),
        "unassigned tracks": len(document["unassigned_track_ids"]),
    }
    faces = session.stores.artifacts.ref(session.ep_id, session.run_id, ArtifactKind.FACES)
    if faces is not None and document["identities"]:
        with faces.read("crops") as crops:
            shown["faces"] = _png(contact_sheet_png(document, faces.read("faces"), crops))
    return shown


def _metrics(_: RunSession, refs: list[ArtifactRef]) -> Metadata:
    metrics = refs[1].read()["metrics"]
    return {m["name"]: float(m["value"]) for m in metrics if m["value"] is not None}


def _faces(_: RunSession, refs: list[ArtifactRef]) -> Metadata:
    table: pa.Table = refs[0].read()
    accepted = sum(table.column("accepted").to_pylist())
    return {"accepted": accepted, "rejected": table.num_rows - accepted}


_PICTURES: Final[dict[str, Callable[[RunSession, list[ArtifactRef]], Metadata]]] = {
    "tracks": _metrics,
    "faces": _faces,
    "identities": _identities,
    "screen_time": _people,
}
