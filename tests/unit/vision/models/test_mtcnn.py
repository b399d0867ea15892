"""MTCNN's cascade, on stages that call a bright square a face; and its one-file form."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest

from screenalytics_core.errors import ModelError
from screenalytics_core.vision.models.mtcnn import (
    MIN_FACE_PX,
    MtcnnDetector,
    cut_crops,
    pyramid_scales,
    shift,
    square,
)
from screenalytics_core.vision.models.mtcnn_file import is_mtcnn, merge_stages, open_mtcnn
from screenalytics_core.vision.models.protocols import Image
from tests.unit.vision.models import tiny_models


def merged() -> onnx.ModelProto:
    return onnx.load_model_from_string(merge_stages(tiny_models.mtcnn_stages()))


@pytest.fixture(scope="module")
def detector() -> MtcnnDetector:
    stages = open_mtcnn(merged(), device="cpu", thing="model file m.onnx")
    return MtcnnDetector(stages, max_side_px=320, min_confidence=0.5)


# A bright square fills many windows of the larger sizes; one of the smallest size fills one.
def picture(height: int, width: int, x: int, y: int, side: int) -> Image:
    image = np.zeros((height, width, 3), np.uint8)
    image[y : y + side, x : x + side] = 255
    return image


@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize(("x", "y"), [(40, 90), (200, 20)])
def test_a_face_is_found_where_it_is_whatever_the_pictures_size(
    detector: MtcnnDetector, x: int, y: int, scale: float
) -> None:
    height, width, left, top, side = (round(v * scale) for v in (180, 320, x, y, 26))

    faces = detector.detect(picture(height, width, left, top, side))

    assert len(faces.bboxes_xyxy) == 1
    expected = np.array([left, top, left + side, top + side])
    assert np.abs(faces.bboxes_xyxy[0] - expected).max() < side / 3
    assert faces.confidences[0] > 0.5


def test_landmarks_stand_in_the_box_as_x_then_y(detector: MtcnnDetector) -> None:
    faces = detector.detect(picture(180, 320, 200, 60, 26))

    assert faces.landmarks_xy is not None
    x1, y1, x2, y2 = faces.bboxes_xyxy[0]
    points = faces.landmarks_xy[0].reshape(5, 2)
    xs, ys = np.array(tiny_models.POINTS[:5]), np.array(tiny_models.POINTS[5:])
    np.testing.assert_allclose(points[:, 0], x1 + xs * (x2 - x1), atol=0.1)
    np.testing.assert_allclose(points[:, 1], y1 + ys * (y2 - y1), atol=0.1)


def test_a_picture_without_a_face_gives_empty_arrays(detector: MtcnnDetector) -> None:
    faces = detector.detect(np.zeros((180, 320, 3), np.uint8))

    assert faces.bboxes_xyxy.shape == (0, 4)
    assert faces.landmarks_xy is not None
    assert faces.landmarks_xy.shape == (0, 10)


def test_a_picture_flatter_than_a_face_gives_nothing(detector: MtcnnDetector) -> None:
    assert len(detector.detect(np.full((4, 320, 3), 255, np.uint8)).bboxes_xyxy) == 0


def test_faces_below_the_minimum_confidence_are_left_out() -> None:
    stages = open_mtcnn(merged(), device="cpu", thing="x")
    image = picture(180, 320, 200, 60, 26)
    low = MtcnnDetector(stages, max_side_px=320, min_confidence=0.1).detect(image)

    above = float(low.confidences.max()) + 1e-4
    none = MtcnnDetector(stages, max_side_px=320, min_confidence=above).detect(image)

    assert len(low.confidences) == 1
    assert len(none.confidences) == 0


def test_threads_share_a_detector_without_changing_a_byte(detector: MtcnnDetector) -> None:
    pictures = [picture(180, 320, 30 * i, 10 * i, 50 + i) for i in range(8)]
    serial = [detector.detect(p).bboxes_xyxy.tobytes() for p in pictures]

    with ThreadPoolExecutor(8) as pool:
        parallel = list(pool.map(lambda p: detector.detect(p).bboxes_xyxy.tobytes(), pictures))

    assert parallel == serial


def test_a_box_inside_a_surer_one_is_the_same_face() -> None:
    stages = open_mtcnn(merged(), device="cpu", thing="x")
    # A large square answers at several levels of the pyramid, one box inside the other.
    faces = MtcnnDetector(stages, max_side_px=320, min_confidence=0.5).detect(
        picture(180, 320, 200, 60, 60)
    )

    for i, (x1, y1, x2, y2) in enumerate(faces.bboxes_xyxy):
        others = np.delete(faces.bboxes_xyxy, i, axis=0)
        inside = (others[:, :2] >= [x1, y1]).all(axis=1) & (others[:, 2:] <= [x2, y2]).all(axis=1)
        assert not inside.any()


def test_more_faces_than_one_batch_are_all_found() -> None:
    stages = open_mtcnn(merged(), device="cpu", thing="x")
    image = np.zeros((640, 640, 3), np.uint8)
    for y in range(10, 630, 60):
        for x in range(10, 630, 60):
            image[y : y + 36, x : x + 36] = 255

    faces = MtcnnDetector(stages, max_side_px=640, min_confidence=0.5).detect(image)

    centres = (faces.bboxes_xyxy[:, :2] + faces.bboxes_xyxy[:, 2:]) / 2
    assert {tuple(c) for c in ((centres - 10) // 60).astype(int).tolist()} == {
        (x, y) for x in range(11) for y in range(11)
    }


def test_the_pyramid_starts_at_the_smallest_face_and_ends_at_the_whole_picture() -> None:
    scales = pyramid_scales((360, 640))

    assert scales[0] * MIN_FACE_PX == pytest.approx(12)
    assert 12 <= 360 * scales[-1] < 12 / 0.709
    assert pyramid_scales((10, 640)) == []


def test_boxes_grow_to_squares_around_their_centres() -> None:
    boxes = np.array([[0, 10, 20, 20], [0, 0, 4, 8]], np.float32)

    assert square(boxes).tolist() == [[0, 5, 20, 25], [-2, 0, 6, 8]]
    assert square(boxes[:0]).shape == (0, 4)


def test_shifts_are_fractions_of_width_and_height() -> None:
    box = np.array([[0, 0, 10, 20]], np.float32)

    assert shift(box, np.array([[0.1, 0.1, -0.1, 0.5]], np.float32)).tolist() == [[1, 2, 9, 30]]


def test_crops_are_black_where_they_leave_the_picture() -> None:
    image = np.full((20, 20, 3), 200, np.uint8)
    boxes = np.array([[-10, 0, 10, 20], [30, 30, 40, 40], [5, 5, 5, 5]], np.float32)

    crops = cut_crops(image, boxes, 20)

    assert (crops[0, :, :10] == 0).all()
    assert (crops[0, :, 10:] == 200).all()
    assert (crops[1] == 0).all()
    assert (crops[2] == 200).all()


def test_the_merged_file_has_the_same_bytes_every_time() -> None:
    stages = tiny_models.mtcnn_stages()

    assert merge_stages(stages) == merge_stages(tiny_models.mtcnn_stages())
    onnx.checker.check_model(merged())


def test_a_merged_file_is_told_by_its_inputs() -> None:
    assert is_mtcnn(merged())
    assert not is_mtcnn(tiny_models.scrfd())


def test_another_network_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match=r"m\.onnx: is not the merged MTCNN"):
        open_mtcnn(tiny_models.scrfd(), device="cpu", thing="model file m.onnx")


def test_stages_in_the_wrong_places_are_refused() -> None:
    stages = tiny_models.mtcnn_stages()
    stages["rnet"], stages["onet"] = stages["onet"], stages["rnet"]
    model = onnx.load_model_from_string(merge_stages(stages))

    with pytest.raises(ModelError, match="rnet takes 48 px"):
        open_mtcnn(model, device="cpu", thing="x")
