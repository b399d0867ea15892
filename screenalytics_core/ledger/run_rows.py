"""A run's row in registry/runs.parquet: its columns, and how the row is rendered. Pure.

The first eight columns are those of seed 004. Times are ISO 8601 text in UTC with
microseconds, so that they sort and compare as text and are one kind with `created_ts`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from screenalytics_core import layout
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.episodes import EpisodeId
from screenalytics_core.ledger.cost import invoice
from screenalytics_core.ledger.events import iso
from screenalytics_core.ledger.vocabulary import REGISTRY_STATUSES
from screenalytics_core.schema import Column, TableSpec
from screenalytics_core.stages import STAGE_ARTIFACTS, STAGE_PLAN

if TYPE_CHECKING:
    # Only for its name: readers of the registry must not load what renders it.
    from screenalytics_core.ledger.run_facts import RunFacts

RUN_TYPE: Final = "episode"
UNKNOWN: Final = "unknown"
"""What a row says where neither an event nor an artifact tells how the run went."""
NO_TIME: Final = "1970-01-01T00:00:00.000000+00:00"
"""What a row says where nothing tells when: it sorts before every real run."""

_TEXT: Final = pa.string()
_INT: Final = pa.int64()
_F64: Final = pa.float64()
_TEXTS: Final = pa.list_(pa.string())

SEQUENCE: Final = Column("sequence", _INT, "lines of the run's log that the row is rendered from")
RUNS_TABLE: Final = TableSpec(
    "runs_registry",
    (
        Column("run_id", _TEXT, "run; unique within its episode"),
        Column("run_type", _TEXT, "always `episode`"),
        Column("slate_id", _TEXT, "the episode, by the seed's name"),
        Column("status", _TEXT, "queued, running, success, failed, canceled or unknown"),
        Column("primary_outputs", _TEXTS, "paths below the data root, screen_time.json first"),
        Column("metrics_path", _TEXT, "track_metrics.json", nullable=True),
        Column("created_ts", _TEXT, "when the run was reserved or launched, ISO 8601 in UTC"),
        Column("tags", _TEXTS, "`key=value` of what its launchers tagged it with"),
        Column("ep_id", _TEXT, "episode"),
        Column("show", _TEXT, "from the ep_id", nullable=True),
        Column("season", _INT, "from the ep_id", nullable=True),
        Column("episode", _INT, "from the ep_id", nullable=True),
        Column("state", _TEXT, "queued, running, completed, failed, canceled or unknown"),
        Column("started_at", _TEXT, "of the newest attempt, ISO 8601 in UTC", nullable=True),
        Column("finished_at", _TEXT, "of the newest attempt, ISO 8601 in UTC", nullable=True),
        Column("duration_s", _F64, "of the newest attempt", "s", nullable=True),
        Column("attempt", _INT, "highest that claimed the run; 0 before the first"),
        Column("dagster_run_id", _TEXT, "of the newest attempt", nullable=True),
        Column("parent_run_id", _TEXT, "run that it replays or takes inputs from", nullable=True),
        Column("code_ref", _TEXT, "of the code that reserved it", nullable=True),
        Column("config_hash", _TEXT, "sha256 of the settings it is bound to", nullable=True),
        Column("people", _INT, "people in screen_time", nullable=True),
        Column("screen_time_s", _F64, "sum of the people's seconds", "s", nullable=True),
        Column(
            "cost_total",
            _F64,
            "of all attempts, markup included, in the currency of its prices",
            nullable=True,
        ),
        SEQUENCE,
    ),
    ("ep_id", "run_id"),
)


def run_row(facts: RunFacts) -> dict[str, Any]:
    """Return a run's row."""
    episode = EpisodeId.parse(facts.ep_id)
    record, current, status = facts.record, facts.state.current, facts.status
    created_at = record.created_at if record else facts.state.created_at
    people = facts.screen_time["people"] if facts.screen_time is not None else None
    bill = invoice(facts)
    return {
        "run_id": facts.run_id,
        "run_type": RUN_TYPE,
        "slate_id": facts.ep_id,
        "status": REGISTRY_STATUSES[status] if status else UNKNOWN,
        "primary_outputs": _primary_outputs(facts),
        "metrics_path": next(iter(_paths(facts, [ArtifactKind.TRACK_METRICS])), None),
        "created_ts": utc_text(created_at) or NO_TIME,
        "tags": list(dict.fromkeys(tag for a in facts.state.attempts for tag in a.tags)),
        "ep_id": facts.ep_id,
        "show": episode.show,
        "season": episode.season,
        "episode": episode.episode,
        "state": status.value if status else UNKNOWN,
        "started_at": utc_text(current.started_at) if current else None,
        "finished_at": utc_text(current.ended_at) if current else None,
        "duration_s": current.duration_s if current else None,
        "attempt": _newest_claim(facts),
        "dagster_run_id": current.dagster_run_id if current else None,
        "parent_run_id": _parent_run_id(facts),
        "code_ref": record.code_ref if record else None,
        "config_hash": record.settings_hash if record else None,
        "people": len(people) if people is not None else None,
        "screen_time_s": _total_s(people) if people is not None else None,
        "cost_total": float(bill.used.total) if bill else None,
        "sequence": facts.state.sequence,
    }


def utc_text(at: str | None) -> str | None:
    """Return a time in the registry's one spelling, whichever way ISO 8601 it came."""
    return iso(datetime.fromisoformat(at)) if at is not None else None


def _primary_outputs(facts: RunFacts) -> list[str]:
    """Return what the run was for; of a run that stopped earlier, what it came to."""
    results = _paths(facts, [ArtifactKind.SCREEN_TIME, ArtifactKind.REPORT])
    if results:
        return results
    reached = (_paths(facts, STAGE_ARTIFACTS[stage]) for stage in reversed(STAGE_PLAN))
    return next((paths for paths in reached if paths), [])


def _paths(facts: RunFacts, kinds: Iterable[ArtifactKind]) -> list[str]:
    held = [facts.manifest.entries[kind] for kind in kinds if kind in facts.manifest.entries]
    return [
        layout.artifact_key(facts.ep_id, facts.run_id, file.path)
        for entry in held
        for file in entry.files
    ]


def _newest_claim(facts: RunFacts) -> int:
    """Return the number that never falls: a launch that failed before it could claim has none."""
    claimed = [a.attempt for a in facts.state.attempts if a.attempt is not None]
    published = [entry.attempt for entry in facts.manifest.entries.values()]
    return max([*claimed, *published], default=0)


def _parent_run_id(facts: RunFacts) -> str | None:
    newest_first = reversed(facts.state.attempts)
    return next((a.parent_run_id for a in newest_first if a.parent_run_id), None)


def _total_s(people: Iterable[dict[str, Any]]) -> float:
    # Sums of floating-point seconds end in noise.
    return round(sum(float(person["total_s"]) for person in people), 6)
