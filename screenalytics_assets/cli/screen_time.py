"""`screenalytics screen-time`: the figures of a run, for people and for other programs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, put_table, tell


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
    from screenalytics_assets.binding import Stores
    from screenalytics_assets.settings import Settings
    from screenalytics_core.artifacts import ArtifactKind
    from screenalytics_core.errors import RunNotFoundError

    stores = Stores.open(Settings.from_env(data_root=data_root).data_root)
    ep_id, _, named = ep_id.partition("/")
    run_id = run_id or named or stores.runs.active_run_id(ep_id)
    if run_id is None:
        raise RunNotFoundError(
            thing=f"episode {ep_id}",
            reason="has no finished run",
            way_out=f"Start one: screenalytics run VIDEO --ep-id {ep_id}.",
        )
    stores.runs.require(ep_id, run_id)
    ref = stores.require(ep_id, run_id, ArtifactKind.SCREEN_TIME)
    if as_csv:
        ref.read("csv")  # checks the file's hash
        sys.stdout.write(ref.path("csv").read_text())
        return
    document = ref.read()
    if as_json:
        put_json({"ep_id": ep_id, "run_id": run_id, **document})
        return
    columns = ("person", "seconds", "share %", "first s", "last s", "segments")
    rows = [
        (p["label"] or p["identity_id"], p["total_s"], 100 * p["share"], p["first_s"],
         p["last_s"], len(p["segments"]))
        for p in document["people"]
    ]  # fmt: skip
    put_table(f"{ep_id}  run {run_id}", columns, rows)
    tell(f"someone known {document['covered_s']:.2f} s, unknown {document['unknown_s']:.2f} s")
