"""A backfill's plan and progress as they are printed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from screenalytics_assets.cli.cells import Cell
from screenalytics_assets.cli.console import put_json, put_line, put_table, tell
from screenalytics_assets.cli.reading import status_cell

if TYPE_CHECKING:
    from screenalytics_assets.backfill_status import BackfillProgress
    from screenalytics_assets.backfill_worker import JobResult
    from screenalytics_core.backfills.expected import Rate
    from screenalytics_core.backfills.progress import EpisodeProgress, Totals
    from screenalytics_core.backfills.record import BackfillRecord, PlannedEpisode

_COLUMNS: Final = ("episode", "why", "state", "stage", "%", "took", "people", "error")
_WIDTHS: Final = (16, 8, 10, 14, 5, 12, 6, 0)


def put_plan(record: BackfillRecord, rate: Rate, as_json: bool, *, is_dry: bool) -> None:
    """Print what would run, what would not, why, and how long it is expected to take."""
    expected = {e.ep_id: rate.expected_s(e.video_s, e.stages) for e in record.episodes}
    known = [s for s in expected.values() if s is not None]
    # Several runs at a time share one machine: what they gain was never measured here.
    whole_s = sum(known) if len(known) == len(expected) else None
    if as_json:
        put_json(
            {
                **record.to_dict(),
                "backfill_id": None if is_dry else record.backfill_id,
                "expected_s": whole_s,
                "expected_from": rate.basis,
                "expected_s_by_episode": expected,
            }
        )
        return
    rows: list[tuple[Any, ...]] = [
        (e.ep_id, "resume" if e.is_resumed else "run", e.why, _minutes(expected[e.ep_id]),
         e.run_id, e.reason)
        for e in record.episodes
    ]  # fmt: skip
    rows += [(s.ep_id, "skip", s.why, None, None, s.reason) for s in record.skipped]
    columns = ("episode", "what", "why", "minutes", "run", "reason")
    put_table("", columns, rows, whole=("episode", "run"), spare=("run",))
    tell(f"{len(record.episodes)} to run, {len(record.skipped)} to leave alone")
    if record.episodes:
        total = f"about {_minutes(whole_s)} min" if whole_s is not None else "no expectation"
        tell(f"{total}: {rate.basis}")


def put_progress(found: BackfillProgress, as_json: bool) -> None:
    """Print a backfill as it stands."""
    if as_json:
        put_json(_document(found))
        return
    record = found.record
    title = f"{record.backfill_id}  by {record.created_by}"
    rows = [_cells(row) for row in found.rows]
    put_table(title, _COLUMNS, rows, whole=("episode",), spare=("why", "people"))
    _tell_totals(found.totals)


def put_changes(before: BackfillProgress, now: BackfillProgress, as_json: bool) -> None:
    """Print the episodes that look otherwise than before, a line each, and the end."""
    pairs = zip(before.rows, now.rows, strict=True)
    changed = [row for old, row in pairs if _look(old) != _look(row)]
    for row in changed:
        if as_json:
            put_json(asdict(row), indent=None)
        else:
            put_line(_cells(row), _WIDTHS)
    if changed or now.totals.is_over:
        _tell_totals(now.totals)


def say_event(
    counted: dict[str, Any], planned: PlannedEpisode, what: str, result: JobResult | None
) -> None:
    """Say a line of what happened to an episode."""
    if what == "started":
        tell(f"{planned.ep_id}: {'goes on' if planned.is_resumed else 'starts'} ({planned.reason})")
        return
    if what == "ended":
        counted["ended"] = counted.get("ended", 0) + 1
        place = f"[{counted['ended']}/{counted['of']}] "
    else:
        place = f"{what}: "
    said = "done" if result is None or result.success else f"{result.error_code}: {result.error}"
    tell(f"{place}{planned.ep_id}: {said}")


def _document(found: BackfillProgress) -> dict[str, Any]:
    return {
        **found.record.to_dict(),
        "episodes": [
            {**asdict(planned), **asdict(row)}
            for planned, row in zip(found.record.episodes, found.rows, strict=True)
        ],
        "totals": found.totals.to_dict(),
    }


def _tell_totals(totals: Totals) -> None:
    counts = ", ".join(f"{count} {state}" for state, count in totals.states.items())
    if totals.is_over:
        tell(f"{totals.episodes} episodes: {counts}")
        return
    rest = f"about {_minutes(totals.rest_s)} min left" if totals.rest_s is not None else "unknown"
    tell(f"{totals.episodes} episodes: {counts}; {rest} ({totals.basis})")


def _cells(row: EpisodeProgress) -> tuple[Any, ...]:
    from screenalytics_core.run_tools.wording import took

    state = status_cell(row.state, is_gone=row.state == "gone")
    return (
        row.ep_id,
        row.why,
        Cell("process gone", state.style) if row.state == "gone" else state,
        row.stage,
        f"{row.percent:.0f} %" if row.percent is not None else None,
        took(row.took_s) if row.took_s is not None else None,
        row.people,
        row.error,
    )


def _look(row: EpisodeProgress) -> tuple[Any, ...]:
    """Return what of a row is worth a new line: its seconds alone are not."""
    tenth = None if row.percent is None else int(row.percent // 10)
    return (row.state, row.stage, tenth, row.error)


def _minutes(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds / 60:.1f}"
