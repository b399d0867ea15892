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

_DOUBTFUL_WORTH: Final = 0.25
_PERSON_EVIDENCE: Final = 1.0


@dataclass(frozen=True, slots=True)
class TrackVectors:
    """What is known of the tracks that have an embedding.

    Attributes:
        track_ids: (N,) ascending.
        embeddings: (N, D) L2-normalised.
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
        cohesion: Mean cosine similarity of its tracks to its centre.
        confidence: 0..1, see `people_of`.
    """

    track_ids: tuple[int, ...]
    cohesion: float
    confidence: float


def centre(embeddings: FloatArray) -> FloatArray:
    """Return the normalised mean of (N, D) vectors, each counting the same."""
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


def evidence(clear_faces: NDArray[np.int64], doubtful_faces: NDArray[np.int64]) -> FloatArray:
    """Return how much was seen of each track, in clear faces: a doubtful one counts a quarter.

    Args:
        clear_faces: (N,) accepted faces that passed every gate.
        doubtful_faces: (N,) accepted faces that are blurred or in profile. Those of which
            the detector was not sure count nothing: they may not be faces.
    """
    return np.asarray(clear_faces + _DOUBTFUL_WORTH * doubtful_faces, np.float32)


def strong_groups(groups: Sequence[Sequence[int]], vectors: TrackVectors) -> list[list[int]]:
    """Keep the groups whose evidence adds up to one clear face.

    What was seen once, blurred or from the side, may be anybody, or no face at all: its
    tracks stay without an identity rather than become a new person.
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
