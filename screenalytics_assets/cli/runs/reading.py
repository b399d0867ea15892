"""`runs tail`, `runs list`, `runs stats`: the registry's tables on the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, put_table, tell
from screenalytics_assets.cli.reading import Liveness, open_registry, status_cell

if TYPE_CHECKING:
    from screenalytics_core.ledger.registry import Registry
    from screenalytics_core.storage.base import Storage

_Count = Annotated[int, typer.Option("--n", min=1, help="How many, at most.")]
_IDS = ("run_id", "ep_id")


def tail(
    n: _Count = 10,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is new, until Ctrl-C.")
    ] = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Print the last stage attempts, newest last, and how many there are in each state.

    Example: screenalytics runs tail --n 20 --follow
    """
    storage, registry = open_registry(data_root)
    from screenalytics_core.run_tools.queries import count_statuses, newest_stage_runs

    table = registry.stage_runs()
    if follow:
        from screenalytics_assets.cli.runs.following import follow_stage_runs

        follow_stage_runs(storage, registry, table, n, as_json=as_json)
        return
    rows, counts = newest_stage_runs(table, n), count_statuses(table)
    if as_json:
        put_json({"stage_runs": rows, "counts": counts})
    elif rows:
        _put_stage_runs(rows, Liveness(storage))
        said = ", ".join(f"{count:,} {status}" for status, count in counts.items())
        tell(f"stage attempts: {said}")
    else:
        _tell_empty(storage)


def list_(
    stage: Annotated[str | None, typer.Option("--stage", help="Only runs with this stage.")] = None,
    status: Annotated[
        str | None,
        typer.Option("--status", help="Only runs in this state; with --stage, of that stage."),
    ] = None,
    since: options.Since = None,
    ep_id: options.Episode = None,
    n: _Count = 20,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """List runs, newest first.

    Example: screenalytics runs list --stage cluster --status failed --since 2d
    """
    storage, registry = open_registry(data_root)
    from screenalytics_core.run_tools.queries import (
        RunFilter,
        list_runs,
        parse_filter_status,
        parse_since,
    )
    from screenalytics_core.stages import parse_stage

    only = parse_stage(stage) if stage else None
    wanted = RunFilter(
        stage=only,
        status=parse_filter_status(status, only) if status else None,
        since=parse_since(since, datetime.now(UTC)) if since else None,
        ep_id=_episode(ep_id),
    )
    # A row is recorded with its stages: read in this order, no run lacks the stages it had.
    runs = registry.runs()
    rows = list_runs(runs, _stage_runs(registry, only is not None), wanted)
    if as_json:
        put_json(rows[:n])
    elif rows:
        _put_runs(rows[:n], Liveness(storage))
        if len(rows) > n:
            tell(f"{n} of {len(rows):,} runs: --n shows more")
    elif runs.num_rows:
        tell(f"no run is like that; {runs.num_rows:,} are known: screenalytics runs list")
    else:
        _tell_empty(storage)


def stats(
    since: options.Since = None,
    ep_id: options.Episode = None,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Print how each stage does: failures, reuse, durations of what was computed.

    Example: screenalytics runs stats --since 7d
    """
    storage, registry = open_registry(data_root)
    from screenalytics_core.run_tools.queries import choose_stage_runs, parse_since
    from screenalytics_core.run_tools.stats import stage_stats

    at = parse_since(since, datetime.now(UTC)) if since else None
    stage_runs = registry.stage_runs()
    rows = stage_stats(choose_stage_runs(stage_runs, at, _episode(ep_id)))
    if as_json:
        put_json(rows)
    elif rows:
        _put_stats(rows)
    elif stage_runs.num_rows:
        tell(f"no stage attempt is like that; {stage_runs.num_rows:,} are known")
    else:
        _tell_empty(storage)


def _stage_runs(registry: Registry, is_asked_for: bool) -> Any:
    from screenalytics_core.ledger.registry_table import STAGE_RUNS

    return registry.stage_runs() if is_asked_for else STAGE_RUNS.empty()


def _episode(ep_id: str | None) -> str | None:
    from screenalytics_core.episodes import EpisodeId

    return EpisodeId.parse(ep_id).text if ep_id else None


def _tell_empty(storage: Storage) -> None:
    from screenalytics_core import layout

    root = storage.location(layout.RUNS_REGISTRY_KEY).removesuffix(layout.RUNS_REGISTRY_KEY)
    tell(f"nothing ran yet in {root.rstrip('/')}: screenalytics run VIDEO")


def _put_stage_runs(rows: list[dict[str, Any]], liveness: Liveness) -> None:
    put_table(
        "",
        STAGE_RUN_COLUMNS,
        [stage_run_cells(row, liveness) for row in rows],
        whole=_IDS,
        spare=("rows_in", "rows_out", "source", "duration", "ep_id"),
    )


STAGE_RUN_COLUMNS = (
    "run_id", "ep_id", "stage", "status", "source", "started_at", "duration", "rows_in",
    "rows_out", "error",
)  # fmt: skip


def stage_run_cells(row: dict[str, Any], liveness: Liveness) -> tuple[Any, ...]:
    """Return a stage attempt as it stands below `STAGE_RUN_COLUMNS`."""
    from screenalytics_core.run_tools.wording import first_line, took, when

    is_running = row["status"] == "running"
    gone = is_running and liveness.is_gone(row["ep_id"], row["run_id"], row["attempt"])
    return (
        row["run_id"],
        row["ep_id"],
        row["stage"],
        status_cell(row["status"], is_gone=gone),
        row["source"],
        when(row["started_at"]),
        took(row["duration_seconds"]) if row["duration_seconds"] is not None else None,
        row["rows_in"],
        row["rows_out"],
        first_line(row["error"]) if row["error"] else None,
    )


def _put_runs(rows: list[dict[str, Any]], liveness: Liveness) -> None:
    from screenalytics_core.run_tools.wording import took, when

    columns = ("run_id", "ep_id", "state", "created_at", "took", "attempts", "people",
               "screen time s", "code")  # fmt: skip
    put_table(
        "",
        columns,
        [
            (
                row["run_id"],
                row["ep_id"],
                status_cell(
                    row["state"],
                    is_gone=row["state"] == "running"
                    and liveness.is_gone(
                        row["ep_id"], row["run_id"], row["attempt"], row["dagster_run_id"]
                    ),
                ),
                when(row["created_ts"]),
                took(row["duration_s"]) if row["duration_s"] is not None else None,
                row["attempt"],
                row["people"],
                row["screen_time_s"],
                (row["code_ref"] or "")[:12] or None,
            )
            for row in rows
        ],
        whole=_IDS,
        spare=("code", "attempts", "people", "screen time s", "took"),
    )


def _put_stats(rows: list[dict[str, Any]]) -> None:
    from screenalytics_core.run_tools.wording import first_line, took

    columns = ("stage", "attempts", "running", "failed", "failure %", "reused %", "median", "p90",
               "frames/s", "last error")  # fmt: skip
    put_table(
        "",
        columns,
        [
            (
                row["stage"],
                row["attempts"],
                row["running"],
                row["failed"],
                _percent(row["failure_rate"]),
                _percent(row["reused_rate"]),
                took(row["median_s"]) if row["median_s"] is not None else None,
                took(row["p90_s"]) if row["p90_s"] is not None else None,
                row["frames_per_s"],
                first_line(row["last_error"]) if row["last_error"] else None,
            )
            for row in rows
        ],
        whole=("stage",),
        spare=("running", "frames/s", "p90"),
    )


def _percent(rate: float | None) -> float | None:
    return None if rate is None else 100 * rate
