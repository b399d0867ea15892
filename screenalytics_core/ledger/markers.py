"""`{phase}.json`: the seeds' marker of one stage, a rendering of the run's state. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from screenalytics_core.ledger.run_facts import RunFacts
from screenalytics_core.ledger.status import devices, git_facts, row_counts
from screenalytics_core.ledger.vocabulary import StageStatus
from screenalytics_core.stages import STAGE_PHASES, PipelineStage


def marker(facts: RunFacts, stage: PipelineStage) -> dict[str, Any] | None:
    """Return a stage's marker; None if nothing happened to it, or it has no phase.

    `version` is the version of the step that made each artifact.
    """
    known = facts.stages[stage]
    state = known.state
    if stage not in STAGE_PHASES or state.status is StageStatus.NOT_STARTED:
        return None
    entries = facts.entries_of(stage)
    bound_ref = facts.record.code_ref if facts.record else None
    where = devices(facts)
    return {
        "phase": STAGE_PHASES[stage],
        "status": state.status.value,
        "run_id": facts.run_id,
        "ep_id": facts.ep_id,
        "attempt": state.attempt,
        "started_at": state.started_at,
        "finished_at": state.ended_at,
        "version": {str(entry.kind): entry.step_version for entry in entries},
        "git": git_facts(state.facts.code_ref or bound_ref),
        "device": where["embed_device" if stage is PipelineStage.FACES_EMBED else "device"],
        "counts": row_counts(entries),
        "error": _error(facts, stage),
        "source": state.source,
        "is_derived": bool(known.derived_from),
        "sequence": facts.state.sequence,
    }


def is_newer(held: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether the marker `held` is of a later attempt, in another run, than `other`.

    Runs are compared by when the phase started in them: an older run that is rendered again
    must not displace a newer one's.
    """
    if held.get("run_id") == other["run_id"]:
        return False
    return _started(held) > _started(other)


def _started(document: Mapping[str, Any]) -> tuple[str, str]:
    return (str(document.get("started_at") or ""), str(document.get("run_id") or ""))


def _error(facts: RunFacts, stage: PipelineStage) -> dict[str, str] | None:
    state = facts.stages[stage].state
    if state.error is not None:
        return {"code": state.error.code, "message": state.error.message}
    if state.blocked_reason is not None:
        return {"code": "blocked", "message": state.blocked_reason}
    return None
