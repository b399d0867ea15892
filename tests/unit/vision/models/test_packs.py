"""Which pack a spec finds, and that a pack is refused rather than replaced by another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from screenalytics_core.errors import ModelError, ModelInstallError
from screenalytics_core.vision.models import file_memory, packs
from screenalytics_core.vision.models.home import ModelsHome
from screenalytics_core.vision.models.lite_install import install_lite
from screenalytics_core.vision.models.pack_file import PACK_FILE
from screenalytics_core.vision.models.packs import FoundPack, find_pack, list_packs
from screenalytics_core.vision.models.protocols import Calibration, ModelPack, PackInfo
from tests.unit.vision.models import tiny_models
from tests.unit.vision.models.fake_packages import FakeRegistry
from tests.unit.vision.models.test_insightface_pack import put
from tests.unit.vision.models.tiny_person_pack import put_person_pack


@pytest.fixture
def home(tmp_path: Path) -> ModelsHome:
    return ModelsHome(tmp_path / "models", tmp_path / "insightface")


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> FakeRegistry:
    """Installing lite fetches from here, never from a network."""
    registry = FakeRegistry()

    def install(models_dir: Path, progress: packs.Progress) -> PackInfo:
        return install_lite(models_dir, progress, recipe=registry.recipe, fetch=registry.fetch)

    monkeypatch.setattr(packs, "install_lite", install)
    return registry


def find(spec: str, home: ModelsHome, *, install: bool = False) -> ModelPack:
    return find_pack(
        spec, home, device="cpu", embed_device=None, install_missing=install, progress=[].append
    )


def put_buffalo(home: ModelsHome, name: str, seed: int = 0) -> Path:
    return put(home.insightface(name), det=tiny_models.scrfd(), rec=tiny_models.arcface(seed=seed))


def put_lite(home: ModelsHome, registry: FakeRegistry) -> Path:
    packs.install_lite(home.models_dir, [].append)
    registry.fetched.clear()
    return home.own("lite")


@pytest.mark.parametrize(
    ("installed", "found"),
    [
        (["lite", "buffalo_sc", "buffalo_s", "buffalo_m", "buffalo_l"], "buffalo_l"),
        (["lite", "buffalo_sc", "buffalo_s", "buffalo_m"], "buffalo_m"),
        (["lite", "buffalo_sc", "buffalo_s"], "buffalo_s"),
        (["lite", "buffalo_sc"], "buffalo_sc"),
        (["lite"], "lite"),
    ],
)
def test_auto_takes_the_best_buffalo_pack_that_is_there_else_lite(
    home: ModelsHome, registry: FakeRegistry, installed: list[str], found: str
) -> None:
    for name in installed:
        if name == "lite":
            put_lite(home, registry)
        else:
            put_buffalo(home, name)

    assert find("auto", home, install=True).info.name == found
    assert registry.fetched == []


def test_auto_installs_lite_when_nothing_is_there(home: ModelsHome, registry: FakeRegistry) -> None:
    # What insightface leaves behind when it fails offline is no pack.
    home.insightface("buffalo_l").mkdir(parents=True)

    assert find("auto", home, install=True).info.name == "lite"
    assert registry.fetched == ["detector", "embedder"]


def test_auto_without_a_pack_and_without_leave_to_install_is_one_clear_error(
    home: ModelsHome,
) -> None:
    with pytest.raises(ModelError, match=r"lite: is not installed.*models install lite"):
        find("auto", home)


def test_auto_says_why_lite_could_not_be_installed(
    home: ModelsHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(models_dir: Path, progress: packs.Progress) -> PackInfo:
        raise ModelInstallError(thing="npm x@1", reason="npm ended with 1", way_out="Connect.")

    monkeypatch.setattr(packs, "install_lite", offline)

    with pytest.raises(ModelInstallError, match="npm ended with 1"):
        find("auto", home, install=True)


def test_a_named_pack_is_never_replaced_by_another(
    home: ModelsHome, registry: FakeRegistry
) -> None:
    put_lite(home, registry)
    put_buffalo(home, "buffalo_s")

    with pytest.raises(ModelError, match=r"buffalo_l: is not installed.*install buffalo_l"):
        find("buffalo_l", home, install=True)
    assert registry.fetched == []


def test_a_broken_buffalo_pack_is_an_error_and_not_a_reason_to_take_lite(
    home: ModelsHome, registry: FakeRegistry
) -> None:
    put_lite(home, registry)
    (put_buffalo(home, "buffalo_l") / "rec.onnx").write_bytes(b"torn")

    with pytest.raises(ModelError, match=r"rec\.onnx: is not an ONNX model"):
        find("auto", home, install=True)


def test_a_directory_is_a_pack_named_after_it(home: ModelsHome, tmp_path: Path) -> None:
    folder = put(tmp_path / "my pack", det=tiny_models.scrfd(), rec=tiny_models.arcface())

    info = find(str(folder), home).info

    assert info.name == "my pack"
    assert [f.name for f in info.files] == ["det.onnx", "rec.onnx"]
    assert set(info.sha256s()) == {"face_detector", "face_embedder"}
    assert str(tmp_path) not in str(info.to_dict())


def test_a_copy_of_an_installed_pack_keeps_its_name_and_calibration(
    home: ModelsHome, registry: FakeRegistry, tmp_path: Path
) -> None:
    copied = put_lite(home, registry).rename(tmp_path / "copied")

    info = find(str(copied), home).info

    assert info.name == "lite"
    assert info.calibration == Calibration(0.9, 0.3, 0.35, 0.49, 0.1)


@pytest.mark.parametrize("spec", ["no-such-pack", ".hidden", "/no/such/folder", "models/../x"])
def test_a_spec_that_is_nothing_lists_what_there_is(home: ModelsHome, spec: str) -> None:
    with pytest.raises(ModelError, match=r"neither a known pack nor a directory\. Use auto, one"):
        find(spec, home)


def test_a_folder_above_the_home_is_not_reached_by_a_name(home: ModelsHome) -> None:
    put(home.models_dir.parent, det=tiny_models.scrfd(), rec=tiny_models.arcface())
    home.models_dir.mkdir()

    with pytest.raises(ModelError):
        find("..", home)


def test_an_unavailable_device_is_refused_before_anything_is_fetched(
    home: ModelsHome, registry: FakeRegistry
) -> None:
    for devices in ({"device": "coreml", "embed_device": None},
                    {"device": "cpu", "embed_device": "coreml"}):  # fmt: skip
        with pytest.raises(ModelError, match="device 'coreml'"):
            find_pack("auto", home, install_missing=True, progress=[].append, **devices)
    assert registry.fetched == []


def test_a_corrupted_file_of_an_installed_pack_names_file_hashes_and_way_out(
    home: ModelsHome, registry: FakeRegistry
) -> None:
    path = put_lite(home, registry) / "e.onnx"
    path.write_bytes(path.read_bytes() + b"\0")

    with pytest.raises(ModelError) as raised:
        find("lite", home)

    assert str(path) in str(raised.value)
    assert raised.value.expected_sha256 in str(raised.value)
    assert raised.value.found_sha256 in str(raised.value)
    assert "install it again" in str(raised.value)


def test_a_file_replaced_after_it_was_found_is_not_loaded(home: ModelsHome, tmp_path: Path) -> None:
    folder = put_buffalo(home, "buffalo_s")
    pack = find("buffalo_s", home)
    put(folder, rec=tiny_models.arcface(seed=1))

    with pytest.raises(ModelError, match=r"rec\.onnx: is corrupted or was replaced"):
        pack.face_embedder()


def test_a_pack_that_is_looked_for_again_is_not_hashed_again(
    home: ModelsHome, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_lite(home, registry)
    put_buffalo(home, "buffalo_s")
    monkeypatch.setattr(file_memory, "_SETTLED_NS", -(10**12))
    first = [find(name, home).info for name in ("lite", "buffalo_s")]
    read: list[str] = []
    really = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path.name) or really(path))

    again = [find(name, home).info for name in ("lite", "buffalo_s")]

    assert again == first
    assert [name for name in read if name.endswith(".onnx")] == []


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema_version": 99}'])
def test_an_unreadable_pack_file_is_an_error(
    home: ModelsHome, registry: FakeRegistry, text: str
) -> None:
    (put_lite(home, registry) / PACK_FILE).write_text(text)

    with pytest.raises(ModelError, match=r"pack\.json: cannot be read"):
        find("lite", home)


def test_a_found_pack_opens_its_models(home: ModelsHome, tmp_path: Path) -> None:
    put(put_buffalo(home, "buffalo_s"), nanodet=tiny_models.nanodet())
    pack = find("buffalo_s", home)
    image = np.zeros((96, 160, 3), np.uint8)

    detector = pack.face_detector(max_side_px=160, min_confidence=0.5)
    persons = pack.person_detector(min_confidence=0.5)

    assert len(detector.detect(image).confidences) == 0
    assert pack.face_embedder().embed(np.zeros((2, 112, 112, 3), np.uint8)).shape == (2, 512)
    assert persons is not None
    assert len(persons.detect(image).confidences) == 0


def test_a_lite_pack_opens_its_cascade_and_has_persons_only_if_it_has_the_file(
    home: ModelsHome, registry: FakeRegistry
) -> None:
    put_lite(home, registry)
    pack = find("lite", home)

    faces = pack.face_detector(max_side_px=160, min_confidence=0.5).detect(
        np.zeros((96, 160, 3), np.uint8)
    )

    assert isinstance(pack, FoundPack)
    assert len(faces.confidences) == 0
    assert pack.person_detector(min_confidence=0.5) is None


def test_thresholds_follow_the_embedder_where_it_was_measured(
    home: ModelsHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = put(tmp_path / "d", det=tiny_models.scrfd(), rec=tiny_models.arcface())
    unknown = find(str(folder), home).info

    known = {unknown.sha256s()["face_embedder"]: (0.2, 0.1, 0.3, 0.05)}
    monkeypatch.setattr(packs, "_MEASURED_EMBEDDERS", known)

    assert unknown.calibration == Calibration(0.5, 0.32, 0.35, 0.52, 0.11)
    assert find(str(folder), home).info.calibration == Calibration(0.5, 0.2, 0.1, 0.3, 0.05)


def test_an_older_install_gets_the_thresholds_that_fit_this_version(
    home: ModelsHome, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it wrote down was measured on the scale of the code of its day."""
    put_lite(home, registry)
    written = find("lite", home).info

    measured = {written.sha256s()["face_embedder"]: (0.2, 0.1, 0.3, 0.05)}
    monkeypatch.setattr(packs, "_MEASURED_EMBEDDERS", measured)

    assert written.calibration == Calibration(0.9, 0.3, 0.35, 0.49, 0.1)
    assert find("lite", home).info.calibration == Calibration(0.9, 0.2, 0.1, 0.3, 0.05)


def test_the_list_shows_what_is_installed_with_licence_and_caveat(
    home: ModelsHome, registry: FakeRegistry
) -> None:
    put_buffalo(home, "buffalo_s")
    put_person_pack(home.insightface("cheetah_s"))

    rows = {row.name: row.to_dict() for row in list_packs(home)}

    assert list(rows)[:5] == ["buffalo_l", "buffalo_m", "buffalo_s", "buffalo_sc", "lite"]
    assert list(rows)[5:] == ["cheetah_l", "cheetah_s"]
    assert [name for name, row in rows.items() if row["installed"]] == ["buffalo_s", "cheetah_s"]
    assert [name for name, row in rows.items() if row["recommended"]] == ["buffalo_l"]
    assert "non-commercial" in rows["buffalo_l"]["licence"]
    assert rows["lite"]["licence"] == "MIT"
    assert "do not state what data" in rows["lite"]["caveats"][0]
    assert "person_detector" in rows["lite"]["roles"]
    assert rows["cheetah_l"]["roles"] == ["person_detector", "person_embedder"]
    assert "non-commercial" in rows["cheetah_l"]["licence"]
    assert "every run" in rows["cheetah_l"]["caveats"][1]
