"""Sentences and words that both reports say, so that they say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from screenalytics_core.report import text
from screenalytics_core.report.body_review import SURE_TIE
from screenalytics_core.report.model import ReportModel
from screenalytics_core.vision.evidence import Evidence
from screenalytics_core.vision.quality_counters import QualityCounter

NO_FACE: Final = "No face was found in this episode, so there is nobody to list and no timeline."
NO_MODELS: Final = "The run's record names no model file."
NO_DOUBT: Final = "No track is in doubt."
DOUBTFUL_BODIES: Final = (
    "Where the face is not seen, a body that was tied to a person counts for them. These ties "
    f"are doubtful (confidence below {SURE_TIE:g}): if the body is somebody else's, the person has "
    "that many seconds too many. Most seconds first."
)
_EVIDENCE: Final[Mapping[str, str]] = {
    Evidence.FACE_IN_BODY: "the face inside the body",
    Evidence.APPEARANCE: "looking like a body of this person nearby",
    Evidence.NONE: "nothing: counted for nobody",
}
_APPEARANCES: Final = {
    "reid": "a network that compares bodies",
    "hsv_stripes": "the colours of its clothes",
}


def why_nobody(model: ReportModel) -> str:
    """Say why a report lists no people."""
    if not model.has_faces:
        return NO_FACE
    if model.unknown_s > 0:
        where = " in what is counted" if model.trims else ""
        return (
            f"Faces were seen{where}, but none of them could be given an identity, so there is "
            "nobody to list."
        )
    trims = f" ({', '.join(t.name for t in model.trims)})" if model.trims else ""
    return f"Everybody who was seen is in what is not counted{trims}, so there is nobody to list."


def share_of_counted(model: ReportModel, part_s: float) -> str:
    """Say how much of counted time a part of it is: `12.3 % of the time counted`."""
    share = part_s / model.counted_s if model.counted_s > 0 else 0.0
    return f"{text.percent(share)} of counted time"


def bodies_left(model: ReportModel) -> str:
    """Say how many doubtful bodies are not listed; empty if all of them are."""
    left = model.body_review_total - len(model.body_review)
    if left <= 0:
        return ""
    of = text.plural(left, "other doubtful body", "other doubtful bodies")
    return f"Not listed: {of} with no more seconds than these."


def evidence(name: str) -> str:
    """Say what ties a body to a person, after "tied to a person by"."""
    return _EVIDENCE.get(name, name)


def appearance(name: str) -> str:
    """Say what made the vectors that bodies are compared by."""
    return _APPEARANCES.get(name, name)


def expected(counter: QualityCounter) -> str:
    """Say what is usual: `10 to 30`, `at least 3`, `at most 0.2`; a dash for anything."""
    low, high = counter.warn_below, counter.warn_above
    if low is not None and high is not None:
        return f"{text.number(low)} to {text.number(high)}"
    if low is not None:
        return f"at least {text.number(low)}"
    return text.DASH if high is None else f"at most {text.number(high)}"
