"""The command line answers at once: what it does not need yet is not imported yet."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# Each costs between a third of a second and two seconds to import.
HEAVY = ("dagster", "sklearn", "insightface", "matplotlib", "onnxruntime", "pandas", "scipy")

SCRIPT = """
import json, sys
from screenalytics_assets.cli import main
sys.argv = ["screenalytics", *{arguments!r}]
try:
    main()
except SystemExit as end:
    code = end.code
else:
    code = 0
tops = sorted({{name.split(".")[0] for name in sys.modules}})
sys.stderr.write("\\n" + json.dumps([code, tops]))
"""


def imported_by(arguments: list[str]) -> set[str]:
    """Return the top-level packages that are loaded when the command has ended well."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(arguments=arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    code, tops = json.loads(done.stderr.splitlines()[-1])
    assert code in (0, None), done.stderr
    return set(tops)


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"]], ids=" ".join)
def test_help_is_shown_without_heavy_imports(arguments: list[str]) -> None:
    assert imported_by(arguments) & set(HEAVY) == set()


@pytest.mark.parametrize(
    "module", ["errors", "episodes", "run_ids", "config", "stages", "schema", "layout"]
)
def test_the_ground_of_core_is_light(module: str) -> None:
    script = f"import sys, screenalytics_core.{module}; sys.stdout.write(' '.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()

    assert {name.split(".")[0] for name in loaded} & {*HEAVY, "cv2", "av"} == set()
