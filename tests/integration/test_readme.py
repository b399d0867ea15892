"""The documents' commands, run in order by a stranger with one video."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Each goes on where the one before ends.
DOCUMENTS = tuple(ROOT / d for d in ("README.md", "docs/observability.md", "docs/screen-time.md"))
# It stays until it is stopped; `test_dev.py` starts and stops it.
ENDLESS = "screenalytics dev"


def commands() -> list[str]:
    """Every `screenalytics ...` line of the documents' shell blocks, without comments."""
    blocks = [
        b for d in DOCUMENTS for b in re.findall(r"```sh\n(.*?)```", d.read_text(), re.DOTALL)
    ]
    lines = [line.split(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("screenalytics") and line != ENDLESS]


@pytest.mark.models
def test_the_documents_commands_work_in_order(
    clip: Path, tmp_path: Path, lite_pack: object
) -> None:
    shutil.copy(clip, tmp_path / "s05e14.mp4")
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
    assert list(tmp_path.glob("data/manifests/rhobh-s05e14/runs/*/report.pdf"))
    assert "<svg" in (tmp_path / "night-1.html").read_text()
    subprocess.run([sys.executable, "night-1.zip"], cwd=tmp_path, check=True)
