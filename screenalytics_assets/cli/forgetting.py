"""`screenalytics cast forget`: a person's pictures and vectors, out of everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, put_table, tell

if TYPE_CHECKING:
    from screenalytics_assets.forgetting import Forgotten
    from screenalytics_assets.settings import Settings


def forget(
    show: Annotated[str, typer.Argument(help="Show, e.g. rhobh.")],
    cast_id: Annotated[str, typer.Argument(help="cast_id, or display name.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else only say what would go.")] = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Remove a person's gallery, face pictures and vectors from every run of the show.

    Who is linked with them in a season, or only may be them, has no name and stays: it is said,
    so that it can be named first.

    Seconds, boxes and names stay; so do videos. A run that is computed again finds the person
    again, so forget them once more afterwards. Bundles that were exported are out of reach.

    Example: screenalytics cast forget rhobh kyle-richards --yes
    """
    from screenalytics_assets.casting import cast_id_in
    from screenalytics_assets.forgetting import find_person, forget_person
    from screenalytics_assets.settings import Settings
    from screenalytics_assets.stores import Stores
    from screenalytics_assets.whoami import whoami
    from screenalytics_core.attempts import utc_now
    from screenalytics_core.gallery.names import show_of
    from screenalytics_core.ledger.events import iso
    from screenalytics_core.run_tools.forget import Whom

    settings = Settings.from_env(data_root=data_root)
    stores = Stores.open(settings.data_root)
    show = show_of(show)
    cast_id = cast_id_in(stores, show, cast_id)
    whom = Whom(show, cast_id, iso(utc_now()), whoami())
    found = find_person(stores, whom)[0]
    if yes and not found.is_nothing:
        found = forget_person(settings, stores, whom, tell)
        _roll_up(settings, found.seasons)
    if as_json:
        put_json({"dry_run": not yes, **asdict(found)})
    else:
        _say(found, is_done=yes)
    if found.is_unknown:
        raise typer.Exit(1)


def _say(found: Forgotten, *, is_done: bool) -> None:
    who = f"{found.cast_id} in {found.show}"
    if found.runs:
        heads = ("run", "face tracks", "body tracks", "by an undone decision")
        rows = [(name, *counts.values()) for name, counts in found.runs.items()]
        put_table("", heads, rows)
    for name, counts in found.runs.items():
        if counts["undone_tracks"]:
            tell(
                f"{name}: {counts['undone_tracks']} of {counts['tracks']} face tracks were named "
                "so by a decision that was undone since: perhaps somebody else"
            )
    if found.already_gone or found.already_gone_at:
        at = f" ({found.already_gone_at})" if found.already_gone_at else ""
        tell(f"{who}: already gone from {len(found.already_gone)} runs{at}")
    if not found.is_unknown:
        _say_who_stays(found)
    if found.is_unknown:
        tell(f"nobody called {found.cast_id} is known in {found.show}: nothing to do")
    elif found.is_nothing:
        tell(f"{who}: nothing to do")
    else:
        said = "gone" if is_done else "would go"
        begun = "; a call before this one was ended before it was done" if found.is_begun else ""
        tell(
            f"{found.gallery_files} files of the gallery and {len(found.season_files)} of seasons "
            f"{said}{begun}" + ("" if is_done else "; say --yes to do it")
        )


def _say_who_stays(found: Forgotten) -> None:
    for one in found.not_named:
        seconds = "" if one.total_s is None else f" ({one.total_s:.1f} s)"
        tell(
            f"not named, stays: {one.ep_id} {one.identity_id}{seconds}, {one.why}; name them first"
        )
    for note in found.notes:
        tell(note)


def _roll_up(settings: Settings, seasons: Sequence[str]) -> None:
    """Roll seasons up anew; whoever cannot be is told, and the person is gone all the same."""
    from screenalytics_assets.seasons.rolling import roll_season_up

    for season in seasons:
        result = roll_season_up(settings, season)
        if result.success:
            tell(f"{season}: rolled up anew")
        else:
            tell(f"{season}: {result.error} Then: screenalytics season rollup {season}")
