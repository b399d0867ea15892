"""`screenalytics cast forget`: a person's pictures and vectors, out of everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, put_table, tell

if TYPE_CHECKING:
    from screenalytics_assets.settings import Settings


def forget(
    show: Annotated[str, typer.Argument(help="Show, e.g. rhobh.")],
    cast_id: Annotated[str, typer.Argument(help="cast_id, or display name.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else only say what would go.")] = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Remove a person's gallery, face pictures and vectors from every run of the show.

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
    elif found.is_nothing:
        tell(f"nobody called {cast_id} is known in {show}: nothing to do")
    else:
        rows = [(name, *counts.values()) for name, counts in found.runs.items()]
        put_table("", ("run", "face tracks", "body tracks"), rows)
        said = "gone" if yes else "would go"
        begun = "; a call before this one was ended before it was done" if found.is_begun else ""
        tell(
            f"{found.gallery_files} files of the gallery and {len(found.season_files)} of seasons "
            f"{said}{begun}" + ("" if yes else "; say --yes to do it")
        )
    if found.is_nothing:
        raise typer.Exit(1)


def _roll_up(settings: Settings, seasons: Sequence[str]) -> None:
    """Roll seasons up anew; whoever cannot be is told, and the person is gone all the same."""
    from screenalytics_assets.seasons.rolling import roll_season_up

    for season in seasons:
        result = roll_season_up(settings, season)
        if result.success:
            tell(f"{season}: rolled up anew")
        else:
            tell(f"{season}: {result.error} Then: screenalytics season rollup {season}")
