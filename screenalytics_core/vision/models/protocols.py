"""What the pipeline asks of a model, whoever made it. Adapters implement these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FaceBoxes:
    """Faces of one image, best first.

    Attributes:
        bboxes_xyxy: (N, 4) px of the image given; may reach past its edges.
        confidences: (N,) in 0..1.
        landmarks_xy: (N, 10) px: x, y of the eye on the image's left, the other eye, nose,
            mouth corner on the image's left, the other one; None if the model has none.
    """

    bboxes_xyxy: FloatArray
    confidences: FloatArray
    landmarks_xy: FloatArray | None


@dataclass(frozen=True, slots=True)
class PersonBoxes:
    """Persons of one image, best first: (N, 4) px and (N,) in 0..1."""

    bboxes_xyxy: FloatArray
    confidences: FloatArray


class FaceDetector(Protocol):
    """Finds faces. Safe to call from several threads at once; one thread per call."""

    def detect(self, image_bgr: Image, within: FloatArray | None = None) -> FaceBoxes:
        """Return the faces of an (H, W, 3) image with at least the minimum confidence.

        Args:
            within: (4,) px; faces outside need not be found, which may cost less.
        """
        ...


class FaceEmbedder(Protocol):
    """Turns aligned faces into vectors. Safe to call from several threads at once."""

    def embed(self, crops_bgr: Image) -> FloatArray:
        """Map (N, 112, 112, 3) crops to (N, 512) vectors as the model gives them.

        They are not normalised: their norm is a signal of quality.
        """
        ...


class PersonDetector(Protocol):
    """Finds bodies. Safe to call from several threads at once."""

    def detect(self, image_bgr: Image) -> PersonBoxes:
        """Return the persons of an (H, W, 3) image with at least the minimum confidence."""
        ...


class PersonEmbedder(Protocol):
    """Turns bodies into vectors of what they look like. Safe to call from several threads."""

    @property
    def appearance(self) -> str:
        """What the vectors are: `reid` (a network trained to tell people) or `hsv_stripes`."""
        ...

    def embed(self, image_bgr: Image, bboxes_xyxy: FloatArray) -> FloatArray:
        """Map (N, 4) px boxes of an (H, W, 3) image to (N, D) L2-normalised vectors.

        D is the same for every call, with N = 0 too.
        """
        ...


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One model of a pack: what it does, what it is called, and the bytes it has."""

    role: str  # face_detector | face_embedder | person_detector | person_embedder
    name: str  # file name
    sha256: str
    licence: str
    source: str  # where it came from, for people

    def to_dict(self) -> dict[str, str]:
        """Return it as it stands in run.json."""
        return {
            "role": self.role,
            "name": self.name,
            "sha256": self.sha256,
            "licence": self.licence,
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class Calibration:
    """The pack's own values for the thresholds on its scores.

    Packs that say nothing of galleries take the values that were measured for lite's embedder.
    """

    det_thresh: float
    cluster_thresh: float
    min_identity_sim: float
    match_thresh: float = 0.49
    match_margin: float = 0.10


@dataclass(frozen=True, slots=True)
class PackInfo:
    """What a run is bound to: which pack, which files, which calibration. No model is loaded."""

    name: str
    files: tuple[ModelFile, ...]
    calibration: Calibration

    def file(self, role: str) -> ModelFile | None:
        """Return the file for `role`, or None if the pack has none."""
        return next((f for f in self.files if f.role == role), None)

    def to_dict(self) -> dict[str, Any]:
        """Return it as it stands in run.json."""
        return {
            "pack": self.name,
            "files": [f.to_dict() for f in self.files],
            "calibration": asdict(self.calibration),
        }

    def sha256s(self) -> Mapping[str, str]:
        """Return role -> sha256."""
        return {f.role: f.sha256 for f in self.files}


class ModelPack(Protocol):
    """A pack found on this machine; loads a model when it is first asked for."""

    @property
    def info(self) -> PackInfo:
        """Which pack, files and calibration this is."""
        ...

    def face_detector(self, *, max_side_px: int, min_confidence: float) -> FaceDetector:
        """Load the face detector.

        Args:
            max_side_px: Longer side of the network's input; the other side follows the
                picture's aspect ratio, rounded up to what the network needs.
            min_confidence: Faces below are not returned.

        Raises:
            ModelError: The file is missing, corrupted or of another kind.
        """
        ...

    def face_embedder(self) -> FaceEmbedder:
        """Load the face embedder; raises ModelError as above."""
        ...

    def person_detector(self, *, min_confidence: float) -> PersonDetector | None:
        """Load the person detector, or return None if there is none on this machine."""
        ...

    def person_embedder(self) -> PersonEmbedder:
        """Load the network that tells people apart by their bodies, else the HSV stripes."""
        ...
