"""The documents' commands, run in order by a stranger with one video."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Each goes on where the one before ends.
EVALUATION = ROOT / "docs" / "evaluation.md"
DOCUMENTS = (
    *(ROOT / d for d in ("README.md", "docs/observability.md", "docs/screen-time.md")),
    EVALUATION,
)
# It stays until it is stopped; `test_dev.py` starts and stops it.
ENDLESS = "screenalytics dev"


def commands() -> list[str]:
    """Every `screenalytics ...` line of the documents' shell blocks, without comments."""
    blocks = [
        b for d in DOCUMENTS for b in re.findall(r"```sh\n(.*?)```", d.read_text(), re.DOTALL)
    ]
    lines = [line.split(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("screenalytics") and line != ENDLESS]


def example_truth() -> str:
    """The truth file that the document shows: it is of the tests' own clip."""
    found = re.search(r"```json\n(.*?)```", EVALUATION.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.models
def test_the_documents_commands_work_in_order(
    clip: Path, tmp_path: Path, lite_pack: object
) -> None:
    shutil.copy(clip, tmp_path / "s05e14.mp4")
    (tmp_path / "s05e14.truth.json").write_text(example_truth())
    beside = Path(sys.executable).parent
    env = {**os.environ, "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}"}
    for name in ("PYTHONDONTWRITEBYTECODE", "SCREENALYTICS_DATA_ROOT", "DAGSTER_HOME"):
        env.pop(name, None)

    assert len(commands()) >= 20
    for command in commands():
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    assert (tmp_path / "people.csv").read_text().count("\n") == 7
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert (figures["faces"]["recall"], figures["bcubed"]["f1"]) == (1.0, 1.0)
    assert (figures["cuts"]["tolerance_0"]["f1"], figures["bounds"]["samples"]) == (1.0, 3)
    assert list(tmp_path.glob("data/manifests/rhobh-s05e14/runs/*/report.pdf"))
    assert "<svg" in (tmp_path / "night-1.html").read_text()
    subprocess.run([sys.executable, "night-1.zip"], cwd=tmp_path, check=True)
