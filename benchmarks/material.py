"""Which videos and models a benchmark runs on, and what to say when they are stand-ins."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks.media import clips_in
from benchmarks.processes import BIN, ROOT, BenchError, measure

SHARED = ROOT.parent / "shared"


@dataclass(frozen=True, slots=True)
class Material:
    """Videos, models (a folder or a pack's name), and a note for the reader."""

    clips: list[Path]
    models: str
    note: str


def find_material(clips: Path | None, models: Path | None, work: Path) -> Material:
    """Return the labelled clips with the given models, else the demo episode with lite.

    Raises:
        BenchError: Clips were asked for and are not there, or come without models.
    """
    folder = clips or SHARED / "clips"
    found = clips_in(folder) if folder.is_dir() else []
    if clips is not None and not found:
        raise BenchError(f"{clips} holds none of the labelled clips")
    if found and models is not None:
        return Material(found, str(models), f"{len(found)} labelled clips, models of {models}")
    if clips is not None:
        raise BenchError("--clips needs --models DIR, a folder with a detector and an embedder")
    reason = "no --models given" if found else "no labelled clips beside the checkout"
    return Material(
        [_demo_episode(work)], "lite", f"{reason}: the demo episode with the lite pack instead"
    )


def _demo_episode(work: Path) -> Path:
    data_root = work / "demo"
    result = measure(
        [str(BIN / "screenalytics"), "demo", "--json"],
        SCREENALYTICS_DATA_ROOT=str(data_root),
        DAGSTER_HOME=str(data_root / ".dagster"),
    )
    ep_id = json.loads(result.stdout)["ep_id"]
    return data_root / "videos" / ep_id / "episode.mp4"
