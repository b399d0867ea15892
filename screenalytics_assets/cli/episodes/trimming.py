"""`episodes trim`: what of an episode is not counted."""

from __future__ import annotations

from typing import Annotated

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, tell


def trim(
    ep_id: Annotated[str, typer.Argument(help="Episode, e.g. rhobh-s05e14.")],
    recap: Annotated[
        str | None, typer.Option("--recap", help="FROM-TO, e.g. 0:00-1:35.", metavar="FROM-TO")
    ] = None,
    credits_: Annotated[
        str | None, typer.Option("--credits", help="FROM-TO, e.g. 41:10-43:00.", metavar="FROM-TO")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Drop what is not given.")] = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Say which stretches are not counted; without one, show them.

    Times are those of the video's own clock, as in screen time: seconds, mm:ss or h:mm:ss. The
    next run of the episode, also a finished one resumed with --run-id, computes screen time
    and report anew.

    Example: screenalytics episodes trim rhobh-s05e14 --recap 0:00-1:35 --credits 41:10-43:00
    """
    from screenalytics_assets.cli.reading import open_storage
    from screenalytics_assets.cli.stretches import clock, parse_stretch
    from screenalytics_core.episode_registry import set_trims

    video = set_trims(
        open_storage(data_root),
        ep_id,
        recap=None if recap is None else parse_stretch("--recap", recap),
        credits=None if credits_ is None else parse_stretch("--credits", credits_),
        clear=clear,
    )
    if as_json:
        put_json({"ep_id": video.ep_id, "trims": video.trims})
        return
    for name, pair in video.trims.items():
        tell(f"{name}: {f'{clock(pair[0])} to {clock(pair[1])}' if pair else 'none'}")
