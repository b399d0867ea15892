"""What the scan looks for: opens the detectors and says how often each looks."""

from __future__ import annotations

from typing import Final, NamedTuple

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.steps.base import StepInput
from screenalytics_core.vision.box_rows import MIN_CONFIDENCE, Boxes
from screenalytics_core.vision.looker import Look
from screenalytics_core.vision.models.protocols import (
    FaceDetector,
    FloatArray,
    Image,
    PersonDetector,
    PersonEmbedder,
)
from screenalytics_core.vision.sampling import is_clear, where_between

# Half of the confidence at which a body begins a track by default, so the least at which it
# can continue one. From 0.1 up NanoDet reports three to nine times as many boxes, nearly all
# of them parts of bodies and furniture, and each would have its appearance computed.
MIN_BODY_CONFIDENCE: Final = 0.25


class BodyLook(NamedTuple):
    """The look, and what its appearances are: `reid` or `hsv_stripes`."""

    look: Look
    appearance: str


def look_for_faces(step: StepInput) -> Look:
    """Open the face detector; raises ModelError."""
    # Fewer than this are never kept; what counts as a strong one is the tracker's business.
    detector: FaceDetector = step.need_models().face_detector(
        max_side_px=step.settings.det_max_side_px, min_confidence=MIN_CONFIDENCE
    )

    det_thresh: float = step.settings.det_thresh

    def detect(image_bgr: Image, within: FloatArray | None = None) -> Boxes:
        faces = detector.detect(image_bgr, within)
        return Boxes(faces.bboxes_xyxy, faces.confidences, faces.landmarks_xy)

    return Look(
        detect,
        step.settings.stride,
        min_stride=step.settings.min_stride,
        is_clear=lambda before, after: is_clear(before, after, det_thresh),
        detect_between=lambda image_bgr, before, after: detect(
            image_bgr, where_between(before, after, det_thresh)
        ),
    )


def look_for_bodies(step: StepInput) -> BodyLook | None:
    """Open the person detector and embedder.

    Returns:
        None if bodies are not wanted or there is no person detector; a note says which.

    Raises:
        ModelError: A file of theirs is unusable.
    """
    if not step.settings.body_tracking:
        step.note(
            ArtifactKind.BODY_DETECTIONS,
            "Nobody looked for bodies, since body_tracking is off: set body_tracking=true.",
        )
        return None
    detector = step.need_models().person_detector(min_confidence=MIN_BODY_CONFIDENCE)
    if detector is None:
        step.note(
            ArtifactKind.BODY_DETECTIONS,
            "Nobody looked for bodies, since no person detector is installed: "
            "`screenalytics models install lite` brings one.",
        )
        return None
    embedder = step.need_models().person_embedder()
    return _body_look(detector, embedder, step.settings.body_stride)


def _body_look(detector: PersonDetector, embedder: PersonEmbedder, stride: int) -> BodyLook:
    def detect(image_bgr: Image) -> Boxes:
        persons = detector.detect(image_bgr)
        return Boxes(persons.bboxes_xyxy, persons.confidences)

    return BodyLook(Look(detect, stride, describe=embedder.embed), embedder.appearance)
