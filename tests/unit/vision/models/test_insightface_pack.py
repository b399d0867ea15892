"""Folders of ONNX files: roles come from shapes, and every doubt is an error that names files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import onnx
import pytest
import requests
from insightface.utils import storage

from screenalytics_core.errors import ModelError, ModelInstallError
from screenalytics_core.vision.models.home import ModelsHome
from screenalytics_core.vision.models.insightface_pack import (
    install_insightface_pack,
    scan_folder,
)
from tests.unit.vision.models import tiny_models


def put(folder: Path, **models: onnx.ModelProto | bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, model in models.items():
        data = model if isinstance(model, bytes) else model.SerializeToString()
        (folder / f"{name}.onnx").write_bytes(data)
    return folder


def roles(folder: Path) -> dict[str, str]:
    entries = scan_folder(folder, licence="L", source="S")
    assert {(e.licence, e.source) for e in entries} == {("L", "S")}
    return {e.role: e.name for e in entries}


def test_files_are_chosen_by_their_shapes_and_the_rest_left_alone(tmp_path: Path) -> None:
    put(
        tmp_path,
        a_points=tiny_models.arcface(out=212, side=192),
        b_detector=tiny_models.scrfd(size=("h", "w")),
        c_age=tiny_models.arcface(out=3, side=96),
        d_embedder=tiny_models.arcface(batch="n"),
    )

    assert roles(tmp_path) == {
        "face_detector": "b_detector.onnx",
        "face_embedder": "d_embedder.onnx",
    }


def test_a_person_detector_in_the_folder_is_not_taken_for_a_face_detector(tmp_path: Path) -> None:
    put(
        tmp_path,
        nanodet=tiny_models.nanodet(),
        scrfd=tiny_models.scrfd(),
        w600k=tiny_models.arcface(),
    )

    assert roles(tmp_path) == {
        "face_detector": "scrfd.onnx",
        "face_embedder": "w600k.onnx",
        "person_detector": "nanodet.onnx",
    }


def test_two_files_for_one_role_are_both_named(tmp_path: Path) -> None:
    put(tmp_path, a=tiny_models.scrfd(), b=tiny_models.scrfd(), e=tiny_models.arcface())

    with pytest.raises(ModelError, match=r"2 files for the role face_detector: a\.onnx, b\.onnx"):
        scan_folder(tmp_path, licence="", source="")


@pytest.mark.parametrize(
    ("models", "missing"),
    [
        ({}, r"no face_detector and no face_embedder \(found: no \.onnx file\)"),
        ({"det": tiny_models.scrfd()}, r"no face_embedder \(found: det\.onnx\)"),
        ({"rec": tiny_models.arcface()}, r"no face_detector \(found: rec\.onnx\)"),
    ],
)
def test_a_missing_role_is_named_with_what_was_found(
    tmp_path: Path, models: dict[str, onnx.ModelProto], missing: str
) -> None:
    put(tmp_path, **models)

    with pytest.raises(ModelError, match=missing):
        scan_folder(tmp_path, licence="", source="")


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    put(tmp_path, det=tiny_models.scrfd(), broken=b"<html>")

    with pytest.raises(ModelError, match=r"broken\.onnx: is not an ONNX model"):
        scan_folder(tmp_path, licence="", source="")


@pytest.fixture
def home(tmp_path: Path) -> ModelsHome:
    return ModelsHome(tmp_path / "models", tmp_path / "insightface")


def serve(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *, inside: str = "", raises: object = None
) -> list[str]:
    """Replace insightface's download of an archive; keep the rest of its code."""
    asked: list[str] = []

    def download_file(url: str, path: str, overwrite: bool) -> None:
        asked.append(url)
        if isinstance(raises, BaseException):
            raise raises
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(folder.glob("*.onnx")):
                archive.write(file, f"{inside}{file.name}")

    monkeypatch.setattr(storage, "download_file", download_file)
    return asked


@pytest.mark.parametrize("inside", ["", "buffalo_sc/"])
def test_a_named_pack_is_downloaded_by_insightface_into_its_own_place(
    tmp_path: Path,
    home: ModelsHome,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    inside: str,
) -> None:
    files = put(tmp_path / "src", det=tiny_models.scrfd(), rec=tiny_models.arcface())
    asked = serve(monkeypatch, files, inside=inside)

    folder = install_insightface_pack("buffalo_sc", home)

    assert folder == home.insightface_root / "models" / "buffalo_sc"
    assert sorted(p.name for p in folder.iterdir()) == ["det.onnx", "rec.onnx"]
    assert [url.rsplit("/", 1)[1] for url in asked] == ["buffalo_sc.zip"]
    assert sorted(p.name for p in folder.parent.iterdir()) == ["buffalo_sc"]
    assert capsys.readouterr().out == ""


def test_a_pack_that_is_there_is_not_downloaded(
    tmp_path: Path, home: ModelsHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(home.insightface("buffalo_s"), det=tiny_models.scrfd())
    asked = serve(monkeypatch, tmp_path)

    install_insightface_pack("buffalo_s", home)

    assert asked == []


@pytest.mark.parametrize(
    "raises",
    [
        pytest.param(requests.exceptions.ConnectionError("no route"), id="offline"),
        pytest.param(RuntimeError("Failed downloading url"), id="gone"),
        pytest.param(zipfile.BadZipFile("File is not a zip file"), id="no archive"),
        pytest.param(OSError(28, "No space left on device"), id="disk full"),
    ],
)
def test_a_failed_download_is_one_clear_error_and_leaves_no_folder(
    tmp_path: Path, home: ModelsHome, monkeypatch: pytest.MonkeyPatch, raises: BaseException
) -> None:
    serve(monkeypatch, tmp_path, raises=raises)

    with pytest.raises(ModelInstallError) as raised:
        install_insightface_pack("buffalo_l", home)

    assert "insightface pack buffalo_l: could not be downloaded" in str(raised.value)
    assert "models install lite" in str(raised.value)
    assert list((home.insightface_root / "models").iterdir()) == []


def test_the_empty_folder_of_an_earlier_failure_does_not_stand_in_the_way(
    tmp_path: Path, home: ModelsHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.insightface("buffalo_l").mkdir(parents=True)
    files = put(tmp_path / "src", det=tiny_models.scrfd(), rec=tiny_models.arcface())
    serve(monkeypatch, files)

    assert any(install_insightface_pack("buffalo_l", home).glob("*.onnx"))


def test_an_archive_without_face_models_is_not_installed(
    tmp_path: Path, home: ModelsHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(monkeypatch, put(tmp_path / "src", det=tiny_models.scrfd()))

    with pytest.raises(ModelError, match="no face_embedder"):
        install_insightface_pack("buffalo_l", home)

    assert not home.insightface("buffalo_l").exists()


def test_an_unknown_name_is_refused_with_the_known_ones(home: ModelsHome) -> None:
    with pytest.raises(ModelInstallError, match="buffalo_l, buffalo_m, buffalo_s, buffalo_sc"):
        install_insightface_pack("buffalo_xl", home)
