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
    from screenalytics_core.runs import RunStore
    from screenalytics_core.storage.base import Storage


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

    if run_id is None and "/" in ep_id:
        ep_id, run_id = ep_id.rsplit("/", 1)
    ep_id = EpisodeId.parse(ep_id).text
    storage, runs, ledger = open_ledger(data_root)
    document = _document(storage, runs, ledger, ep_id, run_id)
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


def _document(
    storage: Storage, runs: RunStore, ledger: Ledger, ep_id: str, run_id: str | None
) -> dict[str, Any]:
    """Return the status of the run that is meant, from its file, else from its folder.

    Raises:
        RunNotFoundError: There is no such run, or nothing is known of the episode.
    """
    from screenalytics_core.ledger.derived_status import derived_episode_status
    from screenalytics_core.ledger.status import read_status, status_document
    from screenalytics_core.run_tools.naming import find_run

    now = datetime.now(UTC)
    if run_id is not None:
        run_id = find_run(storage, runs, f"{ep_id}/{run_id}").run_id
    else:
        run_id = runs.active_run_id(ep_id) or _newest_run_id(storage, runs, ledger, ep_id)
    if run_id is not None:
        # The file is a view like any other: where it is missing, what it would say is known.
        held = read_status(storage, ep_id, run_id)
        return held or status_document(ledger.facts(ep_id, run_id), now)
    derived = derived_episode_status(storage, ep_id, now)
    if derived is None:
        raise _unknown(ep_id)
    return derived


def _newest_run_id(storage: Storage, runs: RunStore, ledger: Ledger, ep_id: str) -> str | None:
    """Return the run that was reserved or queued last, or None."""
    from screenalytics_core import layout
    from screenalytics_core.episodes import is_path_safe

    created = {record.run_id: record.created_at for record in runs.list_records(ep_id)}
    for name in storage.list_folders(layout.runs_prefix(ep_id)):
        if name not in created and is_path_safe(name):
            queued_at = ledger.log.state(ep_id, name).created_at
            if queued_at is not None:
                created[name] = queued_at
    return max(created, key=lambda name: (created[name], name), default=None)


def _unknown(ep_id: str) -> Exception:
    from screenalytics_core.errors import RunNotFoundError

    return RunNotFoundError(
        thing=f"episode {ep_id}",
        reason="has no run, and nothing of an earlier pipeline",
        way_out=f"Start one: screenalytics run VIDEO --ep-id {ep_id}.",
    )


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
