"""`screenalytics episodes`: which videos are registered."""

from __future__ import annotations

import typer

from screenalytics_assets.cli.episodes.adding import add
from screenalytics_assets.cli.episodes.listing import list_
from screenalytics_assets.cli.episodes.trimming import trim

app = typer.Typer(
    help="Register videos as episodes, list them, and say what of them is not counted.",
    epilog="Example: screenalytics episodes add s05e14.mp4 --ep-id rhobh-s05e14",
    no_args_is_help=True,
)
app.command("add")(add)
app.command("list")(list_)
app.command("trim")(trim)
