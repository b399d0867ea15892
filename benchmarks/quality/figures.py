"""The figures of one run on one clip, their means, and which of them are to be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any, Final

Row = dict[str, Any]

MEAN: Final = "mean"


@dataclass(frozen=True, slots=True)
class Figure:
    """One column.

    Attributes:
        name: Key in a row.
        title: Head of the column.
        decimals: Shown.
        over_clips: `mean`, or `sum` for what is counted.
        tolerance: A change by more is a change for the better or the worse; None = a figure
            that is told but not compared.
        more_is_better: Which way is better.
    """

    name: str
    title: str
    decimals: int = 3
    over_clips: str = "mean"
    tolerance: float | None = None
    more_is_better: bool = True


# Tolerances: a clip has 160 to 320 clear faces, so one of them moves B-cubed and recall by up
# to 0.006; one frame of one person of a clip is at most 0.2 % of the clip. CPU time of equal
# runs differs by 20 % on a shared machine.
FIGURES: Final = (
    Figure("bcubed_f1", "B3 F1", tolerance=0.005),
    Figure("bcubed_precision", "B3 P", tolerance=0.005),
    Figure("bcubed_recall", "B3 R", tolerance=0.005),
    Figure("recall", "recall", tolerance=0.005),
    Figure("precision", "prec.", tolerance=0.005),
    Figure("tolerant_error_percent", "error %", 2, tolerance=0.2, more_is_better=False),
    Figure("error_percent", "plain %", 2, tolerance=0.2, more_is_better=False),
    Figure("identities", "ids", 0, "sum"),
    Figure("people", "people", 0, "sum"),
    Figure("identity_count_error", "off by", 0, "sum", 0, more_is_better=False),
    Figure("main_people_split", "split", 0, "sum", 0, more_is_better=False),
    Figure("cut_f1_exact", "cuts 0", tolerance=0.01),
    Figure("cut_f1", "cuts 1", tolerance=0.01),
    Figure("bounds_inside", "inside", 0, "sum"),
    Figure("bounds", "bounds", 0, "sum"),
    Figure("cpu_s", "CPU s", 1, "sum"),
    Figure("cpu_ratio", "ratio", 3, tolerance=0.05, more_is_better=False),
)


def figures_of(evaluation: Mapping[str, Any]) -> Row:
    """Return a row's figures.

    Args:
        evaluation: As `Evaluation.to_dict()` gives it.
    """
    faces, bcubed, time = evaluation["faces"], evaluation["bcubed"], evaluation["screen_time"]
    cuts, bounds = evaluation["cuts"] or {}, evaluation["bounds"]
    found = evaluation["identities"]
    split = split_main_people(evaluation["persons"])
    return {
        "bcubed_f1": bcubed["f1"],
        "bcubed_precision": bcubed["precision"],
        "bcubed_recall": bcubed["recall"],
        "recall": faces["recall"],
        "precision": faces["precision"],
        "tolerant_error_percent": time["tolerant_mae_percent_of_clip"],
        "error_percent": time["mae_percent_of_clip"],
        "identities": found["predicted_with_a_matched_clear_face"],
        "identities_in_all": found["predicted"],
        "people": found["truth_persons_with_clear_faces"],
        "identity_count_error": abs(found["count_error"]),
        "main_people": found["truth_main_persons"],
        "main_people_split": len(split),
        "split": split,
        "cut_f1_exact": cuts["tolerance_0"]["f1"] if cuts else None,
        "cut_f1": cuts["tolerance_1"]["f1"] if cuts else None,
        "bounds_inside": round(bounds["coverage"] * bounds["samples"]) if bounds else None,
        "bounds": bounds["samples"] if bounds else None,
    }


def split_main_people(persons: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the main people that are not one identity each.

    That is: on whose clear faces stands no identity, or more than one, or one that somebody
    else has more of.
    """
    return [
        person["person"]
        for person in persons
        if person["main"] and (person["identity"] is None or person["identity_count"] != 1)
    ]


def mean_row(rows: Sequence[Row]) -> Row:
    """Return what rows of several clips have in common, and means or sums of their figures.

    A figure that some clip lacks is taken over the others.
    """
    first = rows[0]
    same = {key: first[key] for key in ("setup", "who")}
    return {**same, "clip": MEAN, **{f.name: _over(rows, f) for f in FIGURES}}


def _over(rows: Sequence[Row], figure: Figure) -> float | None:
    values: list[float] = [row[figure.name] for row in rows if row.get(figure.name) is not None]
    if not values:
        return None
    return round(sum(values), 2) if figure.over_clips == "sum" else round(mean(values), 4)


def with_means(rows: Sequence[Row]) -> list[Row]:
    """Return all rows, each contestant's followed by their mean.

    `cpu_ratio` is the contestant's CPU seconds over the naive peer's on the same clips, in
    sum for the mean.
    """
    told: list[Row] = []
    for setup, who in dict.fromkeys((row["setup"], row["who"]) for row in rows):
        own = [row for row in rows if (row["setup"], row["who"]) == (setup, who)]
        told += [*own, mean_row(own)]
    peers = {(r["setup"], r["clip"]): r["cpu_s"] for r in told if r["who"] == "naive"}
    for row in told:
        peer_s = peers.get((row["setup"], row["clip"]))
        is_product = row["who"] == "product" and peer_s
        row["cpu_ratio"] = round(row["cpu_s"] / peer_s, 4) if is_product else None
    return told
