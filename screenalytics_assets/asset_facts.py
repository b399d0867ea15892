"""What a materialization says of its artifact's content: figures, tables and pictures.

Nothing in here may fail a step: what is shown is about an artifact that is published already.
"""

import base64
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from screenalytics_assets.session import RunSession
from screenalytics_assets.tables import figures_table, table_of
from screenalytics_core.artifacts import ARTIFACTS, ArtifactKind
from screenalytics_core.report.charts import contact_sheet_jpeg, timeline_png
from screenalytics_core.report.people import name_of
from screenalytics_core.vision.quality_counters import (
    face_counters,
    people_counters,
    quality_counters,
    tracking_counters,
)

Facts = dict[str, Any]
_LOG: Final = logging.getLogger(__name__)
_Kind = ArtifactKind


def asset_facts(session: RunSession, asset: str) -> Facts:
    """Return what is shown of an asset's content as it stands in the run."""
    tell = _FACTS.get(asset)
    if tell is None:
        return {}
    try:
        return tell(_View(session))
    except Exception as error:  # noqa: BLE001 - the artifact is published, whatever is shown of it
        _LOG.warning("what asset %s holds cannot be shown", asset, exc_info=True)
        return {"not shown": f"{type(error).__name__}: {error}"}


class _View:
    """The artifacts of a run, by kind and part."""

    def __init__(self, session: RunSession) -> None:
        self.session = session

    def read(self, kind: ArtifactKind, part: str | None = None) -> Any:
        """Return a value that the run must hold."""
        session = self.session
        return session.stores.require(session.ep_id, session.run_id, kind).read(part)

    def rows(self, kind: ArtifactKind) -> int:
        """Return the rows of an artifact's primary file without reading it."""
        session = self.session
        return session.stores.require(session.ep_id, session.run_id, kind).files[0].rows or 0

    def has(self, kind: ArtifactKind) -> bool:
        """Tell whether the run holds an artifact."""
        session = self.session
        return session.stores.artifacts.ref(session.ep_id, session.run_id, kind) is not None


def _shots(view: _View) -> Facts:
    document = view.read(_Kind.SHOTS)
    return {
        "shot count": len(document["shots"]),
        "frame count": document["frame_count"],
        "duration_s": round(document["duration_s"], 3),
        "picture": f"{document['width_px']}x{document['height_px']}, {document['fps']} frames/s",
    }


def _detections(view: _View) -> Facts:
    looked = len(view.read(_Kind.DETECTIONS, "sampled_frames"))
    return _looked(view.rows(_Kind.DETECTIONS), looked, "faces")


def _body_detections(view: _View) -> Facts:
    table: pa.Table = view.read(_Kind.BODY_DETECTIONS)
    looked = len(view.read(_Kind.BODY_DETECTIONS, "body_sampled_frames"))
    counts = pc.value_counts(table.column("appearance")).to_pylist()
    made = {row["values"]: row["counts"] for row in counts}
    return {
        **_looked(table.num_rows, looked, "bodies"),
        **{f"appearance {name or 'missing'}": made[name] for name in sorted(made, key=str)},
    }


def _looked(found: int, looked: int, what: str) -> Facts:
    mean = {f"{what} per frame": round(found / looked, 3)} if looked else {}
    return {"frames looked at": looked, **mean}


def _tracks(view: _View) -> Facts:
    metrics = view.read(_Kind.TRACK_METRICS)
    return {
        "track count": metrics["track_count"],
        "quality": figures_table(tracking_counters(metrics)),
        # Numbers of their own, so that the UI plots them over the episodes.
        **{m["name"]: float(m["value"]) for m in metrics["metrics"] if m["value"] is not None},
    }


def _faces(view: _View) -> Facts:
    faces: pa.Table = view.read(_Kind.FACES)
    tracks = view.rows(_Kind.TRACKS)
    accepted = pc.sum(faces.column("accepted")).as_py() or 0
    reasons = Counter(faces.column("reject_reason").drop_null().to_pylist())
    return {
        "accepted": accepted,
        "rejected": faces.num_rows - accepted,
        "quality": figures_table(face_counters(tracks, faces)),
        "reasons": table_of(
            ("reason", "faces"),
            [{"reason": r, "faces": n} for r, n in sorted(reasons.items(), key=lambda i: -i[1])],
        ),
    }


def _identities(view: _View) -> Facts:
    document = view.read(_Kind.IDENTITIES)
    rows = document["identities"]
    shown: Facts = {
        "people": len(rows),
        "unassigned tracks": len(document["unassigned_track_ids"]),
        "quality": figures_table(people_counters(document)),
    }
    if rows:
        faces = view.read(_Kind.FACES)
        with view.read(_Kind.FACES, "crops") as crops:
            sheet = contact_sheet_jpeg(document, faces, crops)
        shown["contact sheet"] = _picture(sheet, "jpeg", "the face of every identity")
    return shown


def _cast(view: _View) -> Facts:
    people = view.read(_Kind.CAST)["people"]
    session = view.session
    decided = {d.sequence: d for d in session.stores.decisions.read(session.ep_id)}
    rows = [
        {**p, "decided": d.verb.value, "by": d.by, "at": d.at}
        if (d := decided.get(p["decision"])) is not None
        else p
        for p in people
    ]
    return {
        "named": sum(p["cast_id"] is not None for p in people),
        "who is who": table_of(_WHO, rows),
        "suggestions": table_of(_SUGGESTED, view.read(_Kind.CAST)["suggestions"]),
    }


_WHO: Final = (
    "label",
    "cast_id",
    "identity_id",
    "track_id",
    "merged_into",
    "source",
    "decision",
    "decided",
    "by",
    "at",
    "confidence",
)
_SUGGESTED: Final = ("identity_id", "label", "cast_id", "similarity", "margin", "reason")


def _body_tracks(view: _View) -> Facts:
    table: pa.Table = view.read(_Kind.BODY_TRACKS)
    seconds = pc.sum(pc.subtract(table.column("end_s"), table.column("start_s"))).as_py() or 0.0
    return {"body tracks": table.num_rows, "seconds of bodies": round(seconds, 3)}


def _track_fusion(view: _View) -> Facts:
    document = view.read(_Kind.TRACK_FUSION)
    seconds: dict[str, list[float]] = defaultdict(list)
    for row in document["associations"]:
        seconds[row["evidence"]].append(row["end_s"] - row["start_s"])
    return {
        "has_bodies": document["has_bodies"],
        "bodies with an owner": sum(
            row["identity_id"] is not None for row in document["associations"]
        ),
        "scenes": len(document["scenes"]),
        "by evidence": table_of(
            ("evidence", "associations", "seconds"),
            [
                {"evidence": e, "associations": len(s), "seconds": sum(s)}
                for e, s in sorted(seconds.items())
            ],
        ),
    }


def _screen_time(view: _View) -> Facts:
    document = view.read(_Kind.SCREEN_TIME)
    shots = view.read(_Kind.SHOTS) if view.has(_Kind.SHOTS) else None
    shown: Facts = {
        "people": len(document["people"]),
        **{name: round(document[name], 3) for name in _TOTALS},
        "has_bodies": document["has_bodies"],
        "screen time": _people_table(document["people"]),
        "segments": _segments_table(view),
        "timeline": _picture(timeline_png(document, shots), "png", "who is on screen when"),
    }
    if all(view.has(kind) for kind in (_Kind.TRACK_METRICS, _Kind.FACES, _Kind.IDENTITIES)):
        shown["quality"] = figures_table(
            quality_counters(
                view.read(_Kind.TRACK_METRICS),
                view.read(_Kind.FACES),
                view.read(_Kind.IDENTITIES),
            )
        )
    return {**shown, **_ways_on(view)}


_TOTALS: Final = ("counted_s", "covered_s", "overlap_s", "unknown_s")


def _people_table(people: Iterable[Mapping[str, Any]]) -> dg.TableMetadataValue:
    names = ("total_s", "face_s", "body_only_s", "low_s", "high_s")
    rows = [
        {
            "person": name_of(p),
            **{name: p[name] for name in names},
            "share_percent": round(100 * p["share"], 1),
            "first_s": p["first_s"],
            "last_s": p["last_s"],
        }
        for p in people
    ]
    return table_of(("person", *names, "share_percent", "first_s", "last_s"), rows)


def _segments_table(view: _View) -> dg.TableMetadataValue:
    """Return what each stretch of a person rests on; `explain` goes on from there to frames."""
    rows: pa.Table = view.read(_Kind.SCREEN_TIME, "segments")
    shown = [
        {
            "person": name_of(row),
            **{name: row[name] for name in ("start_s", "end_s", "source", "confidence")},
            "tracks": " ".join(
                [f"t{t}" for t in row["track_ids"]] + [f"b{t}" for t in row["body_track_ids"]]
            ),
        }
        for row in rows.slice(0, _SEGMENTS_SHOWN).to_pylist()
    ]
    return table_of(("person", "start_s", "end_s", "source", "confidence", "tracks"), shown)


# Metadata is kept in every materialization; the whole table stands in segments.parquet.
_SEGMENTS_SHOWN: Final = 100


def _ways_on(view: _View) -> Facts:
    """Return where the report will be, and what to type to look closer."""
    session = view.session
    key = (session.ep_id, session.run_id)
    run = f"{session.ep_id}/{session.run_id}"
    locate = session.stores.artifacts.location
    return {
        **{f.filename: dg.MetadataValue.path(locate(*key, _Kind.REPORT, f.part)) for f in _REPORT},
        "to trace a number": f"screenalytics explain {run} PERSON --at SECONDS",
        "to see the boxes": f"screenalytics overlay {run}",
        "to edit the segments": f"screenalytics screen-time {run} --format edl",
    }


_REPORT: Final = ARTIFACTS[_Kind.REPORT].files


def _picture(data: bytes, media_type: str, says: str) -> dg.MarkdownMetadataValue:
    encoded = base64.b64encode(data).decode()
    return dg.MetadataValue.md(f"![{says}](data:image/{media_type};base64,{encoded})")


_FACTS: Final[dict[str, Callable[[_View], Facts]]] = {
    "shots": _shots,
    "detections": _detections,
    "body_detections": _body_detections,
    "tracks": _tracks,
    "faces": _faces,
    "identities": _identities,
    "cast": _cast,
    "body_tracks": _body_tracks,
    "track_fusion": _track_fusion,
    "screen_time": _screen_time,
}
