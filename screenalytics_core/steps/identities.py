"""`identities`: tracks grouped into people, by the machine alone.

Tracks are joined by average linkage, never two that were seen at one time in different
places, and more easily two of which one begins where the other has just ended. A track that
does not resemble its group leaves it and stands alone. To be a person, a group needs a clear
track or several doubtful ones; the tracks of the others, and tracks without any usable face,
are unassigned: their time counts as unknown.

`memberships` says for each track how sure its identity is and whose it may be instead (of
one of which some faces show somebody else, that one), `alike`
which identities may be one person: what the bounds of screen time are made of. A person is as
sure as their tracks on average.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from screenalytics_core.artifacts import EMBEDDING_DIM, IDENTITIES, ArtifactKind
from screenalytics_core.config import SettingsView
from screenalytics_core.steps.base import ArtifactData, Step, StepInput, StepOutput
from screenalytics_core.vision.alike import Alike, alike_groups
from screenalytics_core.vision.cannot_link import cannot_link_of
from screenalytics_core.vision.clustering import cluster_tracks
from screenalytics_core.vision.continuity import TrackEnds, continuations
from screenalytics_core.vision.face_quality import RejectReason
from screenalytics_core.vision.identities import (
    Person,
    TrackVectors,
    evidence,
    part_strangers,
    people_of,
    strong_groups,
)
from screenalytics_core.vision.intervals import total_s
from screenalytics_core.vision.memberships import Membership, memberships_of, with_other
from screenalytics_core.vision.mixed_tracks import mixed_tracks
from screenalytics_core.vision.models.protocols import FloatArray
from screenalytics_core.vision.observed import ascending, fixed_vectors

# Of identities that no frame shows beside each other a third are one person from here on, and one
# in sixty below it, in parts of the similarity that joins (docs/evaluation.md).
_ALIKE: Final = 1.1
METHOD: Final = "average linkage on cosine similarity times clarity, cannot-link, continuity"


def run(step: StepInput) -> Mapping[ArtifactKind, ArtifactData]:
    """Make `identities`."""
    tracks: pa.Table = step.read(ArtifactKind.TRACKS)
    faces: pa.Table = step.read(ArtifactKind.FACES)
    reps = ascending(step.read(ArtifactKind.TRACK_REPS), "track_id")
    vectors = _vectors(reps, faces, tracks, step.settings.det_thresh)
    left_out = _left_out(reps)
    # The vectors of thousands of tracks stand in arrays by now; Arrow keeps what nobody needs.
    reps = reps.drop(["embedding", "left_out_embedding"])
    pa.default_memory_pool().release_unused()
    pairs = cannot_link_of(tracks)
    groups = _groups(tracks, vectors, pairs, step.settings)
    memberships = memberships_of(groups, vectors, pairs, step.settings.cluster_thresh)
    mixed = mixed_tracks(left_out, groups, vectors, step.settings.cluster_thresh)
    memberships = [with_other(m, mixed.get(m.track_id)) for m in memberships]
    people = people_of(groups, vectors, np.array([m.confidence for m in memberships]))
    alike = alike_groups(groups, vectors, pairs, _ALIKE * step.settings.cluster_thresh)
    return {
        ArtifactKind.IDENTITIES: {
            "identities": IDENTITIES.conform(
                {
                    "method": METHOD,
                    "cluster_thresh": step.settings.cluster_thresh,
                    "min_identity_sim": step.settings.min_identity_sim,
                    "cannot_link_pairs": len(pairs),
                    "unassigned_track_ids": _unassigned(tracks, people),
                    "identities": _rows(people, reps, faces),
                    "memberships": _membership_rows(memberships, tracks),
                    "alike": _alike_rows(alike),
                }
            )
        }
    }


def _groups(
    tracks: pa.Table, vectors: TrackVectors, pairs: NDArray[np.int64], settings: SettingsView
) -> list[Sequence[int]]:
    ends = TrackEnds.of(tracks)
    joined = cluster_tracks(
        vectors.track_ids,
        vectors.embeddings,
        pairs,
        settings.cluster_thresh,
        continuations(ends),
    )
    parted = part_strangers(joined, vectors, settings.min_identity_sim)
    return _in_order(strong_groups(parted, vectors), tracks)


def _vectors(reps: pa.Table, faces: pa.Table, tracks: pa.Table, det_thresh: float) -> TrackVectors:
    track_ids = reps.column("track_id").to_numpy()
    clarities = reps.column("clarity").to_numpy()
    embeddings = fixed_vectors(reps.column("embedding").combine_chunks(), EMBEDDING_DIM)
    np.multiply(embeddings, clarities[:, None], out=embeddings, casting="same_kind")
    is_sure = pc.not_equal(faces.column("reject_reason"), RejectReason.LOW_CONFIDENCE.value)
    usable = faces.filter(pc.and_(faces.column("accepted"), pc.fill_null(is_sure, True)))
    ordered = tracks.sort_by("track_id")
    rows = np.searchsorted(ordered.column("track_id").to_numpy(), track_ids)
    return TrackVectors(
        track_ids=track_ids,
        embeddings=embeddings,
        evidence=evidence(
            _counts(usable.column("track_id").to_numpy(), track_ids),
            clarities,
            ordered.column("mean_confidence").to_numpy()[rows],
            det_thresh,
        ),
    )


def _left_out(reps: pa.Table) -> dict[int, FloatArray]:
    """Return track_id -> what those faces show that its vector is not made of."""
    some = reps.filter(pc.is_valid(reps.column("left_out_embedding")))
    vectors = fixed_vectors(some.column("left_out_embedding").combine_chunks(), EMBEDDING_DIM)
    return dict(zip(some.column("track_id").to_pylist(), vectors, strict=True))


def _counts(owners: Any, track_ids: Any) -> Any:
    """Return how often each of the ascending `track_ids` is in `owners`."""
    ordered = np.sort(owners)
    return np.searchsorted(ordered, track_ids, "right") - np.searchsorted(ordered, track_ids)


def _in_order(groups: Sequence[Sequence[int]], tracks: pa.Table) -> list[Sequence[int]]:
    """Order groups by face time, then first appearance, then lowest track id."""
    track_ids = tracks.column("track_id").to_numpy()
    by_id = np.argsort(track_ids)
    start_s = tracks.column("start_s").to_numpy()
    end_s = tracks.column("end_s").to_numpy()

    def rank(group: Sequence[int]) -> tuple[float, float, int]:
        rows = by_id[np.searchsorted(track_ids, group, sorter=by_id)]
        time_s = total_s(zip(start_s[rows].tolist(), end_s[rows].tolist(), strict=True))
        # Sums of the same frames at another time differ in their last digits.
        return -round(time_s, 6), float(start_s[rows].min()), group[0]

    return sorted(groups, key=rank)


def _unassigned(tracks: pa.Table, people: Sequence[Person]) -> list[int]:
    assigned = {track_id for person in people for track_id in person.track_ids}
    return sorted(set(tracks.column("track_id").to_pylist()) - assigned)


def _rows(people: Sequence[Person], reps: pa.Table, faces: pa.Table) -> list[dict[str, Any]]:
    accepted = faces.filter(faces.column("accepted"))
    rep_ids = reps.column("track_id").to_numpy()
    face_counts = _counts(accepted.column("track_id").to_numpy(), rep_ids)
    best_faces = reps.column("representative_face_id").to_numpy()
    quality = dict(
        zip(accepted["face_id"].to_pylist(), accepted["quality"].to_pylist(), strict=True)
    )
    rows = []
    for place, person in enumerate(people):
        members = np.searchsorted(rep_ids, person.track_ids)
        candidates = best_faces[members].tolist()
        rows.append(
            {
                "identity_id": _identity_id(place),
                "track_ids": list(person.track_ids),
                "face_count": int(face_counts[members].sum()),
                "cohesion": person.cohesion,
                "representative_face_id": max(candidates, key=lambda f: (quality[f], -f)),
                "confidence": person.confidence,
            }
        )
    return rows


def _identity_id(place: int) -> str:
    return f"id_{place + 1:04d}"


def _membership_rows(memberships: Sequence[Membership], tracks: pa.Table) -> list[dict[str, Any]]:
    """Return a row per face track, ascending; of one without a usable face nothing is known."""
    known = {m.track_id: m for m in memberships}
    rows = []
    for track_id in sorted(tracks.column("track_id").to_pylist()):
        m = known.get(track_id) or Membership(track_id, None, None, None, None, 0.0)
        rows.append(
            {
                "track_id": track_id,
                "identity_id": None if m.group is None else _identity_id(m.group),
                "similarity": m.similarity,
                "rival_id": None if m.rival is None else _identity_id(m.rival),
                "rival_similarity": m.rival_similarity,
                "confidence": m.confidence,
            }
        )
    return rows


def _alike_rows(pairs: Sequence[Alike]) -> list[dict[str, Any]]:
    return [
        {
            "identity_id": _identity_id(pair.first),
            "other_id": _identity_id(pair.second),
            "similarity": pair.similarity,
        }
        for pair in pairs
    ]


STEP = Step(
    name="identities",
    outputs=(
        StepOutput(
            name="identities",
            kinds=(ArtifactKind.IDENTITIES,),
            version="13",
            inputs=(
                ArtifactKind.TRACKS,
                ArtifactKind.FACES,
                ArtifactKind.FACES_EMBEDDINGS,
                ArtifactKind.TRACK_REPS,
            ),
            settings=("det_thresh", "cluster_thresh", "min_identity_sim"),
        ),
    ),
    run=run,
    description="Tracks grouped into people by what their faces look like",
)
