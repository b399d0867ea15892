"""Measures a pack's thresholds for names: `python -m benchmarks.calibrate_gallery`.

Each argument is a truth file and the folder of a run, all of one pack, with people who occur
in several of them under one name:

    python -m benchmarks.calibrate_gallery --models lite truth/a.json=data/manifests/a/runs/R ...

The people of some runs are enrolled as the product does it, and the identities of the others
are held against them: once with whoever it is among the cast, once without. What it prints
belongs into `vision/models/packs.py` and `gallery/likeness.py`: use more people than you tune on.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibrate import boxes_of, rows_of, runs_of, seen
from benchmarks.processes import BenchError
from screenalytics_assets.casting import identity_looks, open_pack
from screenalytics_assets.cli.evaluate import load_truth
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.errors import ScreenalyticsError
from screenalytics_core.evaluation.scene import labelled_frames
from screenalytics_core.gallery.enrolment import drafts_of, prototype_id_of
from screenalytics_core.gallery.likeness import similarities
from screenalytics_core.gallery.matching import Looks
from screenalytics_core.gallery.model import GalleryMember
from screenalytics_core.gallery.prototypes import MAX_PROTOTYPES
from screenalytics_core.gallery.vectors import CropVectors, embed_crop, seen_together
from screenalytics_core.vision.models.protocols import FaceEmbedder

Array = NDArray[np.float64]
# An identity of which more is somebody else's says nothing about likeness.
PURE_PART: Final = 0.95
# Names that may be wrong, of those who are strangers and of those who are not.
WRONG: Final = 0.005
# The greatest lead that costs no known person a name at the threshold that it goes with.
MARGIN: Final = 0.10
MARGINS: Final = (0.05, MARGIN, 0.15, 0.20)
HALVES: Final = 6
# Choices below this part of the threshold are right so seldom that they would fit nothing else.
_LEAST_CHOICE: Final = 0.4


@dataclass(frozen=True, slots=True)
class Known:
    """An identity whose person is known: how it looks, and what it would enrol."""

    person: str
    looks: Looks
    vectors: CropVectors


@dataclass(frozen=True, slots=True)
class Asked:
    """An identity held against a cast: similarity to its own member (NaN = not there), others."""

    own: float
    others: Array


def people_of(truth_path: Path, run: Path) -> dict[str, str]:
    """Return identity_id -> person, of identities that show one person."""
    truth, tracks = load_truth(truth_path), rows_of(run / "tracks.jsonl")
    stores, ep_id, run_id = located(run)
    document = stores.require(ep_id, run_id, ArtifactKind.IDENTITIES).read()
    owner = {t: i["identity_id"] for i in document["identities"] for t in i["track_ids"]}
    shown: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for frame in labelled_frames(truth, seen(truth, (boxes_of(t, t["track_id"]) for t in tracks))):
        for row, face in enumerate(frame.faces):
            track_id = frame.found_by(row)
            if track_id in owner:
                shown[owner[track_id]][face.person] += 1
    likeliest = {identity: persons.most_common(1)[0] for identity, persons in shown.items()}
    return {
        identity: person
        for identity, (person, frames) in likeliest.items()
        if frames >= PURE_PART * shown[identity].total()
    }


def located(run: Path) -> tuple[Stores, str, str]:
    """Return the stores, ep_id and run_id of a run's folder."""
    run = run.absolute()
    return Stores.open(run.parents[3]), run.parents[1].name, run.name


def known_of(truth_path: Path, run: Path, embedder: FaceEmbedder) -> list[Known]:
    """Return the identities of a run whose person is known."""
    stores, ep_id, run_id = located(run)
    faces, vectors, reps = (
        stores.require(ep_id, run_id, kind).read()
        for kind in (ArtifactKind.FACES, ArtifactKind.FACES_EMBEDDINGS, ArtifactKind.TRACK_REPS)
    )
    document = stores.require(ep_id, run_id, ArtifactKind.IDENTITIES).read()
    tracks_of = {i["identity_id"]: i["track_ids"] for i in document["identities"]}
    looks, _ = identity_looks(stores, ep_id, run_id)
    found = []
    for identity, person in people_of(truth_path, run).items():
        with stores.require(ep_id, run_id, ArtifactKind.FACES).read("crops") as crops:
            drafts = drafts_of(faces, vectors, reps, crops, tracks_of[identity], run=run_id)
        made = [
            embed_crop(prototype_id_of(d.crop_bgr), d.crop_bgr, embedder, "asked") for d in drafts
        ]
        found.append(Known(person, looks[identity], CropVectors.joined(made)))
    return found


def cast_of(episodes: Sequence[Sequence[Known]]) -> tuple[GalleryMember, ...]:
    """Return the people of some episodes as a gallery has them, by name."""
    parts: defaultdict[str, list[CropVectors]] = defaultdict(list)
    for known in (one for episode in episodes for one in episode):
        if known.vectors.names:
            parts[known.person].append(known.vectors)
    people = {person: thinned(CropVectors.joined(own)) for person, own in sorted(parts.items())}
    embeddings, clarities = seen_together(CropVectors.joined(list(people.values())))
    members, start = [], 0
    for person, own in people.items():
        rows = slice(start, start + len(own.names))
        members.append(GalleryMember(person, person, own.names, embeddings[rows], clarities[rows]))
        start = rows.stop
    return tuple(members)


def thinned(vectors: CropVectors) -> CropVectors:
    """Return as many as a member has at most, evenly out of all."""
    count = len(vectors.names)
    rows = np.unique(np.linspace(0, count - 1, min(count, MAX_PROTOTYPES)).round().astype(int))
    names = tuple(vectors.names[row] for row in rows)
    return CropVectors(names, vectors.own[rows], vectors.blank[rows])


def asked_of(members: Sequence[GalleryMember], episodes: Sequence[Sequence[Known]]) -> list[Asked]:
    """Hold every identity of some episodes against a cast."""
    names = [m.cast_id for m in members]
    found = []
    for known in (one for episode in episodes for one in episode):
        if len(members) < 2 or not known.looks.clarities.any():
            continue
        values = similarities(known.looks.embeddings, known.looks.clarities, members)
        is_own = np.array([name == known.person for name in names])
        own = float(values[is_own][0]) if is_own.any() else float("nan")
        found.append(Asked(own, np.sort(values[~is_own])[::-1]))
    return found


def ways_of(episodes: Sequence[Sequence[Known]]) -> dict[str, list[Asked]]:
    """Return ways of asking: the cast of one episode, and that of half of them, six times.

    Raises:
        BenchError: In one of them nobody is asked for who is in the cast.
    """
    single: list[Asked] = []
    for place, episode in enumerate(episodes):
        rest = [other for n, other in enumerate(episodes) if n != place]
        single += asked_of(cast_of([episode]), rest)
    halves: list[Asked] = []
    for seed in range(HALVES):
        order = list(episodes)
        random.Random(seed).shuffle(order)
        middle = len(order) // 2
        halves += asked_of(cast_of(order[:middle]), order[middle:])
    ways = {"cast of one episode": single, "cast of half of the episodes": halves}
    if any(np.isnan([one.own for one in asked]).all() for asked in ways.values()):
        raise BenchError("too few people are in two of the runs: add runs with the same names")
    return ways


def rates(asked: Sequence[Asked], thresh: float, margin: float) -> tuple[float, float, float]:
    """Return the parts that are named rightly and wrongly of the cast, and of strangers.

    Strangers are all of them, once more, with their own member taken out.
    """
    right = wrong = there = strange = 0
    for one in asked:
        first = float(one.others[0])
        second = max(0.0, float(one.others[1])) if len(one.others) > 1 else 0.0
        strange += first >= thresh and first - second >= margin
        if not np.isnan(one.own):
            there += 1
            right += one.own >= thresh and one.own - max(0.0, first) >= margin
            wrong += first >= thresh and first - max(one.own, second) >= margin
    return right / max(there, 1), wrong / max(there, 1), strange / max(len(asked), 1)


def proposed(ways: Mapping[str, Sequence[Asked]]) -> float | None:
    """Return the lowest threshold from which on hardly anybody is named wrongly, in any way."""
    for thresh in np.arange(0.2, 0.9, 0.01).round(2).tolist():
        found = [rates(asked, thresh, MARGIN) for asked in ways.values()]
        if all(wrong <= WRONG and strange <= WRONG for _, wrong, strange in found):
            return float(thresh)
    return None


def choices(asked: Sequence[Asked]) -> Iterator[tuple[float, float, bool]]:
    """Yield similarity, lead and rightness of first choices, with the own member and without."""
    for one in asked:
        others = [max(0.0, float(v)) for v in one.others[:2]] + [0.0]
        yield float(one.others[0]), float(one.others[0]) - others[1], False
        if not np.isnan(one.own):
            best = max(one.own, float(one.others[0]))
            other = min(max(0.0, one.own), others[0]) if one.own < best else others[0]
            yield best, best - other, one.own == best


def fitted(ways: Mapping[str, Sequence[Asked]], thresh: float) -> tuple[float, float]:
    """Return start and slope of how likely a first choice is right that leads by enough.

    The slope is by thresholds; each way weighs the same.
    """
    from sklearn.linear_model import LogisticRegression

    rows: list[tuple[float, bool]] = []
    weights: list[float] = []
    for asked in ways.values():
        clear = [(value, right) for value, lead, right in choices(asked) if lead >= MARGIN]
        near = [(value, right) for value, right in clear if value >= _LEAST_CHOICE * thresh]
        rows += near
        weights += [1 / len(near)] * len(near)
    values = np.array(rows, np.float64)
    weight = np.array(weights) * len(rows) / len(ways)
    model = LogisticRegression(C=np.inf).fit(
        values[:, :1] / thresh, values[:, 1], sample_weight=weight
    )
    return float(model.intercept_[0]), float(model.coef_[0, 0])


def reliability(ways: Mapping[str, Sequence[Asked]], thresh: float) -> Iterator[str]:
    """Yield how many first choices that lead by enough are right, by similarity."""
    found = [c for asked in ways.values() for c in choices(asked) if c[1] >= MARGIN]
    for low, high in pairwise((0.4, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.3, 9.0)):
        right = [r for value, _, r in found if low * thresh <= value < high * thresh]
        yield f"{low:.1f} to {high:.1f} thresholds: {len(right):5d}, {np.mean(right):.3f} right"


def table(ways: Mapping[str, Sequence[Asked]]) -> list[str]:
    """Return what was measured, line by line."""
    lines = []
    for name, asked in ways.items():
        there = sum(not np.isnan(one.own) for one in asked)
        lines.append(f"{name}: {len(asked)} asked, {there} of them in the cast")
        lines.append("thresh  margin  named rightly  wrongly  strangers named")
        for thresh in np.arange(0.38, 0.56, 0.01):
            for margin in MARGINS:
                right, wrong, strange = rates(asked, thresh, margin)
                lines.append(
                    f"{thresh:<6.2f}  {margin:<6.2f}  {right:13.3f}  {wrong:7.3f}  {strange:.4f}"
                )
    found = proposed(ways)
    if found is None:
        return [*lines, "no threshold names hardly anybody wrongly"]
    start, slope = fitted(ways, found)
    return [
        *lines,
        f"match_thresh {found:.2f}, match_margin {MARGIN:.2f}",
        *reliability(ways, found),
        f"confidence: start {start:.1f}, slope {slope:.1f}",
    ]


def main(given: Sequence[str] | None = None) -> int:
    """Measure and print; return 0, or 1 if it cannot be measured."""
    parser = argparse.ArgumentParser(
        description="Measures a pack's thresholds for names.", prog="calibrate_gallery"
    )
    parser.add_argument("--models", default="auto", help="the runs' pack")
    parser.add_argument("runs", nargs="+", metavar="TRUTH=RUN_FOLDER")
    args = parser.parse_args(given)
    try:
        runs = runs_of(args.runs)
        embedder = open_pack(Settings.from_env(), args.models, print).face_embedder()
        ways = ways_of([known_of(truth, run, embedder) for truth, run in runs])
    except (BenchError, ScreenalyticsError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(table(ways)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
