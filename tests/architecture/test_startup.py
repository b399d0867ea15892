"""The command line answers at once: what it does not need yet is not imported yet."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from screenalytics_core.stages import PipelineStage
from tests.run_stories import Story
from tests.told_runs import Root

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
sys.stderr.write("\\n" + json.dumps([code, sorted(sys.modules)]))
"""


def imported_by(arguments: list[str]) -> set[str]:
    """Return the modules that are loaded when the command has ended well."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(arguments=arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code in (0, None), done.stderr
    return set(modules)


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with one run, still waiting in the registry's log, as after most of them."""
    root = Root(tmp_path_factory.mktemp("root"))
    story = Story("first").begin().stage(PipelineStage.DETECT_TRACK, 2, rows_out=3)
    root.tell(story.complete())
    root.tell(Story("second").begin().start(PipelineStage.DETECT_TRACK))
    return root.path


@pytest.mark.parametrize(
    "arguments",
    [
        ["runs", "tail"],
        ["runs", "tail", "--json"],
        ["runs", "list", "--stage", "detect", "--status", "running"],
        ["runs", "stats", "--since", "2d"],
        ["runs", "show", "first"],
        ["runs", "show", "first", "--html"],
        ["status", "rhobh-s05e14"],
        ["episodes", "list"],
    ],
    ids=" ".join,
)
def test_reading_the_ledger_imports_no_pipeline(arguments: list[str], data_root: Path) -> None:
    # `--html` writes its page there.
    place = [str(data_root)] if "--html" in arguments else []
    modules = imported_by([*arguments, *place, "--data-root", str(data_root)])

    assert {name.split(".")[0] for name in modules} & {*HEAVY, "cv2", "av", "onnx"} == set()


def test_the_tail_imports_neither_settings_nor_stores_nor_what_draws(data_root: Path) -> None:
    modules = imported_by(["runs", "tail", "--data-root", str(data_root)])

    unwanted = {"config", "artifact_store", "codecs", "manifest", "runs", "vision", "ledger.state"}
    assert {f"screenalytics_core.{name}" for name in unwanted} & modules == set()
    assert modules & {"rich", "numpy"} == set()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["runs", "--help"]], ids=" ".join
)
def test_help_is_shown_without_heavy_imports(arguments: list[str]) -> None:
    modules = imported_by(arguments)

    assert {name.split(".")[0] for name in modules} & set(HEAVY) == set()
    assert "screenalytics_core.config" not in modules


@pytest.mark.parametrize(
    "module", ["errors", "episodes", "run_ids", "config", "stages", "schema", "layout"]
)
def test_the_ground_of_core_is_light(module: str) -> None:
    script = f"import sys, screenalytics_core.{module}; sys.stdout.write(' '.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()

    assert {name.split(".")[0] for name in loaded} & {*HEAVY, "cv2", "av"} == set()
