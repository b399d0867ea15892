"""`cast`: who is who. The machine's identities, what people decided, and the show's gallery.

Without decisions and a gallery, every identity is itself, unnamed. Decisions are found again by
what was seen, so that they hold whatever the tracks and the clusters are now. The gallery first
divides identities in which it surely sees somebody and somebody else (`gallery.parting`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from screenalytics_core.artifacts import CAST, EMBEDDING_DIM, ArtifactKind
from screenalytics_core.decisions.anchors import TrackFinder
from screenalytics_core.decisions.apply import decide, people_rows
from screenalytics_core.decisions.naming import Named
from screenalytics_core.decisions.standing import FoundDecision, find_all
from screenalytics_core.gallery.matching import Looks, Matches, apart_identities, match
from screenalytics_core.gallery.model import Gallery
from screenalytics_core.gallery.parting import Limits, TrackLooks, parted
from screenalytics_core.steps.base import ArtifactData, Step, StepInput, StepOutput
from screenalytics_core.vision.cannot_link import cannot_link_of
from screenalytics_core.vision.observed import fixed_vectors


def run(step: StepInput) -> Mapping[ArtifactKind, ArtifactData]:
    """Make `cast`: a row per identity, in their order, then those of single tracks."""
    identities: list[dict[str, Any]] = step.read(ArtifactKind.IDENTITIES)["identities"]
    tracks: pa.Table = step.read(ArtifactKind.TRACKS)
    seconds = _seconds(tracks)
    divided = _divided(step, {row["identity_id"]: row["track_ids"] for row in identities})
    named = decide(divided, _found(step, tracks), seconds)
    matches = _matches(step, named, tracks)
    whole = {row["identity_id"] for row in identities}
    part_of = {t: part for part, own in divided.items() if part not in whole for t in own}
    labels = {m.cast_id: m.label for m in step.gallery.members} if step.gallery else {}
    document = {
        "show": step.gallery.show if step.gallery else None,
        "people": people_rows(identities, named, matches.named, labels, part_of),
        "suggestions": [asdict(suggestion) for suggestion in matches.suggestions],
    }
    return {ArtifactKind.CAST: {"cast": CAST.conform(document)}}


def _found(step: StepInput, tracks: pa.Table) -> tuple[FoundDecision, ...]:
    """Return the decisions that hold; those that no track is left of are told."""
    if not step.decisions:
        return ()
    finder = TrackFinder(
        tracks,
        step.read(ArtifactKind.SHOTS, "frame_times"),
        step.artifacts[ArtifactKind.TRACKS].files[0].sha256,
    )
    found = find_all(step.decisions, finder.find)
    for one in found:
        if one.is_lost:
            step.note(
                ArtifactKind.CAST,
                f"Decision {one.decision.sequence} ({_told(one)}) says nothing in this run: no "
                "track of it is found again.",
            )
    return found


def _told(one: FoundDecision) -> str:
    decision = one.decision
    named = [decision.label] if decision.label else []
    return " ".join([decision.verb.value.replace("_", " "), *decision.identity_ids, *named])


def _seconds(tracks: pa.Table) -> dict[int, float]:
    lengths_s = tracks.column("end_s").to_numpy() - tracks.column("start_s").to_numpy()
    return dict(zip(tracks.column("track_id").to_pylist(), lengths_s.tolist(), strict=True))


def _divided(
    step: StepInput, identities: Mapping[str, Sequence[int]]
) -> Mapping[str, Sequence[int]]:
    """Return the identities as the gallery divides them."""
    if step.gallery is None or not step.gallery.members:
        return identities
    limits = Limits(
        match_thresh=step.settings.match_thresh,
        match_margin=step.settings.match_margin,
        cluster_thresh=step.read(ArtifactKind.IDENTITIES)["cluster_thresh"],
    )
    looks = TrackLooks.of(step.read(ArtifactKind.TRACK_REPS))
    return parted(identities, looks, step.gallery.members, limits)


def _matches(step: StepInput, named: Named, tracks: pa.Table) -> Matches:
    """Return whom the gallery names of those of whom nothing was decided."""
    if step.gallery is None or not step.gallery.members:
        return Matches({}, ())
    return _asked(step, step.gallery, named, tracks)


def _asked(step: StepInput, gallery: Gallery, named: Named, tracks: pa.Table) -> Matches:
    persons = named.people.persons
    owner_of = {t: p.person_id for p in persons.values() for t in p.tracks}
    # A track that was called otherwise than its person is somebody of its own.
    alone = {t: f"track {t}" for t in named.of_tracks}
    owner_of.update(alone)
    pairs = cannot_link_of(tracks)
    apart = apart_identities([(a, b) for a, b in pairs.tolist()], owner_of)
    fixed = {person_id: name.cast_id for person_id, name in named.of_persons.items()}
    fixed.update((alone[t], name.cast_id) for t, name in named.of_tracks.items())
    looks = _looks(
        step.read(ArtifactKind.TRACK_REPS),
        {p.person_id: sorted(p.tracks - set(alone)) for p in persons.values()},
    )
    return match(
        looks,
        apart | named.people.split,
        gallery,
        match_thresh=step.settings.match_thresh,
        match_margin=step.settings.match_margin,
        fixed=fixed,
    )


def _looks(reps: pa.Table, tracks_of: Mapping[str, Sequence[int]]) -> dict[str, Looks]:
    rows = {track_id: row for row, track_id in enumerate(reps.column("track_id").to_pylist())}
    embeddings = fixed_vectors(reps.column("embedding").combine_chunks(), EMBEDDING_DIM)
    clarities = reps.column("clarity").to_numpy()
    looks = {}
    for person_id, track_ids in tracks_of.items():
        known = np.array([rows[t] for t in track_ids if t in rows], np.int64)
        looks[person_id] = Looks(embeddings[known], clarities[known])
    return looks


STEP = Step(
    name="cast",
    outputs=(
        StepOutput(
            name="cast",
            kinds=(ArtifactKind.CAST,),
            version="4",
            inputs=(
                ArtifactKind.SHOTS,
                ArtifactKind.TRACKS,
                ArtifactKind.TRACK_REPS,
                ArtifactKind.IDENTITIES,
            ),
            settings=("match_thresh", "match_margin"),
            reads_decisions=True,
            reads_gallery=True,
        ),
    ),
    run=run,
    description="Who is who: the machine's identities, people's decisions, the show's gallery",
)
