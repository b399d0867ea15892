"""An evaluation as lines for people: the figures, and the seconds person by person."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from screenalytics_core.evaluation.cuts import CutScores
from screenalytics_core.evaluation.faces import FaceScores
from screenalytics_core.evaluation.ratios import percent
from screenalytics_core.evaluation.seconds import PersonRow, TimeScores
from screenalytics_core.evaluation.tracking import TrackingScores
from screenalytics_core.evaluation.verdict import Evaluation, People

LEFT_OVER: Final = "(left over)"


class Figure(NamedTuple):
    """A line: what was measured, its value (`-` = undefined), and of what."""

    figure: str
    value: str
    of: str


def figures(evaluation: Evaluation) -> tuple[Figure, ...]:
    """Return the figures of a clip, most looked-for last, as a terminal shows them."""
    return (
        *_cuts(evaluation.cuts),
        *_faces(evaluation.faces),
        *_tracking(evaluation.tracking),
        *_identities(evaluation.people),
        *_seconds(evaluation.people.screen_time),
        *_bounds(evaluation),
    )


def seconds_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return a row per person, main ones first, then one per identity that is left over.

    `error_s` is signed here: measured less true. `low_s` to `high_s` bound `total_s`.
    """
    clip_s = evaluation.people.screen_time.clip_s
    persons = sorted(evaluation.people.persons, key=lambda row: not row.main)
    return [_person(row, clip_s) for row in persons] + [
        _row(LEFT_OVER, spare.identity, 0.0, spare.pred_s, clip_s)
        for spare in evaluation.people.identities_left_over
    ]


def _person(row: PersonRow, clip_s: float) -> dict[str, Any]:
    return {
        **_row(row.person, row.identity, row.true_s, row.pred_s, clip_s),
        "time_iou": row.time_iou,
        "total_s": row.total_s,
        "low_s": row.low_s,
        "high_s": row.high_s,
    }


def _row(
    person: str, identity: str | None, true_s: float, measured_s: float, clip_s: float
) -> dict[str, Any]:
    error_s = measured_s - true_s
    return {
        "person": person,
        "identity_id": identity,
        "true_s": round(true_s, 3),
        "measured_s": round(measured_s, 3),
        "error_s": round(error_s, 3),
        "error_percent_of_length": round(percent(error_s, clip_s) or 0.0, 2),
        "time_iou": None,
        "total_s": None,
        "low_s": None,
        "high_s": None,
    }


def _number(value: float | None, decimals: int = 3) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"


def _cuts(cuts: CutScores | None) -> tuple[Figure, ...]:
    if cuts is None:
        return ()
    of = f"{len(cuts.truth)} cuts, {len(cuts.predicted)} found"
    return (
        Figure("cut F1, exact", _number(cuts.tolerance_0.f1), of),
        Figure("cut F1, within 1 frame", _number(cuts.tolerance_1.f1), of),
    )


def _faces(faces: FaceScores) -> tuple[Figure, ...]:
    bands = [
        Figure(
            f"face recall, {band.from_px} px high and more"
            if band.to_px is None
            else f"face recall, {band.from_px} to {band.to_px} px high",
            _number(band.recall),
            f"{band.found} of {band.faces}",
        )
        for band in faces.by_height
        if band.faces
    ]
    found = f"{faces.tp} of {faces.clear_faces} clear faces"
    wrong = f"{faces.fp} false, {faces.ignored_predictions} not judged"
    return (
        Figure("face recall", _number(faces.recall), found),
        *bands,
        Figure("face precision", _number(faces.precision), wrong),
    )


def _tracking(scores: TrackingScores | None) -> tuple[Figure, ...]:
    if scores is None:
        return tuple(
            Figure(name, _number(None), "needs the truth's cuts")
            for name in ("MOTA", "IDF1", "HOTA")
        )
    tracks = f"{scores.predicted_ids} tracks, {scores.truth_ids} people in a shot"
    parts = f"DetA {_number(scores.deta)}, AssA {_number(scores.assa)}"
    return (
        Figure("MOTA", _number(scores.mota), f"{scores.id_switches} identity switches"),
        Figure("IDF1", _number(scores.idf1), tracks),
        Figure("HOTA", _number(scores.hota), parts),
    )


def _identities(people: People) -> tuple[Figure, ...]:
    cubed, found = people.bcubed, people.identities
    parts = f"precision {_number(cubed.precision)}, recall {_number(cubed.recall)}"
    counts = (
        f"{found.predicted_with_a_matched_clear_face} seen, "
        f"{found.truth_persons_with_clear_faces} true, {found.predicted} in all"
    )
    labels = people.labels
    named = Figure(
        "names that are right", _number(labels.accuracy), f"{labels.labelled_matches} named faces"
    )
    return (
        Figure("B-cubed F1", _number(cubed.f1), parts),
        Figure("identity purity", _number(found.weighted_purity), "faces found and assigned"),
        Figure("NMI", _number(found.nmi), "faces found and assigned"),
        Figure("identity count error", f"{found.count_error:+d}", counts),
        *((named,) if labels.labelled_matches else ()),
    )


def _seconds(time: TimeScores) -> tuple[Figure, ...]:
    of = f"mean of {time.main_persons} main persons"
    lines = [
        ("screen-time error, s", time.mae_s, 2, of),
        ("screen-time error, % of clip", time.mae_percent_of_clip, 2, f"{time.clip_s:.2f} s count"),
        ("tolerant error, % of clip", time.tolerant_mae_percent_of_clip, 2, "doubtful faces free"),
        ("time IoU", time.mean_time_iou, 3, of),
    ]
    if time.total_mae_s is not None:
        lines.append(("face or body error, s", time.total_mae_s, 2, of))
    return tuple(Figure(name, _number(value, n), of) for name, value, n, of in lines)


def _bounds(evaluation: Evaluation) -> tuple[Figure, ...]:
    bounds = evaluation.bounds
    if bounds is None:
        return ()
    base = bounds.baseline
    constant = f"{_number(base.interval_score_s, 2)} with one width for all"
    return (
        Figure("bounds hold", _number(bounds.coverage), f"{bounds.samples} main persons found"),
        Figure("bounds' median width", _number(bounds.median_relative_width), "of true seconds"),
        Figure("interval score, s", _number(bounds.interval_score_s, 2), constant),
    )
