"""How right is a run: one truth against one prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from screenalytics_core.errors import TruthError
from screenalytics_core.evaluation.bcubed import bcubed
from screenalytics_core.evaluation.bounds import calibration
from screenalytics_core.evaluation.consistency import contradictions
from screenalytics_core.evaluation.cuts import cut_scores
from screenalytics_core.evaluation.faces import face_scores
from screenalytics_core.evaluation.identities import identity_scores, label_scores, seen_faces
from screenalytics_core.evaluation.other_reading import in_other_reading
from screenalytics_core.evaluation.prediction import Prediction
from screenalytics_core.evaluation.scene import LabelledFrame, labelled_frames
from screenalytics_core.evaluation.seconds import bounds_samples, person_rows, time_scores
from screenalytics_core.evaluation.tracking import (
    TrackingScores,
    face_tracking_frames,
    tracking_scores,
)
from screenalytics_core.evaluation.truth import Truth
from screenalytics_core.evaluation.verdict import Evaluation, OtherVerdict, People

# Truth files round the frame rate (23.98 for 24000/1001); 30 is not 29.97.
_FPS_ROUNDING: Final = 5e-4


def evaluate(truth: Truth, prediction: Prediction) -> Evaluation:
    """Hold a run against the truth.

    Raises:
        TruthError: The truth is of another video.
    """
    _check_same_video(truth, prediction)
    contradicts = contradictions(truth)
    if not prediction.has_bodies:
        # It states the seconds of faces, which `present` is not about.
        truth = replace(truth, present=None)
    frames = labelled_frames(truth, prediction)
    people = _people(truth, prediction, frames)
    samples = bounds_samples(people.persons, prediction)
    has_cuts = truth.cuts is not None and prediction.cuts is not None
    return Evaluation(
        clip=truth.clip,
        fps=prediction.fps,
        frames=truth.frame_count,
        labelled_frames=len(frames),
        faces=face_scores(frames),
        tracking=_tracking(truth, frames),
        people=people,
        bounds=calibration(samples),
        bounds_samples=samples,
        cuts=cut_scores(truth.cuts or (), prediction.cuts or ()) if has_cuts else None,
        other_reading=_other_reading(truth, prediction),
        truth_contradicts=contradicts,
    )


def _tracking(truth: Truth, frames: Sequence[LabelledFrame]) -> TrackingScores | None:
    if truth.cuts is None:
        return None
    return tracking_scores(face_tracking_frames(frames, truth.cuts))


def _people(truth: Truth, prediction: Prediction, frames: Sequence[LabelledFrame]) -> People:
    seen = seen_faces(frames, prediction)
    rows, spare = person_rows(truth, prediction, seen)
    return People(
        bcubed=bcubed(seen.clear),
        bcubed_matched_only=bcubed(seen.matched),
        identities=identity_scores(truth, prediction, seen),
        labels=label_scores(prediction, seen),
        screen_time=time_scores(rows, prediction),
        persons=rows,
        identities_left_over=spare,
    )


def _other_reading(truth: Truth, prediction: Prediction) -> OtherVerdict | None:
    if not truth.other_readings:
        return None
    other = in_other_reading(truth)
    return OtherVerdict(
        truth.other_readings, _people(other, prediction, labelled_frames(other, prediction))
    )


def _check_same_video(truth: Truth, prediction: Prediction) -> None:
    """Refuse a truth of another video: its frames would be counted as this one's."""
    size_px = f"{prediction.width_px}x{prediction.height_px}"
    differences = [
        f"{name} {said} in the truth, {found} in the run"
        for name, said, found, is_same in (
            (
                "picture in px",
                f"{truth.width_px}x{truth.height_px}",
                size_px,
                f"{truth.width_px}x{truth.height_px}" == size_px,
            ),
            (
                "frames",
                truth.frame_count,
                prediction.frame_count,
                truth.frame_count == prediction.frame_count,
            ),
            (
                "frames per second",
                f"{truth.fps:g}",
                f"{prediction.fps:g}",
                abs(truth.fps - prediction.fps) <= _FPS_ROUNDING * prediction.fps,
            ),
        )
        if not is_same
    ]
    if differences:
        raise TruthError(
            thing=f"truth of {truth.clip}",
            reason=f"is of another video than the run: {'; '.join(differences)}",
            way_out="Name the run of that video, or the truth of this one.",
        )
