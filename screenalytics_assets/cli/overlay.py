"""`screenalytics overlay`: what a run found, burnt into a video for checking by eye."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, step_progress, tell
from screenalytics_assets.cli.findings import check_video, read_findings
from screenalytics_assets.cli.run_names import resolve_run


def overlay(
    ep_id: Annotated[str, typer.Argument(help="Episode, or EP/RUN.")],
    run_id: options.RunId = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="MP4 to write; default EP_RUN_overlay.mp4 here.")
    ] = None,
    start_s: Annotated[
        float | None, typer.Option("--start", min=0, help="Begin at this second of the episode.")
    ] = None,
    end_s: Annotated[
        float | None, typer.Option("--end", min=0, help="End before this second of the episode.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an output that exists.")] = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Write the episode with boxes, names and track ids drawn on it, its sound copied.

    Dashed boxes were not detected there but carried on from around it; what is grey has no
    name. The whole episode keeps its timestamps, unless they begin below 0; a part begins at 0.

    Example: screenalytics overlay rhobh-s05e14 --start 60 --end 90
    """
    from screenalytics_assets.cli.files import whole_file
    from screenalytics_assets.settings import Settings
    from screenalytics_assets.stores import Stores
    from screenalytics_core.episode_registry import fetch_video
    from screenalytics_core.overlay.video import Part, write_overlay

    stores = Stores.open(Settings.from_env(data_root=data_root).data_root)
    ep_id, run_id = resolve_run(stores.runs, ep_id, run_id)
    output = output or Path(f"{ep_id}_{run_id}_overlay.mp4")
    video, part = fetch_video(stores.storage, ep_id), Part(start_s, end_s)
    _check_output(output, video, force)
    check_video(stores, ep_id, run_id)
    findings = read_findings(stores, ep_id, run_id)
    began_s = time.monotonic()
    with whole_file(output) as path, step_progress() as report:
        done = write_overlay(
            video,
            path,
            findings,
            part=part,
            progress=lambda n, total: report("overlay", n, total, "frames"),
        )
        _check_output(output, video, force)
    for warning in done.warnings:
        tell(f"warning: {warning}")
    if as_json:
        put_json({"ep_id": ep_id, "run_id": run_id, "output": str(output), **asdict(done)})
    else:
        tell(f"{output}: {done.frames} frames in {time.monotonic() - began_s:.1f} s")


def _check_output(output: Path, video: Path, force: bool) -> None:
    from screenalytics_assets.cli.files import refuse_folder
    from screenalytics_core.errors import StorageError

    refuse_folder(output)
    if output.exists() and not output.is_file():
        raise StorageError(
            thing=str(output),
            reason="is no ordinary file, and the index at an MP4's front is written last",
            way_out="Name a file, and pass that on.",
        )
    if output.exists() and video.exists() and output.samefile(video):
        raise StorageError(
            thing=str(output), reason="is the episode's own video", way_out="Name another file."
        )
    if output.exists() and not force:
        raise StorageError(
            thing=str(output), reason="exists", way_out="Name another file, or give --force."
        )
