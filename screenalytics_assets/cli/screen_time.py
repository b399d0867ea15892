"""`screenalytics screen-time`: the figures of a run, for people and for other programs."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, tell
from screenalytics_assets.cli.people import put_people, tell_totals
from screenalytics_assets.cli.run_names import resolve_run

if TYPE_CHECKING:
    from screenalytics_assets.stores import Stores
    from screenalytics_core.segment_formats.model import EpisodeSegments, MediaFile


class SegmentFormat(StrEnum):
    """What programs open segments."""

    EDL = "edl"
    FCPXML = "fcpxml"
    VTT = "vtt"


def screen_time(
    ep_id: Annotated[str, typer.Argument(help="Episode, or EP/RUN.")],
    run_id: options.RunId = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV on stdout.")] = False,
    format_: Annotated[
        SegmentFormat | None,
        typer.Option(
            "--format",
            help="Print segments: edl (any editor), fcpxml (Final Cut, Resolve), vtt (players).",
        ),
    ] = None,
    person: Annotated[
        str | None, typer.Option("--person", help="With --format: only this name or id.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="With --format: write this file.")
    ] = None,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Print who was on screen for how long, or when in a format that editors open.

    Example: screenalytics screen-time rhobh-s05e14 --csv > people.csv
    """
    from screenalytics_assets.settings import Settings
    from screenalytics_assets.stores import Stores
    from screenalytics_core.artifacts import ArtifactKind

    _check_usage(as_csv, as_json, format_, person, output)
    stores = Stores.open(Settings.from_env(data_root=data_root).data_root)
    ep_id, run_id = resolve_run(stores.runs, ep_id, run_id)
    if format_ is not None:
        _put(_rendered(_segments(stores, ep_id, run_id, person), format_), output)
        return
    ref = stores.require(ep_id, run_id, ArtifactKind.SCREEN_TIME)
    if as_csv:
        ref.read("csv")  # checks the file's hash
        sys.stdout.write(ref.fetch("csv").read_text())
        return
    document = ref.read()
    if as_json:
        put_json({"ep_id": ep_id, "run_id": run_id, **document})
        return
    put_people(f"{ep_id}  run {run_id}", document)
    tell_totals(document)


def _check_usage(
    as_csv: bool, as_json: bool, format_: str | None, person: str | None, output: Path | None
) -> None:
    if as_csv + as_json + (format_ is not None) > 1:
        raise typer.BadParameter("choose one of --csv, --json and --format")
    if format_ is None and (person is not None or output is not None):
        raise typer.BadParameter("--person and --output go with --format edl|fcpxml|vtt")


def _segments(stores: Stores, ep_id: str, run_id: str, person: str | None) -> EpisodeSegments:
    from screenalytics_core.artifacts import ArtifactKind
    from screenalytics_core.segment_formats.model import episode_segments

    shots = stores.require(ep_id, run_id, ArtifactKind.SHOTS).read()
    rows = stores.require(ep_id, run_id, ArtifactKind.SCREEN_TIME).read("segments").to_pylist()
    found = episode_segments(ep_id, run_id, shots, rows, _media(stores, ep_id))
    return found if person is None else found.only(person)


def _media(stores: Stores, ep_id: str) -> MediaFile:
    """Return the episode's file; segments are worth having without it."""
    from screenalytics_core import layout
    from screenalytics_core.episode_registry import fetch_video
    from screenalytics_core.errors import VideoError
    from screenalytics_core.segment_formats.media import media_file
    from screenalytics_core.segment_formats.model import MediaFile

    try:
        return media_file(fetch_video(stores.storage, ep_id))
    except VideoError as error:
        tell(f"link the segments to the video yourself: {error}")
        key = layout.video_key(ep_id)
        return MediaFile(key.rpartition("/")[2], stores.storage.url(key), has_audio=False)


def _rendered(segments: EpisodeSegments, format_: SegmentFormat) -> str:
    from screenalytics_core.segment_formats.edl import write_edl
    from screenalytics_core.segment_formats.fcpxml import write_fcpxml
    from screenalytics_core.segment_formats.vtt import write_vtt

    writers = {
        SegmentFormat.EDL: write_edl,
        SegmentFormat.FCPXML: write_fcpxml,
        SegmentFormat.VTT: write_vtt,
    }
    return writers[format_](segments)


def _put(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    from screenalytics_assets.cli.files import whole_file

    with whole_file(output) as path:
        path.write_bytes(text.encode())
    tell(f"{output}")
