"""`identities review`: the tracks that a person should look at, the report's list."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_table, tell
from screenalytics_assets.cli.deciding import look, put

_COLUMNS = ("track_id", "start_s", "end_s", "of", "confidence", "also like", "why")


def review(
    run: Annotated[str, typer.Argument(help="Episode, or EP/RUN: the run that was looked at.")],
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """List the tracks that the machine is not sure of; what may change most comes first.

    Example: screenalytics identities review rhobh-s05e14
    """
    from screenalytics_core.artifacts import ArtifactKind
    from screenalytics_core.report.faces import FaceIndex
    from screenalytics_core.report.review import review_rows
    from screenalytics_core.vision.owners import find_owners

    looked_at, _ = look(run, data_root)
    ep_id, run_id, stores = looked_at.ep_id, looked_at.run_id, looked_at.stores
    owners = find_owners(looked_at.identities["identities"], looked_at.cast["people"])
    tracks = stores.require(ep_id, run_id, ArtifactKind.TRACKS).read()
    faces = stores.require(ep_id, run_id, ArtifactKind.FACES).read()
    trims = stores.require(ep_id, run_id, ArtifactKind.SCREEN_TIME).read()["trims"]
    away = [(t["start_s"], t["end_s"]) for t in trims]
    rows = review_rows(tracks, looked_at.identities, owners, FaceIndex(faces), away)

    def show() -> None:
        shown = [
            (r.track_id, r.start_s, r.end_s, r.given, r.confidence, r.rival, r.reason) for r in rows
        ]
        if not rows:
            tell("no track is in doubt")
            return
        put_table(f"{ep_id}  run {run_id}", _COLUMNS, shown, spare=("also like",))
        tell(f"whose a track is: screenalytics identities move-track {ep_id} TRACK NAME")

    put(as_json, {"ep_id": ep_id, "run_id": run_id, "tracks": [asdict(r) for r in rows]}, show)
