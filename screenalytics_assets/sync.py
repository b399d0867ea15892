"""Makes the ledger whole again: takes in what is missing, ends what is dead, renders every view.

It never deletes, and works with a new or emptied DAGSTER_HOME: then the run folders are all
there is, and an attempt that nobody else can end is declared lost in its own log.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import dagster as dg

from screenalytics_assets.liveness import attempt_is_alive, sweep
from screenalytics_assets.mirror import claim_event, mirror_run, price_events, tolerated
from screenalytics_assets.stores import Stores
from screenalytics_core.attempts import utc_now
from screenalytics_core.errors import SchemaMismatchError
from screenalytics_core.ledger.attempt_state import AttemptState
from screenalytics_core.ledger.events import LedgerEvent, attempt_lost
from screenalytics_core.ledger.registry import Registry
from screenalytics_core.ledger.run_rows import run_row
from screenalytics_core.ledger.stage_rows import stage_rows
from screenalytics_core.processes import ProcessIdentity
from screenalytics_core.runs import RunKey

_PAGE: Final = 200

Rows = tuple[dict[str, Any], list[dict[str, Any]]]
"""A run's row of the registry, and the rows of its stages."""


@dataclass(slots=True)
class SyncReport:
    """What a sync did.

    Attributes:
        dagster_runs: How many Dagster knows.
        swept: Dagster runs whose process was dead.
        lost: `EP/RUN` of attempts that Dagster does not know and whose process is dead.
        rendered: How many runs' views were written.
        problems: What could not be repaired, in words.
    """

    dagster_runs: int = 0
    swept: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    rendered: int = 0
    problems: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        return asdict(self)


def sync(instance: dg.DagsterInstance, stores: Stores) -> SyncReport:
    """Repair and re-render the whole ledger of a data root."""
    report = SyncReport()
    report.swept = sweep(instance, stores.attempts, ProcessIdentity.current())
    for record in _every_run(instance):
        report.dagster_runs += 1
        with tolerated(record.dagster_run.run_id, report.problems):
            mirror_run(instance, stores, record, from_start=True)
    for key in stores.ledger.log.list_runs():
        with tolerated("/".join(key), report.problems):
            if _end_lost_attempts(instance, stores, key):
                report.lost.append("/".join(key))
    _render(stores, report)
    return report


def _every_run(instance: dg.DagsterInstance) -> Iterator[dg.RunRecord]:
    """Yield every run that Dagster knows, oldest first within a page."""
    cursor = None
    while True:
        records = instance.get_run_records(limit=_PAGE, cursor=cursor, ascending=True)
        yield from records
        if len(records) < _PAGE:
            return
        cursor = records[-1].dagster_run.run_id


def _end_lost_attempts(instance: dg.DagsterInstance, stores: Stores, key: RunKey) -> bool:
    """Append `attempt_lost` for attempts that have not ended and that nobody will ever end."""
    log = stores.ledger.log
    claims = {claim.dagster_run_id: claim for claim in stores.attempts.list(*key)}
    if log.state(*key).attempts or not stores.artifacts.manifest(*key).entries:
        # With artifacts but no log at all, the status is derived from the artifacts instead.
        told = [claim_event(claim) for claim in claims.values()]
        log.append(*key, [*told, *price_events(stores, key)] if told else [])
    here = ProcessIdentity.current()
    lost: list[LedgerEvent] = []
    state = log.state(*key)
    for attempt in (*state.attempts, *state.refused):
        if attempt.status.is_terminal or instance.has_run(attempt.dagster_run_id):
            continue
        claim = claims.get(attempt.dagster_run_id)
        if claim is not None and attempt_is_alive(instance, claim, stores.attempts, here):
            continue
        n = claim.n if claim else None
        lost.append(attempt_lost(attempt.dagster_run_id, n, utc_now(), _reason(attempt)))
    log.append(*key, lost)
    return bool(lost)


def _reason(attempt: AttemptState) -> str:
    where = ""
    if attempt.process:
        where = (
            f"process {attempt.process.get('pid')} on {attempt.process.get('host')} is gone and "
        )
    return f"{where}Dagster does not know run {attempt.dagster_run_id} any more".strip()


def _render(stores: Stores, report: SyncReport) -> None:
    """Write every view of every run; the registry in one go."""
    ledger = stores.ledger
    rows: list[Rows] = []
    going_on: list[RunKey] = []
    for key in ledger.log.list_runs():
        with tolerated("/".join(key), report.problems):
            unwritten = ledger.render(*key, registry=False)
            report.problems += [f"{name} of {'/'.join(key)}" for name in unwritten]
            facts = ledger.facts(*key)
            rows.append((run_row(facts), stage_rows(facts)))
            report.rendered += 1
            if facts.status is None or not facts.status.is_terminal:
                going_on.append(key)
    _rebuild(ledger.registry, rows, report)
    for key in going_on:
        # What it recorded between its rows' rendering and the rebuilding was replaced.
        with tolerated("/".join(key), report.problems):
            ledger.render(*key)


def _rebuild(registry: Registry, rows: list[Rows], report: SyncReport) -> None:
    try:
        registry.rebuild([run for run, _ in rows], [s for _, stages in rows for s in stages])
    except SchemaMismatchError as error:
        if len(rows) == 1:
            report.problems.append(f"registry row of {rows[0][0]['run_id']}: {error}")
            return
        for one in rows:
            _rebuild(registry, [one], report)
