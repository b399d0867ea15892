"""Options that several commands share, each defined once."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from screenalytics_core.errors import SettingsError

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
DataRoot = Annotated[
    str | None,
    typer.Option(
        "--data-root",
        metavar="FOLDER|s3://BUCKET/PREFIX",
        help="Data root; default SCREENALYTICS_DATA_ROOT, else ./data.",
    ),
]
RunId = Annotated[str | None, typer.Option("--run-id", help="Run; default: the active one.")]
Models = Annotated[
    str, typer.Option("--models", help="Pack name, directory of ONNX files, or auto.")
]
ProfileName = Annotated[
    str | None,
    typer.Option("--profile", help="low_power, balanced (the default) or high_accuracy."),
]
ReplaceVideo = Annotated[
    bool, typer.Option("--replace-video", help="Let VIDEO replace the registered one.")
]
Since = Annotated[
    str | None,
    typer.Option("--since", help="2d, 12h, 90m, 2026-11-01 or an ISO 8601 time (UTC)."),
]
Episode = Annotated[str | None, typer.Option("--ep", help="Only this episode.")]


def parse_assignments(assignments: list[str]) -> dict[str, Any]:
    """Parse `--set key=value` pairs; a value is JSON where it can be, else text.

    Raises:
        SettingsError: A pair has no `=`.
    """
    parsed: dict[str, Any] = {}
    for pair in assignments:
        name, separator, text = pair.partition("=")
        if not separator:
            raise SettingsError(
                thing=f"--set {pair!r}", reason="has no '='", way_out="Write --set stride=5."
            )
        try:
            parsed[name.strip()] = json.loads(text)
        except ValueError:  # text; also a number of more digits than Python reads
            parsed[name.strip()] = text
    return parsed
