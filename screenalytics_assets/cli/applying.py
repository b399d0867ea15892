"""`screenalytics identities apply`: what was only recorded, carried out."""

from __future__ import annotations

from typing import Annotated

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.deciding import look, run_decided


def apply(
    run: Annotated[str, typer.Argument(help="Episode, or EP/RUN: the run that was looked at.")],
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Carry out what was decided with --no-run, with the settings of the run looked at.

    Example: screenalytics identities apply rhobh-s05e14
    """
    looked_at, settings = look(run, data_root)
    run_decided(looked_at, settings, {}, as_json=as_json)
