"""`screenalytics models`: data on stdout, talk on stderr, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from screenalytics_assets.cli.models import app
from screenalytics_core.errors import ModelError
from screenalytics_core.vision.models import insightface_pack, lite_install, person_pack
from screenalytics_core.vision.models.home import ModelsHome
from tests.unit.vision.models import tiny_models
from tests.unit.vision.models.fake_packages import FakeRegistry
from tests.unit.vision.models.test_insightface_pack import put
from tests.unit.vision.models.tiny_person_pack import put_person_pack


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelsHome:
    monkeypatch.setenv("SCREENALYTICS_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("INSIGHTFACE_HOME", str(tmp_path / "insightface"))
    registry = FakeRegistry()
    real = lite_install.install_lite
    monkeypatch.setattr(
        lite_install,
        "install_lite",
        lambda models_dir, progress: real(
            models_dir, progress, recipe=registry.recipe, fetch=registry.fetch
        ),
    )
    return ModelsHome(tmp_path / "models", tmp_path / "insightface")


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_list_prints_every_pack_with_its_licence(home: ModelsHome) -> None:
    table = invoke("list")
    rows = json.loads(invoke("list", "--json").stdout)

    assert table.exit_code == 0
    assert "buffalo_l (recommended)" in table.stdout
    assert [row["name"] for row in rows][-3:] == ["lite", "cheetah_l", "cheetah_s"]
    assert not any(row["installed"] for row in rows)


def test_install_lite_talks_on_stderr_and_prints_the_pack(home: ModelsHome) -> None:
    done = invoke("install", "lite", "--json")

    assert done.exit_code == 0
    assert "fetching npm detector@1.0.0 (1 of 2)" in done.stderr
    shown = json.loads(done.stdout)
    assert shown["pack"] == "lite"
    assert shown["calibration"]["det_thresh"] == 0.9
    rows = json.loads(invoke("list", "--json").stdout)
    assert [row["name"] for row in rows if row["installed"]] == ["lite"]


def test_install_of_an_insightface_pack_says_what_its_licence_means(
    home: ModelsHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(name: str, home: ModelsHome) -> Path:
        return put(home.insightface(name), d=tiny_models.scrfd(), e=tiny_models.arcface())

    monkeypatch.setattr(insightface_pack, "install_insightface_pack", install)

    done = invoke("install", "buffalo_s")

    assert done.exit_code == 0
    assert "non-commercial research only" in done.stderr
    assert "face_embedder" in done.stdout


def test_install_of_a_person_pack_says_what_its_licence_means_and_where_it_stands(
    home: ModelsHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        person_pack,
        "install_person_pack",
        lambda name, home: put_person_pack(home.insightface(name)),
    )

    done = invoke("install", "cheetah_s", "--json")

    assert done.exit_code == 0
    assert "non-commercial research only" in done.stderr
    files = json.loads(done.stdout)["files"]
    assert [f["role"] for f in files] == ["person_detector", "person_embedder"]
    assert "see cheetah_s/MODEL.LICENSE" in files[0]["licence"]


def test_show_names_the_person_models_that_would_run(home: ModelsHome) -> None:
    put(home.insightface("buffalo_s"), d=tiny_models.scrfd(), e=tiny_models.arcface())
    without = invoke("show", "buffalo_s")
    put_person_pack(home.insightface("cheetah_s"))

    shown = json.loads(invoke("show", "auto", "--json").stdout)
    table = invoke("show", "auto")

    assert "no person detector" in without.stderr
    assert shown["appearance"] == "reid"
    assert {f["role"]: f["name"] for f in shown["files"]} == {
        "face_detector": "d.onnx",
        "face_embedder": "e.onnx",
        "person_detector": "persons.onnx",
        "person_embedder": "reid.onnx",
    }
    assert "insightface cheetah_s" in " ".join(table.stdout.split())
    assert "told apart by reid" in table.stderr


def test_show_of_a_person_pack_names_its_files(home: ModelsHome) -> None:
    put_person_pack(home.insightface("cheetah_l"))

    shown = invoke("show", "cheetah_l")

    assert shown.exit_code == 0
    assert "persons.onnx" in shown.stdout
    missing = invoke("show", "cheetah_s")
    assert isinstance(missing.exception, ModelError)
    assert "models install cheetah_s" in str(missing.exception)


def test_an_unknown_pack_is_wrong_usage(home: ModelsHome) -> None:
    done = invoke("install", "buffalo_xl")

    assert done.exit_code == 2
    assert "lite, buffalo_l" in done.stderr.replace("\n", " ").replace("│", "")


def test_show_of_a_missing_pack_fails_and_installs_nothing(home: ModelsHome) -> None:
    done = invoke("show", "lite", "--json")

    assert isinstance(done.exception, ModelError)
    assert done.stdout == ""
    assert not home.own("lite").exists()


def test_help_has_an_example_and_imports_nothing_heavy() -> None:
    assert "Example: screenalytics models install lite" in invoke("install", "--help").stdout
    code = (
        "import sys, screenalytics_assets.cli.models\n"
        "heavy = {'onnx', 'onnxruntime', 'cv2', 'numpy', 'insightface', 'dagster'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
