"""The command line: thin commands over the engine and the stores.

Command modules import what is heavy (Dagster, models, charts) inside their functions, so
that `--help` and the reading commands answer at once.
"""

from __future__ import annotations

import sys

import typer

from screenalytics_assets.cli import (
    api,
    backfill,
    cast,
    cost,
    demo,
    dev,
    doctor,
    episodes,
    evaluate,
    explain,
    forgetting,
    identities,
    models,
    overlay,
    reviewing,
    run,
    runs,
    screen_time,
    season,
    status,
)
from screenalytics_assets.cli.console import fail
from screenalytics_core.errors import InvalidIdError, ScreenalyticsError, SettingsError

app = typer.Typer(
    name="screenalytics",
    help="TV episodes into per-person screen time that can be traced to a frame.",
    epilog="Example: screenalytics run episode.mp4 --ep-id rhobh-s05e14",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("run")(run.run)
app.command("demo")(demo.demo)
app.add_typer(episodes.app, name="episodes")
app.add_typer(models.app, name="models")
app.add_typer(backfill.app, name="backfill")
cast.app.command("forget")(forgetting.forget)
identities.app.command("review")(reviewing.review)
app.add_typer(identities.app, name="identities")
app.add_typer(cast.app, name="cast")
app.add_typer(runs.app, name="runs")
app.command("status")(status.status)
app.add_typer(season.app, name="season")
app.command("screen-time")(screen_time.screen_time)
app.command("overlay")(overlay.overlay)
app.command("evaluate")(evaluate.evaluate)
app.command("explain")(explain.explain)
app.command("cost")(cost.cost)
app.command("doctor")(doctor.doctor)
app.command("dev")(dev.dev)
app.command("api")(api.api)


def main() -> None:
    """Run the command line; exit 0 fine, 1 failed, 2 wrong usage."""
    try:
        app()
    except ScreenalyticsError as error:
        status = 2 if isinstance(error, InvalidIdError | SettingsError) else 1
        sys.exit(fail(error, status, as_json="--json" in sys.argv))
