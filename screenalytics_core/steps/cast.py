"""`cast`: who is who. Without decisions and a gallery, every identity is itself, unnamed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from screenalytics_core.artifacts import CAST, ArtifactKind
from screenalytics_core.steps.base import ArtifactData, Step, StepInput, StepOutput


def run(step: StepInput) -> Mapping[ArtifactKind, ArtifactData]:
    """Make `cast`: one unnamed person per identity, in the identities' order."""
    identities: dict[str, Any] = step.read(ArtifactKind.IDENTITIES)
    people = [
        {
            "identity_id": identity["identity_id"],
            "source": "machine",
            "confidence": identity["confidence"],
        }
        for identity in identities["identities"]
    ]
    return {
        ArtifactKind.CAST: {
            "cast": CAST.conform({"show": None, "people": people, "suggestions": []})
        }
    }


STEP = Step(
    name="cast",
    outputs=(
        StepOutput(
            name="cast",
            kinds=(ArtifactKind.CAST,),
            version="1-unnamed",
            inputs=(ArtifactKind.IDENTITIES,),
        ),
    ),
    run=run,
    description="Who is who: the machine's identities, still without names",
)
