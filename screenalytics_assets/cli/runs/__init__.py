"""`screenalytics runs`: what ran, and what to do about it."""

from __future__ import annotations

import typer

from screenalytics_assets.cli.runs.reading import list_, stats, tail
from screenalytics_assets.cli.runs.show import show
from screenalytics_assets.cli.runs.sync import sync
from screenalytics_assets.cli.runs.tools import diff, export, gc, replay, verify

app = typer.Typer(
    help="Read the ledger of runs, and keep it whole.",
    epilog="Example: screenalytics runs tail --follow",
    no_args_is_help=True,
)
app.command("tail")(tail)
app.command("list")(list_)
app.command("show")(show)
app.command("stats")(stats)
app.command("sync")(sync)
app.command("diff")(diff)
app.command("export")(export)
app.command("verify")(verify)
app.command("gc")(gc)
app.command("replay")(replay)
