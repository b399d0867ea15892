"""A run's face tracks, each with the person whom it really follows and the name it was given."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from screenalytics_core.evaluation.prediction import Prediction
from screenalytics_core.evaluation.scene import labelled_frames
from screenalytics_core.evaluation.truth import Truth
from screenalytics_core.vision.owners import Owner


@dataclass(frozen=True, slots=True)
class Sighting:
    """One face track.

    Attributes:
        seconds: From its first frame to the end of its last.
        person: Whom most of its labelled faces show; None = it lies on none.
        identity_id: Whose it is said to be; None = nobody's.
        label: The name that was given to that one, if any.
    """

    track_id: int
    seconds: float
    person: str | None
    identity_id: str | None
    label: str | None


def sightings(
    truth: Truth, prediction: Prediction, owners: Mapping[int, Owner]
) -> tuple[Sighting, ...]:
    """Return a run's tracks in their order.

    Args:
        owners: track_id -> who owns it, as `vision.owners` reads identities and cast.
    """
    people = _people(truth, prediction)
    times = prediction.frame_times_s
    found = []
    for track in prediction.tracks:
        first, last = track.frames
        owner = owners.get(track.track_id)
        found.append(
            Sighting(
                track.track_id,
                round(float(times[last + 1] - times[first]), 6),
                people.get(track.track_id),
                None if owner is None else owner.identity_id,
                None if owner is None else owner.label,
            )
        )
    return tuple(found)


def _people(truth: Truth, prediction: Prediction) -> dict[int, str]:
    """Return track_id -> the person whose labelled faces it was most often matched with."""
    votes: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for frame in labelled_frames(truth, prediction):
        for row, face in enumerate(frame.faces):
            track_id = frame.found_by(row)
            if track_id is not None and not face.is_away:
                votes[track_id][face.person] += 1
    # By name where two tie, so that the order of faces does not settle it.
    return {t: min(own, key=lambda p: (-own[p], p)) for t, own in votes.items()}
