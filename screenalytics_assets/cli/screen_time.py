"""`screenalytics screen-time`: the figures of a run, for people and for other programs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json
from screenalytics_assets.cli.people import put_people, tell_totals

if TYPE_CHECKING:
    from screenalytics_core.runs import RunStore


def screen_time(
    ep_id: Annotated[str, typer.Argument(help="Episode, or EP/RUN.")],
    run_id: options.RunId = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV on stdout.")] = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Print who was on screen for how long.

    Example: screenalytics screen-time rhobh-s05e14 --csv > people.csv
    """
    from screenalytics_assets.settings import Settings
    from screenalytics_assets.stores import Stores
    from screenalytics_core.artifacts import ArtifactKind

    stores = Stores.open(Settings.from_env(data_root=data_root).data_root)
    ep_id, run_id = _resolve(stores.runs, ep_id, run_id)
    ref = stores.require(ep_id, run_id, ArtifactKind.SCREEN_TIME)
    if as_csv:
        ref.read("csv")  # checks the file's hash
        sys.stdout.write(ref.path("csv").read_text())
        return
    document = ref.read()
    if as_json:
        put_json({"ep_id": ep_id, "run_id": run_id, **document})
        return
    put_people(f"{ep_id}  run {run_id}", document)
    tell_totals(document)


def _resolve(runs: RunStore, text: str, run_id: str | None) -> tuple[str, str]:
    """Return the run that `EP`, `EP/RUN` or `EP --run-id RUN` means."""
    from screenalytics_core.episodes import EpisodeId
    from screenalytics_core.errors import RunNotFoundError

    if run_id is None and "/" in text:
        return runs.resolve_run(text)
    ep_id = EpisodeId.parse(text).text
    run_id = run_id or runs.active_run_id(ep_id)
    if run_id is None:
        raise RunNotFoundError(
            thing=f"episode {ep_id}",
            reason="has no finished run",
            way_out=f"Start one: screenalytics run VIDEO --ep-id {ep_id}.",
        )
    return runs.resolve_run(run_id, ep_id)
