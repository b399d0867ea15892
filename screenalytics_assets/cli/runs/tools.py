"""`runs diff`, `export`, `verify`, `gc`, `replay`: tools over whole runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, step_progress, tell
from screenalytics_assets.cli.reading import open_ledger
from screenalytics_assets.cli.runs.tool_tables import (
    put_diff,
    put_plan,
    put_replay,
    put_verification,
)
from screenalytics_core.errors import RunBusyError, ScreenalyticsError, SettingsError

if TYPE_CHECKING:
    from screenalytics_core.ledger.ledger import Ledger
    from screenalytics_core.run_record import RunKey
    from screenalytics_core.run_tools.gc import GcPlan, GcPolicy
    from screenalytics_core.run_tools.gc_facts import GcFacts
    from screenalytics_core.runs import RunStore
    from screenalytics_core.storage.base import Storage

_Run = Annotated[str, typer.Argument(help="Run, EP/RUN; a bare RUN if only one has that name.")]


def diff(
    a: _Run, b: _Run, data_root: options.DataRoot = None, as_json: options.AsJson = False
) -> None:
    """Print what differs between two runs: settings, video, models, artifacts, screen time.

    Example: screenalytics runs diff rhobh-s05e14/first rhobh-s05e14/second
    """
    from screenalytics_core.artifact_store import ArtifactStore
    from screenalytics_core.run_tools.diff import diff_runs, load_side
    from screenalytics_core.run_tools.naming import find_run

    storage, runs, ledger = open_ledger(data_root)
    artifacts = ArtifactStore(storage, runs, ledger.attempts)
    sides = [
        load_side(storage, runs, artifacts, ledger.log, find_run(storage, runs, text))
        for text in (a, b)
    ]
    document = diff_runs(*sides)
    put_json(document) if as_json else put_diff(document)


def export(
    run: _Run,
    out: Annotated[
        Path | None, typer.Option("--out", help="Zip to write; default EP_RUN.zip here.")
    ] = None,
    with_video: Annotated[bool, typer.Option("--with-video", help="Pack the video too.")] = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Write a run into one zip that checks itself: python BUNDLE.zip.

    Example: screenalytics runs export rhobh-s05e14/first --out first.zip
    """
    from screenalytics_assets.settings import Settings
    from screenalytics_core.artifact_store import ArtifactStore
    from screenalytics_core.run_tools.export import export_run

    storage, runs, ledger = open_ledger(data_root)
    key = runs.resolve_run(run)
    out = out or Path(f"{key.ep_id}_{key.run_id}.zip")
    artifacts = ArtifactStore(storage, runs, ledger.attempts)
    done = export_run(storage, runs, artifacts, key, out, with_video=with_video)
    root = Settings.from_env(data_root=data_root).data_root
    if isinstance(root, Path) and out.resolve().is_relative_to(root.resolve()):
        bundle_key = out.resolve().relative_to(root.resolve()).as_posix()
        # Once: saying it again would change the log, and with it the next bundle.
        if ledger.log.state(*key).index_patch.get("exportBundleKey") != bundle_key:
            ledger.patch_index(*key, {"exportBundleKey": bundle_key})
    if as_json:
        put_json(done.to_dict())
    else:
        tell(f"{done.path}: {done.files} files, {done.size_bytes:,} bytes; python {done.path}")


def verify(
    run: Annotated[list[str] | None, typer.Argument(help="Runs, EP/RUN or RUN.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every run of the data root.")] = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Read every byte of runs again and hold it against what was published.

    Example: screenalytics runs verify rhobh-s05e14/first
    """
    from screenalytics_core.artifact_store import ArtifactStore
    from screenalytics_core.run_tools.naming import find_run
    from screenalytics_core.run_tools.verify import RunVerifier

    if bool(run) == every:
        raise SettingsError(
            thing="runs verify", reason="needs runs, or --all", way_out="Name one: EP/RUN."
        )
    storage, runs, ledger = open_ledger(data_root)
    keys = [find_run(storage, runs, text) for text in run or ()] or ledger.log.list_runs()
    artifacts = ArtifactStore(storage, runs, ledger.attempts)
    verifier = RunVerifier(storage, runs, ledger.attempts, artifacts)
    found = []
    for key in keys:
        results = list(verifier.verify(key))
        is_fine = all(result.status.is_fine for result in results)
        files = [result.to_dict() for result in results]
        found.append({"ep_id": key.ep_id, "run_id": key.run_id, "ok": is_fine, "files": files})
        if not as_json:
            put_verification(found[-1])
    is_fine = all(one["ok"] for one in found)
    if as_json:
        put_json({"ok": is_fine, "runs": found})
    if not is_fine:
        raise typer.Exit(1)


def gc(
    ep: options.Episode = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", help="How many completed runs stay (3), or a run that stays."),
    ] = None,
    older_than: Annotated[
        str | None, typer.Option("--older-than", help="Only runs untouched for 30d, 12h, 2w.")
    ] = None,
    status: Annotated[
        str | None, typer.Option("--status", help="Only runs that ended so: failed,canceled.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Remove; else only say what would go.")
    ] = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Say which old runs would go, and with --yes remove them; never the active run.

    By default the active run and the 3 newest completed runs of each episode stay, and failed
    and canceled ones for 7 days.

    Example: screenalytics runs gc --older-than 30d --status failed,canceled
    """
    from screenalytics_core.attempts import utc_now
    from screenalytics_core.episodes import EpisodeId
    from screenalytics_core.run_tools.gc import plan_gc
    from screenalytics_core.run_tools.gc_facts import GcFacts

    storage, runs, ledger = open_ledger(data_root)
    policy = _policy(storage, runs, keep or [], older_than, status)
    facts = GcFacts(storage, runs, ledger)
    wanted = facts.keys(EpisodeId.parse(ep).text if ep else None)
    plan = plan_gc([facts.summary(key) for key in wanted], policy, utc_now())
    problems: list[str] = []
    if yes:
        plan = _remove(storage, facts, ledger, plan, problems)
    if as_json:
        going, staying = ([d.to_dict() for d in part] for part in (plan.going, plan.staying))
        put_json(
            {"dry_run": not yes, "freed_bytes": plan.freed_bytes, "remove": going, "keep": staying,
             "problems": problems}
        )  # fmt: skip
    else:
        put_plan(plan, removed=yes, problems=problems)
    if problems:
        raise typer.Exit(1)


def _policy(
    storage: Storage,
    runs: RunStore,
    keep: list[str],
    older_than: str | None,
    status: str | None,
) -> GcPolicy:
    from screenalytics_core.ledger.vocabulary import parse_run_status
    from screenalytics_core.run_tools.gc import KEEP_COMPLETED, GcPolicy, parse_age
    from screenalytics_core.run_tools.naming import find_run

    counts = [int(text) for text in keep if text.isdigit()]
    words = [word for word in (status or "").split(",") if word.strip()]
    return GcPolicy(
        keep_completed=counts[-1] if counts else KEEP_COMPLETED,
        older_than=parse_age(older_than) if older_than else None,
        statuses=frozenset(parse_run_status(word) for word in words) or None,
        keep=frozenset(find_run(storage, runs, text) for text in keep if not text.isdigit()),
    )


def _remove(
    storage: Storage, facts: GcFacts, ledger: Ledger, plan: GcPlan, problems: list[str]
) -> GcPlan:
    """Remove what goes and return what became of it; one that cannot go stops no other."""
    from dataclasses import replace

    import psutil

    from screenalytics_core.attempts import utc_now
    from screenalytics_core.run_tools.gc import GcPlan
    from screenalytics_core.run_tools.gc_removal import RunRemover

    remover = RunRemover(storage, facts, ledger, psutil.Process().username())
    going, staying = [], list(plan.staying)
    for decision in plan.going:
        try:
            remover.remove(decision, utc_now())
            going.append(decision)
        except ScreenalyticsError as error:
            staying.append(replace(decision, goes=False, freed_bytes=0, reason=str(error)))
            if not isinstance(error, RunBusyError):
                problems.append(str(error))
    return GcPlan(tuple(going), tuple(staying))


def replay(
    run: _Run,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Reuse nothing, and compare every artifact's bytes.")
    ] = False,
    run_id: Annotated[str | None, typer.Option("--run-id", help="Name of the new run.")] = None,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Run a run again in a new one: same settings, video, models and stages.

    Example: screenalytics runs replay rhobh-s05e14/first --fresh
    """
    _, runs, _ = open_ledger(data_root)
    key: RunKey = runs.resolve_run(run)

    from screenalytics_assets.replay import replay_run
    from screenalytics_assets.settings import Settings

    settings = Settings.from_env(data_root=data_root)
    with step_progress() as listener:
        done = replay_run(
            key, fresh=fresh, run_id=run_id, settings=settings, listener=listener, tell=tell
        )
    put_json(done.to_dict()) if as_json else put_replay(done)
    if not done.result.success or not done.is_reproduced:
        raise typer.Exit(1)
