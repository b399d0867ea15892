"""`runs show`: one run, whole, on the terminal or as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.cells import Cell
from screenalytics_assets.cli.console import put_facts, put_json, put_table, tell
from screenalytics_assets.cli.people import put_people_rows
from screenalytics_assets.cli.reading import Liveness, open_ledger, status_cell

if TYPE_CHECKING:
    from screenalytics_core.run_record import RunKey


def show(
    run: Annotated[str, typer.Argument(help="EP/RUN, or RUN where no other episode has it.")],
    path: Annotated[
        Path | None, typer.Argument(help="With --html: file or folder; default ./EP_RUN.html.")
    ] = None,
    html: Annotated[
        bool, typer.Option("--html", help="Write a page instead: stage timeline, lineage, errors.")
    ] = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Show a run: attempts, settings, stages, artifacts, people.

    Example: screenalytics runs show rhobh-s05e14/20261121_103000_0a1b2c3d --html run.html
    """
    if path is not None and not html:
        raise typer.BadParameter("a PATH goes with --html", param_hint="PATH")
    storage, runs, ledger = open_ledger(data_root)
    from screenalytics_core.run_tools.naming import find_run
    from screenalytics_core.run_tools.show import run_overview

    key = find_run(storage, runs, run)
    facts = ledger.facts(*key)
    liveness = Liveness(storage)
    running = [a.attempt for a in facts.state.attempts if not a.status.is_terminal]
    gone = [n for n in running if n is not None and liveness.is_gone(*key, n)]
    overview = run_overview(facts, gone, datetime.now(UTC))
    if html:
        _put_page(key, overview, path, as_json)
    elif as_json:
        put_json(overview)
    else:
        _put_overview(overview)


def _put_page(key: RunKey, overview: Mapping[str, Any], path: Path | None, as_json: bool) -> None:
    """Write the page and print where it lies."""
    from screenalytics_core.errors import StorageError
    from screenalytics_core.run_tools.page import render_page

    name = f"{key.ep_id}_{key.run_id}.html"
    target = Path(name) if path is None else path / name if path.is_dir() else path
    try:
        target.write_text(render_page(overview), encoding="utf-8")
    except OSError as error:
        raise StorageError(
            thing=str(target),
            reason=f"cannot be written ({error.strerror})",
            way_out="Give another path after --html.",
        ) from error
    if as_json:
        put_json({"ep_id": key.ep_id, "run_id": key.run_id, "page": str(target.absolute())})
    else:
        typer.echo(str(target))


def _put_overview(overview: Mapping[str, Any]) -> None:
    _put_run(overview["run"], overview["attempts"])
    _put_attempts(overview["attempts"])
    _put_settings(overview)
    _put_stages(overview["stages"])
    _put_errors(overview)
    _put_artifacts(overview["artifacts"])
    if overview["people"]:
        put_people_rows("people", overview["people"])
    if overview["invoice"]:
        from screenalytics_assets.cli.cost import invoice_amounts

        put_facts("cost", invoice_amounts(overview["invoice"]))


def _put_run(run: Mapping[str, Any], attempts: Sequence[Mapping[str, Any]]) -> None:
    from screenalytics_core.run_tools.wording import took, when

    put_facts(
        f"{run['ep_id']}/{run['run_id']}",
        [
            ("status", _status(run)),
            ("created", when(run["created_at"])),
            ("started", when(run["started_at"]) if run["started_at"] else None),
            ("ended", when(run["ended_at"]) if run["ended_at"] else None),
            ("took", took(run["duration_s"]) if run["duration_s"] is not None else None),
            ("error", _error(run["error"])),
            ("code", run["code_ref"]),
            ("settings", run["settings_hash"]),
            ("parent run", run["parent_run_id"]),
            ("tags", ", ".join(run["tags"])),
            ("trace", run["trace_id"]),
            ("attempts", len([a for a in attempts if not a["is_refused"]]) or None),
        ],
    )


def _put_attempts(attempts: Sequence[Mapping[str, Any]]) -> None:
    from screenalytics_core.run_tools.wording import took, when

    if not attempts:
        tell("no event tells how it went")
        return
    put_table(
        "attempts",
        ("attempt", "status", "started", "took", "process", "Dagster run", "error"),
        [
            (
                a["attempt"],
                Cell("refused", "yellow") if a["is_refused"] else _status(a),
                when(a["started_at"]),
                took(a["duration_s"]) if a["duration_s"] is not None else None,
                f"{a['pid']} on {a['host']}" if a["pid"] else None,
                a["dagster_run_id"],
                a["error"]["code"] if a["error"] else None,
            )
            for a in attempts
        ],
        whole=("Dagster run",),
    )


def _put_settings(overview: Mapping[str, Any]) -> None:
    from screenalytics_core.run_tools.show import changed_settings

    changed = changed_settings(overview)
    if changed:
        put_table(
            f"settings that differ from the profile {overview['settings']['profile']}",
            ("setting", "value", "usual"),
            [(row["name"], row["value"], row["baseline"]) for row in changed],
        )


def _put_stages(stages: Sequence[Mapping[str, Any]]) -> None:
    from screenalytics_core.report import text
    from screenalytics_core.run_tools.show import short
    from screenalytics_core.run_tools.wording import took

    columns = ("stage", "status", "source", "attempt", "took", "rows in", "rows out", "frames",
               "inferences", "CPU", "peak memory", "fingerprint")  # fmt: skip
    put_table(
        "stages",
        columns,
        [
            (
                s["stage"],
                _status(s),
                s["source"],
                s["attempt"],
                took(s["duration_s"]) if s["duration_s"] is not None else None,
                *(s[name] for name in ("rows_in", "rows_out", "frames", "inferences")),
                took(s["cpu_s"]) if s["cpu_s"] is not None else None,
                text.size(s["peak_rss_bytes"]) if s["peak_rss_bytes"] is not None else None,
                short(s["input_fingerprint"]),
            )
            for s in stages
        ],
        whole=("stage", "took"),
        spare=("CPU", "rows in", "inferences", "frames", "peak memory", "attempt", "fingerprint"),
    )


def _put_errors(overview: Mapping[str, Any]) -> None:
    """Print every error in full, each once, and why stages were blocked."""
    said: dict[str, str] = {}
    for attempt in overview["attempts"]:
        number = attempt["attempt"]
        name = "unclaimed launch" if number is None else f"attempt {number}"
        for where, thing in [(name, attempt)] + [
            (f"{name}, {s['stage']}", s) for s in attempt["stages"]
        ]:
            error = _error(thing["error"])
            if error is not None:
                # The stage's own place says more than its attempt's.
                said[error] = where
    notes = [
        (s["stage"], note)
        for s in overview["stages"]
        for note in [*s["notes"], *filter(None, [s["blocked_reason"]])]
    ]
    put_facts("errors", [(where, error) for error, where in said.items()])
    put_facts("notes", notes)


def _put_artifacts(artifacts: Sequence[Mapping[str, Any]]) -> None:
    from screenalytics_core.report import text
    from screenalytics_core.run_tools.show import short

    if artifacts:
        put_table(
            "artifacts",
            ("file", "rows", "size", "sha256", "source"),
            [
                (
                    a["path"] + (" (somebody was taken out)" if a["redacted"] else ""),
                    a["rows"],
                    text.size(a["size_bytes"]),
                    short(a["sha256"]),
                    a["source"] + (f" from {a['from_run_id']}" if a["from_run_id"] else ""),
                )
                for a in artifacts
            ],
        )


def _status(thing: Mapping[str, Any]) -> Cell:
    cell = status_cell(thing["status"], is_gone=thing["is_process_gone"])
    return Cell(f"{cell.text} (from files)", cell.style) if thing.get("is_derived") else cell


def _error(error: Mapping[str, str] | None) -> str | None:
    return f"{error['code']}: {error['message']}" if error else None
