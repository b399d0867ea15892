"""The lite pack on the pictures of real people that ship inside insightface."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import insightface
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from screenalytics_core.vision.models.home import ModelsHome
from screenalytics_core.vision.models.nanodet import free_size
from screenalytics_core.vision.models.onnx_session import open_session
from screenalytics_core.vision.models.protocols import (
    FaceBoxes,
    FaceDetector,
    FloatArray,
    Image,
    ModelPack,
)

pytestmark = pytest.mark.models

# x, y of the six faces' middles, read off the picture by eye.
FACES_XY = [(113, 330), (318, 210), (520, 340), (792, 412), (960, 130), (1180, 337)]
ARCFACE_XY = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655],
     [70.7299, 92.2041]],
    np.float32,
)  # fmt: skip


@pytest.fixture(scope="module")
def six_actors() -> Image:
    path = Path(insightface.__file__).parent / "data" / "images" / "t1.jpg"
    return np.asarray(cv2.imread(str(path)), np.uint8)


@pytest.fixture(scope="module")
def detector(lite_pack: ModelPack) -> FaceDetector:
    return lite_pack.face_detector(
        max_side_px=640, min_confidence=lite_pack.info.calibration.det_thresh
    )


def crops_of(image: Image, faces: FaceBoxes) -> Image:
    assert faces.landmarks_xy is not None
    crops = []
    for points in faces.landmarks_xy.reshape(-1, 5, 2):
        matrix, _ = cv2.estimateAffinePartial2D(points, ARCFACE_XY, method=cv2.LMEDS)
        crops.append(cv2.warpAffine(image, matrix, (112, 112)))
    return np.asarray(crops, np.uint8)


def by_position(faces: FaceBoxes) -> FaceBoxes:
    order = np.argsort(faces.bboxes_xyxy[:, 0], kind="stable")
    assert faces.landmarks_xy is not None
    return FaceBoxes(faces.bboxes_xyxy[order], faces.confidences[order], faces.landmarks_xy[order])


def unit(vectors: FloatArray) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def test_all_six_faces_are_found_and_nothing_else(
    detector: FaceDetector, six_actors: Image
) -> None:
    faces = by_position(detector.detect(six_actors))

    assert len(faces.bboxes_xyxy) == 6
    for (x, y), (x1, y1, x2, y2) in zip(FACES_XY, faces.bboxes_xyxy, strict=True):
        assert x1 < x < x2
        assert y1 < y < y2


def test_landmarks_are_left_eye_right_eye_nose_left_mouth_right_mouth(
    detector: FaceDetector, six_actors: Image
) -> None:
    points = detector.detect(six_actors).landmarks_xy

    assert points is not None
    left_eye, right_eye, nose, left_mouth, right_mouth = points.reshape(-1, 5, 2).transpose(1, 0, 2)
    assert (left_eye[:, 0] < right_eye[:, 0]).all()
    assert (left_mouth[:, 0] < right_mouth[:, 0]).all()
    assert (np.maximum(left_eye[:, 1], right_eye[:, 1]) < nose[:, 1]).all()
    assert (nose[:, 1] < np.minimum(left_mouth[:, 1], right_mouth[:, 1])).all()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda i: np.ascontiguousarray(i[:, ::-1]), id="flipped"),
        pytest.param(lambda i: cv2.resize(i, None, fx=0.6, fy=0.6), id="smaller"),
        pytest.param(lambda i: cv2.resize(i, None, fx=1.7, fy=1.7), id="larger"),
    ],
)
def test_a_person_is_most_like_himself_in_the_same_picture_flipped_or_scaled(
    lite_pack: ModelPack, detector: FaceDetector, six_actors: Image, change: object
) -> None:
    assert callable(change)
    embedder = lite_pack.face_embedder()
    changed = change(six_actors)
    original = by_position(detector.detect(six_actors))
    other = by_position(detector.detect(changed))
    flipped = changed.shape == six_actors.shape

    similar = (
        unit(embedder.embed(crops_of(six_actors, original)))
        @ unit(embedder.embed(crops_of(changed, other))).T
    )

    expected = np.arange(6)[::-1] if flipped else np.arange(6)
    assert similar.argmax(axis=1).tolist() == expected.tolist()
    own = similar[np.arange(6), expected]
    others = np.where(np.arange(6) == expected[:, None], -1, similar)
    assert own.min() > max(lite_pack.info.calibration.cluster_thresh, others.max())


def test_a_batch_of_crops_gives_the_vectors_of_single_crops(
    lite_pack: ModelPack, detector: FaceDetector, six_actors: Image
) -> None:
    embedder = lite_pack.face_embedder()
    crops = crops_of(six_actors, detector.detect(six_actors))

    batch = embedder.embed(crops)

    singles = np.concatenate([embedder.embed(crop[None]) for crop in crops])
    np.testing.assert_allclose(batch, singles, rtol=1e-4, atol=1e-4)
    # Not normalised: the norm is a signal of quality.
    assert np.linalg.norm(batch, axis=1).std() > 0.1


def test_eight_threads_find_the_bytes_that_one_finds(
    lite_pack: ModelPack, detector: FaceDetector, six_actors: Image
) -> None:
    embedder = lite_pack.face_embedder()

    def whole(_: int) -> bytes:
        faces = detector.detect(six_actors)
        return faces.bboxes_xyxy.tobytes() + embedder.embed(crops_of(six_actors, faces)).tobytes()

    serial = whole(0)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(whole, range(8))) == {serial}


def test_all_six_persons_are_found(lite_pack: ModelPack, six_actors: Image) -> None:
    persons = lite_pack.person_detector(min_confidence=0.5)

    assert persons is not None
    boxes = persons.detect(six_actors).bboxes_xyxy
    assert len(boxes) == 6
    for x, y in FACES_XY:
        assert any(x1 < x < x2 and y1 - 30 < y < y2 for x1, y1, x2, y2 in boxes)


def test_a_rectangle_finds_the_persons_that_a_square_with_a_black_rest_finds(
    lite_pack: ModelPack, six_actors: Image
) -> None:
    persons = lite_pack.person_detector(min_confidence=0.5)
    assert persons is not None
    height, width = six_actors.shape[:2]
    padded = np.zeros((width, width, 3), np.uint8)
    padded[:height] = six_actors

    rectangle, square = persons.detect(six_actors), persons.detect(padded)

    nearest = [
        int(np.abs(square.bboxes_xyxy - box).sum(axis=1).argmin()) for box in rectangle.bboxes_xyxy
    ]
    assert sorted(nearest) == list(range(6))
    # The rest below the picture reaches into the last cells: a few pixels of 1280.
    np.testing.assert_allclose(rectangle.bboxes_xyxy, square.bboxes_xyxy[nearest], atol=13)
    np.testing.assert_allclose(rectangle.confidences, square.confidences[nearest], atol=0.05)


def test_freeing_the_size_of_the_real_person_detector_changes_no_output_of_a_square(
    lite_home: ModelsHome, lite_pack: ModelPack
) -> None:
    path = lite_home.own("lite") / "nanodet.onnx"
    blob = np.random.default_rng(0).normal(size=(1, 3, 416, 416)).astype(np.float32)
    graphs = [onnx.load(path), free_size(onnx.load(path))]

    fixed, freed = (open_session(g, device="cpu", thing="x").run(blob) for g in graphs)

    for before, after in zip(fixed, freed, strict=True):
        np.testing.assert_allclose(after, before, atol=1e-5)


def test_faster_prelus_give_the_vectors_of_the_file_as_it_is(
    lite_home: ModelsHome, lite_pack: ModelPack, detector: FaceDetector, six_actors: Image
) -> None:
    crops = crops_of(six_actors, detector.detect(six_actors))
    plain = open_session(
        (lite_home.own("lite") / "fr_feature.onnx").read_bytes(), device="cpu", thing="x"
    )
    blob = (crops[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32) - 127.5) / 127.5

    vectors = lite_pack.face_embedder().embed(crops)

    expected = plain.run(blob)[0]
    np.testing.assert_allclose(vectors, expected, atol=1e-4 * np.abs(expected).max())


def test_the_installed_pack_is_the_measured_one(lite_pack: ModelPack) -> None:
    from screenalytics_core.vision.models.packs import _MEASURED_EMBEDDERS

    assert lite_pack.info.sha256s()["face_embedder"] in _MEASURED_EMBEDDERS
