"""NanoDet's decoding, on a network that calls a bright cell a person."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from screenalytics_core.errors import ModelError
from screenalytics_core.vision.models.nanodet import (
    NanodetDetector,
    decode,
    free_size,
    open_nanodet,
)
from screenalytics_core.vision.models.onnx_session import open_session
from screenalytics_core.vision.models.protocols import FloatArray
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

    boxes, confidences = decode([*distances.values(), *scores.values()], (416, 416), 0.5)

    np.testing.assert_allclose(boxes, [[48 - 32, 48 - 32, 48 + 32, 48 + 32]])
    np.testing.assert_allclose(confidences, [0.9])


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        pytest.param((1080, 1920), (256, 416), id="16:9"),
        pytest.param((1920, 1080), (416, 256), id="upright"),
        pytest.param((576, 720), (352, 416), id="5:4"),
        pytest.param((500, 500), (416, 416), id="square"),
        pytest.param((512, 832), (256, 416), id="fits without a rest"),
        pytest.param((1, 1920), (32, 416), id="a line"),
    ],
)
def test_the_input_is_the_smallest_rectangle_that_does_not_shrink_the_picture(
    shape: tuple[int, int], size: tuple[int, int]
) -> None:
    asked = []

    class Recorder:
        def run(self, blob: FloatArray) -> list[FloatArray]:
            asked.append(blob.shape[2:])
            cells = [(size[0] // s) * (size[1] // s) for s in (8, 16, 32)]
            return [np.zeros((1, n, width), np.float32) for n in cells for width in (80, 44)]

    NanodetDetector(Recorder(), min_confidence=0.5).detect(  # type: ignore[arg-type]
        np.zeros((*shape, 3), np.uint8)
    )

    assert asked == [size]


@pytest.mark.parametrize("turned", [False, True])
def test_a_person_far_from_the_corner_is_found_in_a_rectangle(
    detector: NanodetDetector, turned: bool
) -> None:
    """Rows and columns differ in number, so a grid read the wrong way round shows."""
    image = np.zeros((224, 416, 3), np.uint8)
    image[160:192, 352:384] = 255
    expected = [304, 112, 432, 240]
    if turned:
        image, expected = image.transpose(1, 0, 2), [112, 304, 240, 432]

    persons = detector.detect(np.ascontiguousarray(image))

    coarse = persons.bboxes_xyxy[:, 2] - persons.bboxes_xyxy[:, 0] > 127
    np.testing.assert_allclose(persons.bboxes_xyxy[coarse], [expected], atol=0.1)
    middle = [368, 176] if not turned else [176, 368]
    for box in persons.bboxes_xyxy:
        np.testing.assert_allclose((box[:2] + box[2:]) / 2, middle, atol=17)


def test_freeing_the_size_changes_no_output_of_a_square() -> None:
    blob = np.random.default_rng(0).normal(size=(1, 3, 416, 416)).astype(np.float32)
    fixed = open_session(tiny_models.nanodet(), device="cpu", thing="x").run(blob)

    freed = open_session(free_size(tiny_models.nanodet()), device="cpu", thing="x").run(blob)

    for before, after in zip(fixed, freed, strict=True):
        np.testing.assert_allclose(after, before, atol=1e-6)


def test_a_network_whose_levels_keep_their_size_is_refused() -> None:
    model = tiny_models.nanodet()
    fixed = next(i for i in model.graph.initializer if i.name == "o8_80/s")
    fixed.CopyFrom(tiny_models.tensor("o8_80/s", np.array([1, 2704, 80], np.int64)))

    with pytest.raises(ModelError, match=r"x: failed on an input of shape"):
        open_nanodet(model, device="cpu", thing="x", min_confidence=0.5)


def test_a_network_that_declares_other_levels_than_it_has_is_refused() -> None:
    model = tiny_models.nanodet()
    finest = next(n for n in model.graph.node if n.output[0] == "o8_80/c")
    finest.attribute[0].ints[:] = [16, 16]

    with pytest.raises(ModelError, match=r"x: is not the NanoDet.*\(its output shapes are"):
        open_nanodet(model, device="cpu", thing="x", min_confidence=0.5)


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
