"""What the body branch did, or why there is none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from math import fsum
from typing import Any, Final

import pyarrow as pa

from screenalytics_core.report.model import BodyFacts, EvidenceRow
from screenalytics_core.vision.evidence import Evidence

_ROLE: Final = "person_detector"


def body_facts(
    fusion: Mapping[str, Any], body_tracks: pa.Table, run_record: Mapping[str, Any]
) -> BodyFacts:
    """Gather the facts.

    Args:
        fusion: The document of `artifacts.TRACK_FUSION`.
        body_tracks: The table of `artifacts.BODY_TRACKS`.
        run_record: run.json; it names the person detector.
    """
    has_bodies = bool(fusion["has_bodies"])
    made_by = sorted({a for a in body_tracks["appearance"].to_pylist() if a is not None})
    return BodyFacts(
        has_bodies=has_bodies,
        detector=_detector(run_record) if has_bodies else None,
        appearance=", ".join(made_by) or None,
        track_count=body_tracks.num_rows,
        bridge_s=fusion["body_bridge_s"],
        evidence=_evidence(fusion),
        why_none=None if has_bodies else _why_none(run_record),
    )


def _detector(run_record: Mapping[str, Any]) -> str | None:
    files = (run_record.get("models") or {}).get("files") or ()
    return next((str(f.get("name", "")) for f in files if f.get("role") == _ROLE), None)


def _why_none(run_record: Mapping[str, Any]) -> str:
    if (run_record.get("settings") or {}).get("body_tracking") is False:
        why = "the setting body_tracking was off"
    elif _detector(run_record) is None:
        why = "no person detector was installed where it ran"
    else:
        why = "the person detector did not look at the episode"
    return (
        f"Seconds are those of faces only, because {why}: time in which a person is seen "
        "without the face is missing."
    )


def _evidence(fusion: Mapping[str, Any]) -> tuple[EvidenceRow, ...]:
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in fusion["associations"]:
        groups[row["evidence"]].append(row)
    order = [*Evidence, *sorted(set(groups) - set(Evidence))]
    return tuple(
        EvidenceRow(
            evidence=name,
            associations=len(groups[name]),
            total_s=fsum(r["end_s"] - r["start_s"] for r in groups[name]),
            mean_confidence=fsum(r["confidence"] for r in groups[name]) / len(groups[name]),
        )
        for name in order
        if name in groups
    )
