"""insightface's person packs: opened, run and installed by its library, with our errors."""

from __future__ import annotations

import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
from insightface.model_zoo import person_package

from screenalytics_core.errors import ModelError, ModelInstallError
from screenalytics_core.vision.models.home import ModelsHome
from screenalytics_core.vision.models.onnx_session import sha256_of
from screenalytics_core.vision.models.person_pack import (
    InsightfacePersons,
    install_person_pack,
    is_person_pack_installed,
)
from screenalytics_core.vision.models.protocols import Image
from tests.unit.vision.models import tiny_person_pack
from tests.unit.vision.models.tiny_person_pack import put_person_pack


@pytest.fixture
def home(tmp_path: Path) -> ModelsHome:
    return ModelsHome(tmp_path / "models", tmp_path / "insightface")


@pytest.fixture
def persons(home: ModelsHome) -> InsightfacePersons:
    put_person_pack(home.insightface("cheetah_s"))
    return InsightfacePersons("cheetah_s", home)


def picture(*bright_cells: tuple[int, int], scale: int = 2) -> Image:
    """A dark picture with bright cells at these (row, column) of the detector's grid."""
    rows, columns = (side // 32 for side in tiny_person_pack.INPUT_HW)
    image = np.zeros((rows * 32 * scale, columns * 32 * scale, 3), np.uint8)
    for row, column in bright_cells:
        image[row * 32 * scale :, column * 32 * scale :][: 32 * scale, : 32 * scale] = 255
    return image


def test_persons_are_found_in_pixels_of_the_picture_given(persons: InsightfacePersons) -> None:
    found = persons.detector(min_confidence=0.5).detect(picture((1, 4)))

    assert found.bboxes_xyxy.tolist() == [[256, 64, 320, 128]]
    assert found.bboxes_xyxy.dtype == found.confidences.dtype == np.float32
    assert found.confidences[0] > 0.9


def test_the_best_person_comes_first_and_the_weak_ones_stay_away(
    persons: InsightfacePersons,
) -> None:
    image = picture((0, 0), (3, 5))
    image[:64, :64] = 212  # still a person, but less surely so

    both = persons.detector(min_confidence=0.5).detect(image)
    sure = persons.detector(min_confidence=0.9).detect(image)

    assert both.bboxes_xyxy[:, 0].tolist() == [320, 0]
    assert sure.bboxes_xyxy[:, 0].tolist() == [320]


def test_nobody_is_an_empty_result(persons: InsightfacePersons) -> None:
    found = persons.detector(min_confidence=0.5).detect(picture())

    assert found.bboxes_xyxy.shape == (0, 4)
    assert found.confidences.shape == (0,)


def test_bodies_become_vectors_of_length_one(persons: InsightfacePersons) -> None:
    image = np.random.default_rng(0).integers(0, 256, (100, 80, 3), np.uint8)
    boxes = np.array(
        [[0, 0, 40, 90], [-20, -10, 30, 200], [79.5, 99.5, 90, 120], [40, 40, 40, 40]], np.float32
    )
    embedder = persons.embedder()

    vectors = embedder.embed(image, boxes)

    assert embedder.appearance == "reid"
    assert vectors.shape == (4, 256)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    assert embedder.embed(image, boxes[:0]).shape == (0, 256)


def test_a_vector_is_of_its_own_box(persons: InsightfacePersons) -> None:
    image = np.random.default_rng(0).integers(0, 256, (100, 80, 3), np.uint8)
    box = np.array([[10, 20, 50, 90]], np.float32)
    elsewhere = image.copy()
    elsewhere[:20] = elsewhere[:, 50:] = 0

    embed = persons.embedder().embed

    assert embed(image, box).tobytes() == embed(elsewhere, box).tobytes()
    assert embed(image, box).tobytes() != embed(image, box - 10).tobytes()


def test_threads_share_the_models_without_changing_a_byte(persons: InsightfacePersons) -> None:
    detector, embedder = persons.detector(min_confidence=0.5), persons.embedder()
    image = picture((1, 4), (2, 1))

    def whole(_: int) -> bytes:
        found = detector.detect(image)
        return found.bboxes_xyxy.tobytes() + embedder.embed(image, found.bboxes_xyxy).tobytes()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(whole, range(16))) == {whole(0)}


def test_a_session_runs_on_the_calling_thread_alone(persons: InsightfacePersons) -> None:
    for model in (persons.detector(min_confidence=0.5), persons.embedder()):
        options = model._model.session.get_session_options()
        assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


def test_the_files_are_named_with_hash_licence_and_pack(
    home: ModelsHome, persons: InsightfacePersons
) -> None:
    detector, embedder = persons.files

    assert (detector.role, detector.name) == ("person_detector", "persons.onnx")
    assert (embedder.role, embedder.name) == ("person_embedder", "reid.onnx")
    data = (home.insightface("cheetah_s") / "reid.onnx").read_bytes()
    assert embedder.sha256 == sha256_of(data)
    assert {f.source for f in persons.files} == {"insightface cheetah_s"}
    assert "non-commercial research only, see cheetah_s/MODEL.LICENSE" in detector.licence
    assert str(home.insightface_root) not in str(persons.files)


def tear_the_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text("{")


def take_a_file_away(folder: Path) -> None:
    (folder / "reid.onnx").unlink()


def change_a_file(folder: Path) -> None:
    (folder / "persons.onnx").write_bytes(b"torn")


@pytest.mark.parametrize("harm", [tear_the_manifest, take_a_file_away, change_a_file])
def test_a_broken_pack_is_one_error_that_names_its_folder(home: ModelsHome, harm: object) -> None:
    folder = put_person_pack(home.insightface("cheetah_l"))
    assert callable(harm)
    harm(folder)

    with pytest.raises(ModelError, match=r"cheetah_l: cannot be used \(.+\)\. Delete the folder"):
        InsightfacePersons("cheetah_l", home)


def test_a_file_replaced_after_it_was_found_is_not_opened(
    home: ModelsHome, persons: InsightfacePersons
) -> None:
    (home.insightface("cheetah_s") / "reid.onnx").write_bytes(b"another")

    with pytest.raises(ModelError, match=r"cannot be used \(SHA-256 mismatch"):
        persons.embedder()


def test_a_network_with_another_contract_is_refused(home: ModelsHome) -> None:
    graph = tiny_person_pack.detector(outputs=("boxes", "scores"))
    put_person_pack(home.insightface("cheetah_s"), persons=graph)

    with pytest.raises(ModelError, match="person detector node names do not match"):
        InsightfacePersons("cheetah_s", home).detector(min_confidence=0.5)


def test_a_file_that_is_no_network_is_refused_when_it_is_opened(home: ModelsHome) -> None:
    folder = put_person_pack(home.insightface("cheetah_s"))
    manifest = (folder / "manifest.json").read_text()
    old = sha256_of((folder / "persons.onnx").read_bytes())
    (folder / "persons.onnx").write_bytes(b"<html>not found</html>")
    new = sha256_of(b"<html>not found</html>")
    (folder / "manifest.json").write_text(manifest.replace(old, new))

    with pytest.raises(ModelError, match="cannot be used"):
        InsightfacePersons("cheetah_s", home).detector(min_confidence=0.5)


def test_a_device_that_insightface_does_not_run_on_is_refused(home: ModelsHome) -> None:
    put_person_pack(home.insightface("cheetah_s"))

    with pytest.raises(ModelError, match="CPUExecutionProvider and CUDAExecutionProvider"):
        InsightfacePersons("cheetah_s", home, device="coreml").detector(min_confidence=0.5)


def test_a_body_that_the_network_cannot_tell_is_our_error(persons: InsightfacePersons) -> None:
    with pytest.raises(ModelError, match="zero or invalid"):
        persons.embedder().embed(picture(), np.array([[0, 0, 9, 9]], np.float32))


def serve(monkeypatch: pytest.MonkeyPatch, folder: Path | None) -> list[str]:
    """Replace insightface's download of the archive; None is no network."""
    asked: list[str] = []

    def download(url: str, destination: Path) -> None:
        asked.append(url)
        if folder is None:
            raise URLError("Name or service not known")
        with zipfile.ZipFile(destination, "w") as archive:
            for file in sorted(folder.iterdir()):
                archive.write(file, f"{folder.name}/{file.name}")

    monkeypatch.setattr(person_package, "_download_person_archive", download)
    return asked


def test_a_pack_is_installed_by_insightface_into_its_own_place(
    tmp_path: Path, home: ModelsHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = serve(monkeypatch, put_person_pack(tmp_path / "cheetah_s"))
    # What another failed download may have left behind.
    home.insightface("cheetah_s").mkdir(parents=True)

    folder = install_person_pack("cheetah_s", home)

    assert folder == home.insightface("cheetah_s")
    assert [url.rsplit("/", 1)[1] for url in asked] == ["cheetah_s.zip"]
    assert [p.name for p in folder.parent.iterdir()] == ["cheetah_s"]
    assert len(InsightfacePersons("cheetah_s", home).files) == 2


def test_a_pack_that_is_there_is_not_downloaded(
    home: ModelsHome, persons: InsightfacePersons, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = serve(monkeypatch, None)

    install_person_pack("cheetah_s", home)

    assert asked == []


def test_offline_an_install_is_one_clear_error_and_leaves_no_folder(
    home: ModelsHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(monkeypatch, None)

    with pytest.raises(ModelInstallError) as raised:
        install_person_pack("cheetah_l", home)

    assert "insightface pack cheetah_l: could not be installed" in str(raised.value)
    assert "Name or service not known" in str(raised.value)
    assert "models install lite" in str(raised.value)
    assert list((home.insightface_root / "models").iterdir()) == []
    assert not is_person_pack_installed("cheetah_l", home)


def test_an_archive_without_a_licence_is_not_installed(
    tmp_path: Path, home: ModelsHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = put_person_pack(tmp_path / "cheetah_s")
    (source / "MODEL.LICENSE").unlink()
    serve(monkeypatch, source)

    with pytest.raises(ModelInstallError, match=r"missing MODEL\.LICENSE"):
        install_person_pack("cheetah_s", home)
    assert not home.insightface("cheetah_s").exists()


def test_an_unknown_name_is_refused_with_the_known_ones(home: ModelsHome) -> None:
    with pytest.raises(ModelInstallError, match="cheetah_l, cheetah_s"):
        install_person_pack("cheetah_xl", home)
