"""NanoDet's decoding, on a network that calls a bright cell a person."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from screenalytics_core.errors import ModelError
from screenalytics_core.vision.models.nanodet import NanodetDetector, decode, open_nanodet
from tests.unit.vision.models import tiny_models


@pytest.fixture(scope="module")
def detector() -> NanodetDetector:
    return open_nanodet(tiny_models.nanodet(), device="cpu", thing="x", min_confidence=0.5)


def test_a_person_is_found_where_it_is(detector: NanodetDetector) -> None:
    image = np.zeros((208, 416, 3), np.uint8)
    image[96:128, 256:288] = 255

    persons = detector.detect(image)

    # Two strides of 32 to each side of the cell's middle.
    coarse = persons.bboxes_xyxy[:, 2] - persons.bboxes_xyxy[:, 0] > 127
    np.testing.assert_allclose(persons.bboxes_xyxy[coarse], [[208, 48, 336, 176]], atol=0.1)
    assert (np.diff(persons.confidences) <= 0).all()


def test_boxes_are_in_pixels_of_the_picture_given(detector: NanodetDetector) -> None:
    small = np.zeros((208, 416, 3), np.uint8)
    small[96:128, 256:288] = 255
    large = np.repeat(np.repeat(small, 2, axis=0), 2, axis=1)

    np.testing.assert_allclose(
        detector.detect(large).bboxes_xyxy, detector.detect(small).bboxes_xyxy * 2, rtol=1e-5
    )


def test_an_empty_picture_has_no_persons(detector: NanodetDetector) -> None:
    assert detector.detect(np.zeros((90, 160, 3), np.uint8)).bboxes_xyxy.shape == (0, 4)


def test_a_distance_is_the_mean_of_its_distribution() -> None:
    scores = {n: np.zeros((1, n, 80), np.float32) for n in (2704, 676, 169)}
    distances = {n: np.zeros((1, n, 44), np.float32) for n in (2704, 676, 169)}
    scores[169][0, 14, 0] = 0.9  # row 1, column 1
    scores[169][0, 0, 5] = 0.9  # another class
    distances[169][0, 14].reshape(4, 11)[:, :] = -100
    distances[169][0, 14].reshape(4, 11)[:, [0, 2]] = 100

    boxes, confidences = decode([*distances.values(), *scores.values()], 0.5)

    np.testing.assert_allclose(boxes, [[48 - 32, 48 - 32, 48 + 32, 48 + 32]])
    np.testing.assert_allclose(confidences, [0.9])


def test_threads_share_a_detector_without_changing_a_byte(detector: NanodetDetector) -> None:
    pictures = [np.random.default_rng(i).integers(0, 256, (90, 160, 3), np.uint8) for i in range(8)]
    serial = [detector.detect(p).bboxes_xyxy.tobytes() for p in pictures]

    with ThreadPoolExecutor(8) as pool:
        parallel = list(pool.map(lambda p: detector.detect(p).bboxes_xyxy.tobytes(), pictures))

    assert parallel == serial


def test_another_network_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match=r"n\.onnx: is not the NanoDet"):
        open_nanodet(
            tiny_models.scrfd(), device="cpu", thing="model file n.onnx", min_confidence=0.5
        )
