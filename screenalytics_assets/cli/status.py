"""`screenalytics status`: how far an episode is, stage by stage."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.cells import Cell
from screenalytics_assets.cli.console import put_facts, put_json, put_table, tell
from screenalytics_assets.cli.reading import Liveness, open_ledger, status_cell

if TYPE_CHECKING:
    from screenalytics_core.ledger.ledger import Ledger


def status(
    ep_id: Annotated[str, typer.Argument(help="Episode, or EP/RUN.")],
    run_id: Annotated[
        str | None,
        typer.Option("--run-id", help="Run; default: the active one, else the newest."),
    ] = None,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Print an episode's status: stages, progress, counts, errors.

    Example: screenalytics status rhobh-s05e14 --json
    """
    from screenalytics_core.episodes import EpisodeId
    from screenalytics_core.run_tools.episode_status import episode_status

    if run_id is None and "/" in ep_id:
        ep_id, run_id = ep_id.rsplit("/", 1)
    ep_id = EpisodeId.parse(ep_id).text
    storage, runs, ledger = open_ledger(data_root)
    document = episode_status(storage, runs, ledger, ep_id, run_id, datetime.now(UTC))
    if as_json:
        put_json(document)
        return
    gone = document["state"] == "running" and Liveness(storage).is_gone(
        ep_id, document["run_id"], _attempt_of(ledger, document)
    )
    _put_status(document, is_gone=gone)


def _attempt_of(ledger: Ledger, document: Mapping[str, Any]) -> int | None:
    """Return the attempt of the Dagster run that speaks for a run; None before it claims.

    Until then the newest attempt is an earlier one, whose process is rightly gone.
    """
    newest = next(reversed(document["dagster_run_ids"]), None)
    attempts = ledger.log.state(document["ep_id"], document["run_id"]).attempts
    return next((a.attempt for a in attempts if a.dagster_run_id == newest), None)


def _put_status(document: Mapping[str, Any], *, is_gone: bool) -> None:
    from screenalytics_core.run_tools.wording import when

    state = status_cell(document["state"] or "unknown", is_gone=is_gone)
    error = document["error"]
    put_facts(
        document["ep_id"],
        [
            ("run", document["run_id"] or "none: concluded from what an earlier pipeline left"),
            ("state", _labelled(state, document)),
            ("error", f"{error['code']}: {error['message']}" if error else None),
            ("as of", when(document["generated_at"])),
        ],
    )
    rows = [_stage_row(name, stage, is_gone) for name, stage in document["stages"].items()]
    columns = ("stage", "status", "%", "done", "per s", "took", "counts", "message")
    put_table("", columns, rows, whole=("stage",))
    if is_gone:
        tell("its process is dead: screenalytics runs sync marks the run as failed")


def _stage_row(name: str, stage: Mapping[str, Any], is_gone: bool) -> tuple[Any, ...]:
    from screenalytics_core.run_tools.wording import took

    is_running = stage["status"] == "running"
    progress = stage["progress"] if is_running else None
    return (
        name,
        _labelled(status_cell(stage["status"], is_gone=is_gone and is_running), stage),
        _percent(stage, progress),
        f"{progress['done']:,} of {progress['total']:,}" if progress else None,
        progress["rate_per_s"] if progress else None,
        took(stage["duration_s"]) if stage["duration_s"] is not None else None,
        ", ".join(f"{count:,} {kind}" for kind, count in stage["counts"].items()) or None,
        _message(stage, progress),
    )


def _percent(stage: Mapping[str, Any], progress: Mapping[str, Any] | None) -> str | None:
    if progress is not None and progress["pct"] is not None:
        return f"{progress['pct']:.0f} %"
    return "100 %" if stage["status"] == "success" else None


def _message(stage: Mapping[str, Any], progress: Mapping[str, Any] | None) -> str | None:
    error = stage["error"]
    if error:
        return f"{error['code']}: {error['message']}"
    if progress is not None:
        return str(progress["message"] or progress["step"])
    return stage["blocked_reason"] or "; ".join(stage.get("notes") or ()) or None


def _labelled(cell: Cell, thing: Mapping[str, Any]) -> Cell:
    return Cell(f"{cell.text} (from files)", cell.style) if thing["is_derived"] else cell
