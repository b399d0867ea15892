"""`screenalytics backfill`: run what is missing of a season, and see how far it is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperGroup

from screenalytics_assets.cli import options
from screenalytics_assets.cli.backfill_tables import (
    put_changes,
    put_plan,
    put_progress,
    say_event,
)
from screenalytics_assets.cli.console import put_json, tell

if TYPE_CHECKING:
    from screenalytics_assets.backfill_plan import Request
    from screenalytics_assets.backfill_status import BackfillProgress
    from screenalytics_assets.settings import Settings
    from screenalytics_core.backfills.record import BackfillRecord, How
    from screenalytics_core.config import EpisodeRunConfig

_PERIOD_S: Final = 2.0
_START: Final = "start"


class _StartsByDefault(TyperGroup):
    """Takes `backfill rhobh-s05` for `backfill start rhobh-s05`."""

    default_command = _START

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [self.default_command, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_StartsByDefault,
    help="Run the episodes of a season that are missing, failed or stale.",
    epilog="`backfill SEASON` is `backfill start SEASON`. Which episodes: --missing, --failed, "
    "--stale, --all; more options: screenalytics backfill start --help. "
    "Example: screenalytics backfill rhobh-s05 --stale --jobs 2",
    no_args_is_help=True,
)


@app.command(_START)
def start(
    selection: Annotated[
        list[str],
        typer.Argument(help="Episodes, seasons, ranges (rhobh-s05e01..e08) or @FILE."),
    ],
    missing: Annotated[bool, typer.Option("--missing", help="Those without results.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Those whose last run failed.")] = False,
    stale: Annotated[
        bool, typer.Option("--stale", help="Those that would come out otherwise now.")
    ] = False,
    all_: Annotated[bool, typer.Option("--all", help="All that nobody works on.")] = False,
    profile: options.ProfileName = None,
    models: options.Models = "auto",
    assignments: Annotated[
        list[str] | None, typer.Option("--set", help="Setting, key=value; repeatable.")
    ] = None,
    as_before: Annotated[
        bool, typer.Option("--as-before", help="With the settings that the runs there have.")
    ] = False,
    run_id_template: Annotated[
        str | None,
        typer.Option(
            "--run-id-template", help="Of {backfill_id}, {ep_id}, {date}; default: minted."
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Runs at a time; default: 1.")
    ] = None,
    queue: Annotated[
        bool, typer.Option("--queue", help="Let the daemon of `screenalytics dev` run them.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the plan.")] = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Run a selection's episodes; by default those that are missing or failed.

    Each runs in a process of its own. Ctrl-C ends them cleanly; started again, it does only
    what is missing, and goes on where a run stopped.

    Example: screenalytics backfill rhobh-s05 --dry-run
    """
    from screenalytics_core.backfills.choice import DEFAULT_WHICH, Which
    from screenalytics_core.backfills.run_names import check_template
    from screenalytics_core.config import DEFAULT_PROFILE, EpisodeRunConfig

    # What is typed wrong is answered before Dagster is imported.
    if queue and jobs is not None:
        raise typer.BadParameter(
            "the daemon runs as many at a time as dagster.yaml in DAGSTER_HOME says "
            "(concurrency.runs, limit of screenalytics/backfill_id): leave --jobs out"
        )
    if as_before and (profile or assignments or models != "auto"):
        raise typer.BadParameter("choose one of --as-before and --profile, --models, --set")
    given = {"models": models, **options.parse_assignments(assignments or [])}
    config = EpisodeRunConfig.from_mapping(given, profile=profile or DEFAULT_PROFILE)
    if run_id_template is not None:
        check_template(run_id_template)
    asked = zip(Which, (missing, failed, stale, all_), strict=True)
    which = tuple(why for why, is_asked in asked if is_asked) or DEFAULT_WHICH

    from screenalytics_assets.backfill_plan import Request
    from screenalytics_assets.settings import Settings

    how: How = "queue" if queue else "processes"
    request = Request(tuple(selection), which, how, jobs or 1, run_id_template)
    settings = Settings.from_env(data_root=data_root)
    if as_before:
        config = _as_before(settings, request)
    record = _plan(settings, config, request, is_dry=dry_run)
    _tell_of_settings(record)
    if dry_run or not record.episodes:
        _show_plan(settings, record, as_json, is_dry=dry_run)
    elif queue:
        tell(f"{record.backfill_id}: {len(record.episodes)} runs go to the daemon's queue")
        tell(f"see them with: screenalytics backfill status {record.backfill_id} --follow")
        if as_json:
            put_json(record.to_dict())
    else:
        _run(settings, record, as_json)


@app.command("status")
def status(
    backfill_id: Annotated[
        str | None, typer.Argument(help="Backfill; default: the last one.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until it is over.")] = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Print how far a backfill is: every episode, and how long the rest will take.

    Example: screenalytics backfill status --follow
    """
    from screenalytics_assets.cli.reading import open_ledger

    storage, _, _ = open_ledger(data_root)
    from screenalytics_core.backfills.record import BackfillStore

    backfills = BackfillStore(storage)
    record = backfills.get(backfill_id) if backfill_id else backfills.newest()
    found = _progress(data_root, record)
    put_progress(found, as_json)
    try:
        while follow and not found.totals.is_over:
            time.sleep(_PERIOD_S)
            before, found = found, _progress(data_root, record)
            put_changes(before, found, as_json)
    except KeyboardInterrupt:
        return


def _progress(data_root: str | None, record: BackfillRecord) -> BackfillProgress:
    from screenalytics_assets.backfill_status import progress_of
    from screenalytics_assets.cli.reading import open_ledger
    from screenalytics_core.attempts import AttemptStore

    storage, runs, ledger = open_ledger(data_root)
    return progress_of(record, runs, AttemptStore(storage), ledger)


def _as_before(settings: Settings, request: Request) -> EpisodeRunConfig:
    from screenalytics_assets.settings_as_before import settings_as_before
    from screenalytics_assets.stores import Stores

    return settings_as_before(Stores.open(settings.data_root), request.selection)


def _plan(
    settings: Settings, config: EpisodeRunConfig, request: Request, *, is_dry: bool
) -> BackfillRecord:
    """Plan, and unless it is dry write the record."""
    from screenalytics_assets.backfill_claims import await_orphans
    from screenalytics_assets.backfill_facts import Wanted
    from screenalytics_assets.backfill_plan import plan_and_record, plan_backfill
    from screenalytics_assets.backfill_queue import check_daemon
    from screenalytics_assets.instance import home_errors, open_instance
    from screenalytics_assets.stores import Stores

    stores = Stores.open(settings.data_root)
    home = settings.dagster_home
    with home_errors(home), open_instance(home) as instance:
        if request.how == "queue":
            check_daemon(instance, time.time())
        wanted = Wanted.of(settings, config, tell)
        if is_dry:
            return plan_backfill(instance, stores, wanted, request)
        await_orphans(instance, stores, tell)
        return plan_and_record(instance, stores, wanted, request)


def _show_plan(settings: Settings, record: BackfillRecord, as_json: bool, *, is_dry: bool) -> None:
    from screenalytics_assets.backfill_status import history_of
    from screenalytics_assets.stores import Stores

    stores = Stores.open(settings.data_root)
    history = history_of(stores.ledger.registry, stores.runs)
    rate = history.rate(record.config_hash, record.pack)
    put_plan(record, rate, as_json, is_dry=is_dry)


def _tell_of_settings(record: BackfillRecord) -> None:
    tell(f"settings asked for: {_settings_told(record)}")
    if any(e.why == "stale" and "setting " in e.reason for e in record.episodes):
        tell(
            "stale by settings: those runs were made with others; --as-before keeps theirs, or "
            "give the same --profile, --models and --set again"
        )


def _settings_told(record: BackfillRecord) -> str:
    """Return the pack, and the settings that differ from the default profile's."""
    from screenalytics_core.config import DEFAULT_PROFILE, EpisodeRunConfig

    usual = EpisodeRunConfig.from_mapping({}, DEFAULT_PROFILE).model_dump(mode="json")
    others = [f"{k}={v}" for k, v in record.settings.items() if k != "models" and v != usual[k]]
    return f"models {record.pack}, " + (", ".join(others) or f"profile {DEFAULT_PROFILE}")


def _run(settings: Settings, record: BackfillRecord, as_json: bool) -> None:
    from screenalytics_assets.backfill import Backfill

    count = len(record.episodes)
    tell(f"{record.backfill_id}: {count} to run, {record.jobs} at a time")
    counted: dict[str, Any] = {"of": count}
    is_interrupted = False
    try:
        Backfill(settings, record, lambda *event: say_event(counted, *event)).run()
    except KeyboardInterrupt:
        is_interrupted = True
    _mend(settings)
    found = _progress(str(settings.data_root), record)
    put_progress(found, as_json)
    if is_interrupted:
        tell("interrupted; start it again to go on")
    if set(found.totals.states) - {"completed"}:
        raise typer.Exit(1)


def _mend(settings: Settings) -> None:
    """End in the ledger what a child that crashed or was killed left open."""
    from screenalytics_assets.instance import home_errors, open_instance
    from screenalytics_assets.liveness import sweep
    from screenalytics_assets.mirror import mirror_runs
    from screenalytics_assets.stores import Stores
    from screenalytics_core.processes import ProcessIdentity

    stores = Stores.open(settings.data_root)
    home = settings.dagster_home
    with home_errors(home), open_instance(home) as instance:
        swept = sweep(instance, stores.attempts, ProcessIdentity.current())
        mirror_runs(instance, stores, swept)
