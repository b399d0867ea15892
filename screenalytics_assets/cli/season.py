"""`screenalytics season`: whole seasons: figures, and people linked over episodes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, step_progress, tell

if TYPE_CHECKING:
    from screenalytics_assets.deciding import LookedAt
    from screenalytics_assets.settings import Settings
    from screenalytics_assets.stores import Stores

app = typer.Typer(
    help="Add up a season, link unnamed people over its episodes, and decide about links.",
    epilog="Example: screenalytics season show rhobh-s05",
    no_args_is_help=True,
)
Season = Annotated[str, typer.Argument(metavar="SEASON", help="Season, e.g. rhobh-s05.")]
LinkId = Annotated[str, typer.Argument(metavar="LINK", help="As `season link` names it.")]


@app.command("rollup")
def rollup(
    season: Season, data_root: options.DataRoot = None, as_json: options.AsJson = False
) -> None:
    """Link people and add up figures now; without it the daemon does so after the last run.

    Example: screenalytics season rollup rhobh-s05
    """
    settings, stores, season = _open(season, data_root)
    if not _rolled_up(settings, season, as_json=as_json):
        raise typer.Exit(1)
    if as_json:
        put_json({"success": True, "season": season, "files": _files(stores, season)})
        return
    for path in _files(stores, season).values():
        tell(path)


@app.command("show")
def show(
    season: Season,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV on stdout.")] = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Print seconds per person and episode, and which episodes are missing.

    Example: screenalytics season show rhobh-s05 --csv > season.csv
    """
    from screenalytics_core.seasons.record import SCREEN_TIME
    from screenalytics_core.seasons.specs import CSV_FILE, SCREEN_TIME_FILE

    if as_csv and as_json:
        raise typer.BadParameter("choose one of --csv and --json")
    _, stores, season = _open(season, data_root)
    if as_csv:
        sys.stdout.write(stores.seasons.read_bytes(season, SCREEN_TIME, CSV_FILE).decode())
        return
    document = stores.seasons.read(season, SCREEN_TIME, SCREEN_TIME_FILE)
    if as_json:
        put_json(document)
        return
    from screenalytics_assets.cli.season_tables import put_season

    put_season(document)
    _tell_if_old(stores, season)


@app.command("link")
def link(
    season: Season,
    every: Annotated[bool, typer.Option("--all", help="Also what is agreed already.")] = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Print who looks like the same person in several episodes.

    A proposal holds one name, `unnamed` none, a conflict two: nothing is named by itself.

    Example: screenalytics season link rhobh-s05
    """
    from screenalytics_core.seasons.record import CAST
    from screenalytics_core.seasons.specs import CAST_FILE

    _, stores, season = _open(season, data_root)
    document = stores.seasons.read(season, CAST, CAST_FILE)
    if as_json:
        put_json(document)
        return
    from screenalytics_assets.cli.season_tables import put_links

    put_links(document, every=every)
    _tell_if_old(stores, season)


@app.command("confirm")
def confirm(
    season: Season,
    link_id: LinkId,
    name: Annotated[
        str | None,
        typer.Option("--name", help="Who they are; default: the name that the link proposes."),
    ] = None,
    no_run: Annotated[bool, typer.Option("--no-run", help="Only record it.")] = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Name everybody in a link who has no name yet, in every episode.

    Each episode gets a decision and, unless --no-run, a run from cast to report that takes
    the rest over; then the season is rolled up.

    Example: screenalytics season confirm rhobh-s05 link_3fa9c1e2 --name "Lisa Vanderpump"
    """
    from screenalytics_assets.seasons import deciding
    from screenalytics_assets.whoami import whoami

    settings, stores, season = _open(season, data_root)
    chosen = deciding.find_link(stores, season, link_id)
    given = deciding.name_of(chosen, name)
    done = deciding.confirm(stores, settings, chosen, given, whoami())
    tell(f"{done.member.label}: {len(done.decisions)} decisions recorded")
    if no_run:
        tell(f"next: screenalytics backfill {season} --stale --as-before")
    failed = {} if no_run else _carry_out(settings, done.looked_at)
    is_rolled_up = no_run or _rolled_up(settings, season, as_json=False)
    if as_json:
        put_json(
            {
                "success": is_rolled_up and not failed,
                "cast_id": done.member.cast_id,
                "label": done.member.label,
                "decisions": [d.to_dict() for d in done.decisions],
                "failed": failed,
            }
        )
    for ep_id, error in failed.items():
        tell(f"{ep_id}: {error}; the decision stands, the next run applies it")
    if failed or not is_rolled_up:
        raise typer.Exit(1)


@app.command("reject")
def reject(
    season: Season,
    link_id: LinkId,
    apart: Annotated[
        list[str] | None,
        typer.Option(
            "--not", help="EP/PERSON who is not the others; default: no two of them are one."
        ),
    ] = None,
    no_rollup: Annotated[bool, typer.Option("--no-rollup", help="Only record it.")] = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Say that a link is wrong; those people are never linked again.

    Example: screenalytics season reject rhobh-s05 link_3fa9c1e2 --not rhobh-s05e04/id_0007
    """
    from screenalytics_assets.seasons import deciding
    from screenalytics_assets.whoami import whoami

    settings, stores, season = _open(season, data_root)
    chosen = deciding.find_link(stores, season, link_id)
    rejection = deciding.reject(stores, chosen, apart or (), whoami())
    tell(f"{chosen.link_id}: rejected")
    is_rolled_up = no_rollup or _rolled_up(settings, season, as_json=False)
    if as_json:
        put_json({"success": is_rolled_up, **rejection.to_dict()})
    if not is_rolled_up:
        raise typer.Exit(1)


def _open(season: str, data_root: str | None) -> tuple[Settings, Stores, str]:
    from screenalytics_assets.settings import Settings
    from screenalytics_assets.stores import Stores
    from screenalytics_core.seasons.keys import parse_season_key

    season = parse_season_key(season)
    settings = Settings.from_env(data_root=data_root)
    return settings, Stores.open(settings.data_root), season


def _carry_out(settings: Settings, looked_at: Sequence[LookedAt]) -> dict[str, str]:
    """Run each episode that something was decided in; return why those that failed did."""
    from screenalytics_assets.deciding import carry_out
    from screenalytics_core.errors import ScreenalyticsError

    failed = {}
    for looked in looked_at:
        try:
            with step_progress() as listener:
                result = carry_out(looked, settings, listener=listener, tell=tell)
        except ScreenalyticsError as error:  # it did not even start; the others still can
            failed[looked.ep_id] = str(error)
            continue
        tell(f"{looked.ep_id}: run {result.run_id} {'done' if result.success else 'failed'}")
        if not result.success:
            failed[looked.ep_id] = str(result.error)
    return failed


def _rolled_up(settings: Settings, season: str, *, as_json: bool) -> bool:
    """Roll a season up; say what went wrong if it does not succeed."""
    from screenalytics_assets.seasons.rolling import roll_season_up

    result = roll_season_up(settings, season)
    if result.success:
        tell(f"{season}: rolled up")
        return True
    tell(f"error [{result.error_code}]: {result.error}")
    if as_json:
        told = {"season": season, "error": result.error, "error_code": result.error_code}
        put_json({"success": False, **told})
    return False


def _files(stores: Stores, season: str) -> dict[str, Any]:
    from screenalytics_core.seasons.specs import PART_FILES

    files = [file for part in PART_FILES.values() for file in part]
    return {file.filename: stores.seasons.location(season, file) for file in files}


def _tell_if_old(stores: Stores, season: str) -> None:
    """Say if the season has changed since it was rolled up."""
    from screenalytics_assets.seasons.episodes import season_episodes
    from screenalytics_assets.seasons.making import cast_signature, is_current

    now = cast_signature(stores.seasons, season, season_episodes(stores, season))
    if not is_current(stores.seasons.record(season), now):
        tell(f"its episodes have changed since: screenalytics season rollup {season}")
