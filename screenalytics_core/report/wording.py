"""Sentences and words that both reports say, so that they say the same."""

from __future__ import annotations

from typing import Final

from screenalytics_core.report import text
from screenalytics_core.report.model import ReportModel
from screenalytics_core.vision.quality_counters import QualityCounter

NO_FACE: Final = "No face was found in this episode, so there is nobody to list and no timeline."
NOBODY: Final = (
    "Faces were seen, but none of them could be given an identity, so there is nobody to list."
)
NO_MODELS: Final = "The run's record names no model file."
NO_DOUBT: Final = "No track is in doubt."
_EVIDENCE: Final = {
    "face_in_body": "the face inside the body",
    "appearance": "looking like a body of this person nearby",
    "none": "nothing: counted for nobody",
}
_APPEARANCES: Final = {
    "reid": "a network that compares bodies",
    "hsv_stripes": "the colours of its clothes",
}


def why_nobody(model: ReportModel) -> str:
    """Say why a report lists no people."""
    return NOBODY if model.unknown_s > 0 else NO_FACE


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
