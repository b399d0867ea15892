"""SCRFD's decoding and fitting, on a network that calls a bright square a face."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest

from screenalytics_core.errors import ModelError
from screenalytics_core.vision.models.onnx_session import open_session
from screenalytics_core.vision.models.protocols import Image
from screenalytics_core.vision.models.scrfd import LAYOUTS, ScrfdDetector, is_scrfd, open_scrfd
from tests.unit.vision.models import tiny_models


def detector(model: onnx.ModelProto | None = None, max_side_px: int = 640) -> ScrfdDetector:
    return open_scrfd(
        model or tiny_models.scrfd(),
        device="cpu",
        thing="model file s.onnx",
        max_side_px=max_side_px,
        min_confidence=0.5,
    )


def picture(height: int, width: int, x: int, y: int, side: int) -> Image:
    image = np.zeros((height, width, 3), np.uint8)
    image[y : y + side, x : x + side] = 255
    return image


@pytest.mark.parametrize("max_side_px", [320, 640, 960])
@pytest.mark.parametrize(("height", "width"), [(360, 640), (640, 360), (480, 480), (1080, 1920)])
def test_a_face_is_found_where_it_is_at_any_input_size(
    height: int, width: int, max_side_px: int
) -> None:
    side = max(height, width) // 10
    image = picture(height, width, side * 2, side, side)

    faces = detector(max_side_px=max_side_px).detect(image)

    assert len(faces.bboxes_xyxy) >= 1
    centres = (faces.bboxes_xyxy[:, :2] + faces.bboxes_xyxy[:, 2:]) / 2
    assert np.abs(centres - [side * 2.5, side * 1.5]).max() <= side
    assert (faces.confidences >= 0.5).all()
    assert (np.diff(faces.confidences) <= 0).all()


def on_grey(height: int, width: int, *corners: tuple[int, int]) -> Image:
    """Bright squares of 64 px on a picture that is nowhere black."""
    image = np.full((height, width, 3), 40, np.uint8)
    for x, y in corners:
        image[y : y + 64, x : x + 64] = 255
    return image


def test_within_a_place_the_same_faces_are_found_and_no_others() -> None:
    two = on_grey(720, 1280, (128, 64), (1024, 512))
    one = on_grey(720, 1280, (1024, 512))

    found = detector().detect(two, np.array([900, 400, 1200, 700], np.float32))

    expected = detector().detect(one)
    assert len(expected.confidences) > 0
    assert found.bboxes_xyxy.tolist() == expected.bboxes_xyxy.tolist()
    assert found.confidences.tolist() == expected.confidences.tolist()
    assert found.landmarks_xy is not None
    assert expected.landmarks_xy is not None
    assert found.landmarks_xy.tolist() == expected.landmarks_xy.tolist()


def test_a_detector_that_always_takes_whole_inputs_finds_everybody() -> None:
    session = open_session(tiny_models.scrfd(size=("h", "w")), device="cpu", thing="s.onnx")
    whole = ScrfdDetector(
        session, LAYOUTS[9], max_side_px=640, min_confidence=0.5, looks_at_parts=False
    )
    two = on_grey(720, 1280, (128, 64), (1024, 512))

    found = whole.detect(two, np.array([900, 400, 1200, 700], np.float32))

    assert found.bboxes_xyxy.tolist() == detector().detect(two).bboxes_xyxy.tolist()


def test_bars_are_left_out_and_change_nothing() -> None:
    face = on_grey(720, 1280, (512, 320))
    barred = face.copy()
    barred[:200] = barred[-200:] = 0

    found = detector().detect(barred)

    assert len(found.confidences) > 0
    assert found.bboxes_xyxy.tolist() == detector().detect(face).bboxes_xyxy.tolist()


@pytest.mark.parametrize("with_landmarks", [True, False])
def test_a_dark_picture_has_no_faces_and_needs_no_network(with_landmarks: bool) -> None:
    model = tiny_models.scrfd(landmarks=with_landmarks)

    faces = detector(model).detect(np.full((360, 640, 3), 5, np.uint8))

    assert faces.bboxes_xyxy.shape == (0, 4)
    assert faces.confidences.shape == (0,)
    assert (faces.landmarks_xy is not None) is with_landmarks


def test_boxes_and_landmarks_count_from_the_anchor_in_strides() -> None:
    # The anchor of a cell is its top left corner. 32x32 at (64, 32) fills one cell of stride 32.
    faces = detector().detect(picture(640, 640, 64, 32, 32))

    coarse = faces.bboxes_xyxy[:, 2] - faces.bboxes_xyxy[:, 0] == 64
    assert faces.bboxes_xyxy[coarse].tolist() == [[32, 0, 96, 64]]
    assert faces.landmarks_xy is not None
    expected = np.tile([64, 32], 5) + np.arange(10) / 10 * 32
    np.testing.assert_allclose(faces.landmarks_xy[coarse][0], expected, rtol=1e-6)


def test_a_model_without_landmarks_gives_none() -> None:
    faces = detector(tiny_models.scrfd(landmarks=False)).detect(picture(640, 640, 64, 32, 32))

    assert faces.landmarks_xy is None
    assert len(faces.bboxes_xyxy)


def test_an_empty_picture_has_no_faces() -> None:
    faces = detector().detect(np.zeros((360, 640, 3), np.uint8))

    assert faces.bboxes_xyxy.shape == (0, 4)
    assert faces.confidences.shape == (0,)
    assert faces.landmarks_xy is not None
    assert faces.landmarks_xy.shape == (0, 10)


def test_threads_share_a_detector_without_changing_a_byte() -> None:
    shared = detector()
    pictures = [picture(360, 640, 40 * i, 20 * i, 64) for i in range(8)]
    serial = [shared.detect(p).bboxes_xyxy.tobytes() for p in pictures]

    with ThreadPoolExecutor(8) as pool:
        parallel = list(pool.map(lambda p: shared.detect(p).bboxes_xyxy.tobytes(), pictures))

    assert parallel == serial


@pytest.mark.parametrize("declare_outputs", [True, False])
def test_scrfd_is_told_by_its_outputs(declare_outputs: bool) -> None:
    assert is_scrfd(tiny_models.scrfd(size=("h", "w"), declare_outputs=declare_outputs))
    assert not is_scrfd(tiny_models.arcface())
    assert not is_scrfd(tiny_models.nanodet())


def test_another_network_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match=r"model file s.onnx: is not an SCRFD .*1 outputs"):
        detector(tiny_models.arcface())


def test_a_network_with_as_many_outputs_but_other_shapes_is_refused() -> None:
    model = tiny_models.scrfd()
    outputs = list(model.graph.output)
    del model.graph.output[:]
    model.graph.output.extend(reversed(outputs))

    with pytest.raises(ModelError, match="its output shapes are"):
        detector(model)
