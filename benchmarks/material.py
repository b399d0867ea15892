"""Which videos and models a benchmark runs on, and what to say when they are stand-ins."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.media import clips_in
from benchmarks.processes import BIN, ROOT, BenchError, measure
from screenalytics_assets.settings import Settings

SHARED = ROOT.parent / "shared"
DETECTOR = SHARED / "models" / "scrfd_2.5g_kps.onnx"


@dataclass(frozen=True, slots=True)
class Material:
    """Videos, models (a folder or a pack's name), and a note for the reader."""

    clips: list[Path]
    models: str
    note: str


def find_material(clips: Path | None, models: Path | None, work: Path) -> Material:
    """Return the labelled clips and models, else the demo episode with lite.

    Without `models`, the detector beside the checkout and lite's embedder are put together.

    Raises:
        BenchError: Clips were asked for and are not there, or come without models.
    """
    folder = clips or SHARED / "clips"
    found = clips_in(folder) if folder.is_dir() else []
    if clips is not None and not found:
        raise BenchError(f"{clips} holds none of the labelled clips")
    if found and models is None and DETECTOR.is_file():
        models = compose_models(work / "models")
    if found and models is not None:
        names = ", ".join(sorted(path.name for path in models.glob("*.onnx")))
        return Material(found, str(models), f"{len(found)} labelled clips; models: {names}")
    if clips is not None:
        raise BenchError("--clips needs --models DIR, a folder with a detector and an embedder")
    return Material(
        [demo_episode(work)],
        "lite",
        "no labelled clips beside the checkout: the demo episode with the lite pack instead",
    )


def compose_models(folder: Path) -> Path:
    """Put the detector beside the checkout and the embedder of lite into one folder."""
    measure([str(BIN / "screenalytics"), "models", "install", "lite"])
    folder.mkdir(parents=True)
    for model in (DETECTOR, Settings.from_env().models_dir / "lite" / "fr_feature.onnx"):
        shutil.copyfile(model, folder / model.name)
    return folder


def demo_episode(work: Path) -> Path:
    """Draw the demo's video and return it."""
    # In a process of its own, so that this one stays small; see `processes`.
    script = (
        "import sys; from pathlib import Path; from screenalytics_core.demo import compose_demo; "
        "sys.stdout.write(str(compose_demo(Path(sys.argv[1])).video_path))"
    )
    return Path(measure([sys.executable, "-c", script, str(work / "demo")]).stdout)
