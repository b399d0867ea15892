"""Vectors of prototypes: what an embedder says of each crop by itself, and of all together.

Of every crop two vectors are kept: its own, and that of the crop made unrecognisable. Each
depends on the one crop alone, so that they stay when others come and go; from all of a show
together follows where faces that nobody could tell lie, and how far each stands out.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from screenalytics_core.errors import ModelError
from screenalytics_core.vision.models.protocols import FaceEmbedder, FloatArray, Image
from screenalytics_core.vision.pooling import normalised
from screenalytics_core.vision.recognisability import Unknowable, clarity, lit, unrecognisable

_UNREADABLE: Final = (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile)


@dataclass(frozen=True, slots=True)
class CropVectors:
    """What an embedder says of some crops.

    Attributes:
        names: (N,) prototype ids.
        own: (N, 512) as long as the embedder gives them.
        blank: (N, 512) of the same crops made unrecognisable.
    """

    names: tuple[str, ...]
    own: FloatArray
    blank: FloatArray

    @classmethod
    def none(cls) -> Self:
        """Return the vectors of no crop."""
        return cls((), np.zeros((0, 512), np.float32), np.zeros((0, 512), np.float32))

    @classmethod
    def joined(cls, parts: Sequence[CropVectors]) -> Self:
        """Return several as one."""
        parts = [CropVectors.none(), *parts]
        return cls(
            tuple(name for part in parts for name in part.names),
            np.concatenate([part.own for part in parts]),
            np.concatenate([part.blank for part in parts]),
        )

    def only(self, names: Sequence[str]) -> CropVectors:
        """Return those of some crops, in their order; each must be there."""
        rows = [self.names.index(name) for name in names]
        return CropVectors(tuple(names), self.own[rows], self.blank[rows])

    def to_npz(self) -> bytes:
        """Return them as the bytes of a file; the same vectors give the same bytes."""
        file = io.BytesIO()
        np.savez(file, names=np.array(self.names, np.str_), own=self.own, blank=self.blank)
        return file.getvalue()

    @classmethod
    def from_npz(cls, content: bytes) -> Self | None:
        """Read such a file; None if it is none: vectors can be made again."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                names = tuple(str(name) for name in file["names"])
                own, blank = file["own"], file["blank"]
        except _UNREADABLE:
            return None
        shape = (len(names), 512)
        is_whole = own.shape == blank.shape == shape and own.dtype == blank.dtype == np.float32
        is_whole = is_whole and bool(np.isfinite(own).all() and np.isfinite(blank).all())
        return cls(names, own, blank) if is_whole else None


def embed_crop(name: str, crop_bgr: Image, embedder: FaceEmbedder, file_name: str) -> CropVectors:
    """Embed a (112, 112, 3) crop.

    One at a time: in a batch its last digits would depend on the others.

    Raises:
        ModelError: The embedder gives a vector without direction.
    """
    bright = lit(crop_bgr[None])
    own = np.asarray(embedder.embed(bright), np.float32)
    blank = np.asarray(embedder.embed(unrecognisable(bright)), np.float32)
    length = float(np.linalg.norm(own))
    if not (np.isfinite(length) and length > 0 and np.isfinite(blank).all()):
        raise ModelError(
            thing=f"face embedder {file_name}",
            reason=f"gives a vector of length {length} for prototype {name}",
            way_out="The file is damaged or does not fit its device: install the pack again, "
            "or set embed_device=cpu.",
        )
    return CropVectors((name,), own, blank)


def seen_together(vectors: CropVectors) -> tuple[FloatArray, FloatArray]:
    """Return (N, 512) normalised embeddings and (N,) clarities, as `track_reps` has them."""
    unknowable = Unknowable.of(vectors.blank)
    seen = unknowable.taken_off(vectors.own)
    lengths = np.linalg.norm(seen.astype(np.float64), axis=1)
    clarities = np.array([clarity(n, unknowable.noise) for n in lengths.tolist()], np.float32)
    return normalised(seen), clarities
