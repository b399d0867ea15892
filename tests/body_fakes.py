"""Fakes for tests of bodies: one blue rectangle is a body, and its mean colour its looks."""

from __future__ import annotations

import numpy as np

from screenalytics_core.vision.models.protocols import FaceBoxes, FloatArray, Image, PersonBoxes

BLUE = (255, 0, 0)


class BlueBodies:
    """Finds one blue rectangle; says that it reaches 9 px past its left edge."""

    def __init__(self) -> None:
        self.looks = 0

    def detect(self, image_bgr: Image) -> PersonBoxes:
        self.looks += 1
        blue, green, red = np.moveaxis(image_bgr.astype(np.int16), 2, 0)
        rows, columns = np.nonzero((blue > 180) & (green < 80) & (red < 80))
        if len(rows) == 0:
            return PersonBoxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
        box = [columns.min() - 9, rows.min(), columns.max() + 1, rows.max() + 1]
        return PersonBoxes(np.array([box], np.float32), np.array([0.7], np.float32))


class MeanColours:
    """Maps each box to its mean colour, as a unit vector; fails on boxes outside the picture."""

    appearance = "hsv_stripes"

    def embed(self, image_bgr: Image, bboxes_xyxy: FloatArray) -> FloatArray:
        height, width = image_bgr.shape[:2]
        vectors = np.zeros((len(bboxes_xyxy), 3), np.float32)
        for row, (left, top, right, bottom) in enumerate(bboxes_xyxy.tolist()):
            if not (0 <= left < right <= width and 0 <= top < bottom <= height):
                raise ValueError(f"{bboxes_xyxy[row]} is not inside {width} x {height}")
            crop = image_bgr[int(top) : int(bottom), int(left) : int(right)]
            vectors[row] = crop.reshape(-1, 3).mean(axis=0)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


class BlueFaces:
    """Takes the body for a face."""

    def detect(self, image_bgr: Image, _within: FloatArray | None = None) -> FaceBoxes:
        found = BlueBodies().detect(image_bgr)
        return FaceBoxes(found.bboxes_xyxy, found.confidences, None)


class BodyPack:
    """A model pack for the scan; remembers how it was asked for the person detector."""

    info = None

    def __init__(self, *, has_detector: bool = True) -> None:
        self.detector = BlueBodies() if has_detector else None
        self.asked: list[float] = []

    def person_detector(self, *, min_confidence: float) -> BlueBodies | None:
        self.asked.append(min_confidence)
        return self.detector

    def face_detector(self, *, max_side_px: int, min_confidence: float) -> BlueFaces:
        return BlueFaces()

    def person_embedder(self) -> MeanColours:
        return MeanColours()
