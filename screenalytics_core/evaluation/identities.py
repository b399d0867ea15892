"""Are faces of one person one identity, and of two people two."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from screenalytics_core.evaluation.prediction import Prediction
from screenalytics_core.evaluation.ratios import ratio
from screenalytics_core.evaluation.scene import LabelledFrame
from screenalytics_core.evaluation.truth import Truth
from screenalytics_core.gallery.names import folded

# A face that may be missed says less about who an identity is.
_HARD_FACE_WEIGHT: Final = 0.5


@dataclass(frozen=True, slots=True)
class SeenFaces:
    """Labelled faces with what they were taken for.

    Attributes:
        clear: Every clear face: (person, identity); None = missed, or of no identity.
        matched: Those of `clear` on which a track lies.
        weights: (identity, person) -> clear faces, and hard ones at half their weight; averted
            heads count nothing. Says which identity is which person, and nothing else.
        found: person -> how many of the clear faces a track lies on.
        labelled: person -> clear faces.
    """

    clear: tuple[tuple[str, str | None], ...]
    matched: tuple[tuple[str, str | None], ...]
    weights: Mapping[tuple[str, str], float]
    found: Mapping[str, int]
    labelled: Mapping[str, int]

    @property
    def shared(self) -> Counter[tuple[str, str]]:
        """(identity, person) -> clear faces that were matched and assigned."""
        return Counter((found, person) for person, found in self.matched if found is not None)


@dataclass(frozen=True, slots=True)
class IdentityScores:
    """Identities against persons, on the clear faces.

    Attributes:
        predicted: People of the run.
        count_error: Identities on clear faces less persons with clear faces; + = too many.
        weighted_purity: Part of the matched and assigned faces that are of their identity's
            commonest person (Manning, Raghavan and Schütze, "Introduction to Information
            Retrieval", 2008, section 16.3).
        nmi: Normalised mutual information of the same faces, arithmetic mean (Vinh, Epps and
            Bailey, JMLR 2010).
    """

    predicted: int
    predicted_with_a_matched_clear_face: int
    truth_persons_with_clear_faces: int
    truth_main_persons: int
    count_error: int
    weighted_purity: float | None
    nmi: float | None


@dataclass(frozen=True, slots=True)
class LabelScores:
    """Names against the truth's names, on matched faces whose identity has one.

    Case, how letters are coded, and `_` instead of a blank do not matter.
    """

    labelled_matches: int
    correct: int
    accuracy: float | None


def seen_faces(frames: Sequence[LabelledFrame], prediction: Prediction) -> SeenFaces:
    """Return what every labelled face was taken for."""
    identity_of = {t: i.identity_id for i in prediction.identities for t in i.track_ids}
    clear: list[tuple[str, str | None]] = []
    matched: list[tuple[str, str | None]] = []
    weights: defaultdict[tuple[str, str], float] = defaultdict(float)
    for frame in frames:
        for row, face in enumerate(frame.faces):
            track_id = frame.found_by(row)
            identity = None if track_id is None else identity_of.get(track_id)
            if face.is_clear:
                clear.append((face.person, identity))
                if track_id is not None:
                    matched.append((face.person, identity))
            if identity is not None and not face.is_away:
                weights[identity, face.person] += 1.0 if face.is_clear else _HARD_FACE_WEIGHT
    return SeenFaces(
        tuple(clear),
        tuple(matched),
        weights,
        Counter(person for person, _ in matched),
        Counter(person for person, _ in clear),
    )


def identity_scores(truth: Truth, prediction: Prediction, seen: SeenFaces) -> IdentityScores:
    """Return counts, purity and mutual information."""
    commonest: dict[str, int] = {}
    for (identity, _), count in seen.shared.items():
        commonest[identity] = max(count, commonest.get(identity, 0))
    assigned = [(person, found) for person, found in seen.matched if found is not None]
    return IdentityScores(
        predicted=len(prediction.identities),
        predicted_with_a_matched_clear_face=len(commonest),
        truth_persons_with_clear_faces=len(seen.labelled),
        truth_main_persons=sum(p.is_main for p in truth.persons),
        count_error=len(commonest) - len(seen.labelled),
        weighted_purity=ratio(sum(commonest.values()), len(assigned)),
        nmi=_mutual_information(assigned),
    )


def _mutual_information(assigned: Sequence[tuple[str, str]]) -> float | None:
    if not assigned:
        return None
    from sklearn.metrics import normalized_mutual_info_score

    persons, identities = zip(*assigned, strict=True)
    return float(normalized_mutual_info_score(persons, identities))


def label_scores(prediction: Prediction, seen: SeenFaces) -> LabelScores:
    """Return how often the name of a face's identity is the person's."""
    labels = {i.identity_id: i.label for i in prediction.identities}
    named = [
        (person, label)
        for person, identity in seen.matched
        if identity is not None and (label := labels.get(identity))
    ]
    correct = sum(_spelt(person) == _spelt(label) for person, label in named)
    return LabelScores(len(named), correct, ratio(correct, len(named)))


def _spelt(name: str) -> str:
    return folded(name.replace("_", " "))
