"""From groups of tracks to people: who belongs, who is strong enough, how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.boxes import Float64Array
from screenalytics_core.vision.models.protocols import FloatArray
from screenalytics_core.vision.pooling import normalised

_CLEAR: Final = 0.5**0.5  # as long as the noise
_DOUBTFUL_WORTH: Final = 0.25
_DOUBTFUL_MOST: Final = 0.5
_PERSON_EVIDENCE: Final = 1.0


@dataclass(frozen=True, slots=True)
class TrackVectors:
    """What is known of the tracks that have an embedding.

    Attributes:
        track_ids: (N,) ascending.
        embeddings: (N, D), as long as the track is clear (0 to 1), so that a dot product is
            the similarity to expect of better views, and a centre is made of the clear ones.
        evidence: (N,) how much was seen of it, see `evidence`.
    """

    track_ids: NDArray[np.int64]
    embeddings: FloatArray
    evidence: FloatArray

    def rows(self, track_ids: Sequence[int]) -> NDArray[np.int64]:
        """Return the rows of some tracks."""
        return np.searchsorted(self.track_ids, np.array(track_ids, np.int64))


@dataclass(frozen=True, slots=True)
class Person:
    """One identity, not numbered yet.

    Attributes:
        track_ids: Ascending.
        cohesion: Mean similarity of its tracks to its centre.
        confidence: 0..1, see `people_of`.
    """

    track_ids: tuple[int, ...]
    cohesion: float
    confidence: float


def centre(embeddings: FloatArray) -> FloatArray:
    """Return the normalised mean of (N, D) vectors, each counting by its length."""
    mean: FloatArray = normalised(embeddings.mean(axis=0, dtype=np.float64)[None])[0]
    return mean


def part_strangers(
    groups: Sequence[Sequence[int]], vectors: TrackVectors, min_similarity: float
) -> list[list[int]]:
    """Take tracks out of a group whose centre they do not resemble; each then stands alone.

    The centre is that of all members, asked once: average linkage can keep an early member
    in a group that has moved away from it.
    """
    parted: list[list[int]] = []
    for group in groups:
        members = vectors.embeddings[vectors.rows(group)]
        stays = members @ centre(members) >= min_similarity
        if stays.any():
            parted.append([t for t, stay in zip(group, stays.tolist(), strict=True) if stay])
        parted += [[t] for t, stay in zip(group, stays.tolist(), strict=True) if not stay]
    return parted


def evidence(
    usable_faces: NDArray[np.int64],
    clarities: FloatArray,
    mean_confidences: FloatArray,
    det_thresh: float,
) -> FloatArray:
    """Return how much was seen of each track, in faces of a clear track.

    A track is doubtful if its vector is no longer than the noise, or if the detector was not
    sure on average: most of the latter are cloth, hands and hair. However often that was seen,
    it counts at most half a face, and each face of it a quarter.

    Args:
        usable_faces: (N,) accepted faces of which the detector was sure.
        clarities: (N,) 0..1.
        mean_confidences: (N,) the detector's, of all detections of the track.
        det_thresh: Confidence of strong detections.
    """
    is_clear = (clarities >= _CLEAR) & (mean_confidences >= det_thresh)
    doubtful = np.minimum(_DOUBTFUL_WORTH * usable_faces, _DOUBTFUL_MOST)
    return np.asarray(np.where(is_clear, usable_faces, doubtful), np.float32)


def strong_groups(groups: Sequence[Sequence[int]], vectors: TrackVectors) -> list[list[int]]:
    """Keep the groups whose evidence adds up to one clear face.

    What was only seen blurred or in doubt may be anybody, or no face at all: its tracks stay
    without an identity rather than become a new person, until several of them are alike.
    """
    return [list(g) for g in groups if vectors.evidence[vectors.rows(g)].sum() >= _PERSON_EVIDENCE]


def people_of(
    groups: Sequence[Sequence[int]], vectors: TrackVectors, confidences: Float64Array
) -> list[Person]:
    """Measure each group.

    Its confidence is the mean of its tracks' confidences, each weighted by the evidence of the
    track: it says of a person what `memberships` say of the person's tracks, on one scale, so
    somebody who was seen elsewhere at the time makes neither less sure.

    Args:
        groups: Each of some evidence, see `strong_groups`.
        confidences: (N,) 0 to 1, of each track of `vectors`, see `memberships.memberships_of`.
    """
    people = []
    for group in groups:
        rows = vectors.rows(group)
        members = vectors.embeddings[rows]
        similarity = (members @ centre(members)).astype(np.float64)
        confidence = np.average(confidences[rows], weights=vectors.evidence[rows])
        people.append(Person(tuple(group), float(similarity.mean()), float(confidence)))
    return people
