"""`track_fusion`: whose each body is, from when to when, and the scenes of the episode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from screenalytics_core.artifacts import TRACK_FUSION, ArtifactKind
from screenalytics_core.errors import InputConflictError
from screenalytics_core.steps.base import ArtifactData, Step, StepInput, StepOutput
from screenalytics_core.vision.body_bridging import LIKENESS
from screenalytics_core.vision.body_votes import NOBODY
from screenalytics_core.vision.box_tracks import BoxTracks, box_tracks
from screenalytics_core.vision.boxes import Float64Array
from screenalytics_core.vision.fusion import Association, Looks, People, fuse
from screenalytics_core.vision.models.protocols import FloatArray
from screenalytics_core.vision.scenes import Scene, ShotSpan, find_scenes

METHOD: Final = "votes of faces in bodies; appearance bridges within a scene"


def run(step: StepInput) -> Mapping[ArtifactKind, ArtifactData]:
    """Make `track_fusion`.

    Raises:
        InputConflictError: The identities are not of these tracks, or nobody knows how to
            compare the bodies' vectors.
    """
    shots: list[dict[str, Any]] = step.read(ArtifactKind.SHOTS)["shots"]
    frame_times_s: Float64Array = step.read(ArtifactKind.SHOTS, "frame_times")
    faces = box_tracks(step.read(ArtifactKind.TRACKS), "track_id")
    body_table: pa.Table = step.read(ArtifactKind.BODY_TRACKS)
    bodies = box_tracks(body_table, "body_track_id")
    document: dict[str, Any] = step.read(ArtifactKind.IDENTITIES)
    names = sorted(str(row["identity_id"]) for row in document["identities"])
    people = _people(names, document["memberships"], faces)
    scenes = _scenes(shots, faces, people)
    max_bridge_s = float(step.settings.body_bridge_s)
    looks = _looks(body_table, step.read(ArtifactKind.BODY_TRACKS, "body_embeddings"))
    associations = fuse(faces, people, bodies, looks, scenes, frame_times_s, max_bridge_s)
    step.progress(len(bodies), len(bodies), "bodies tied to people")
    looked_at = step.read(ArtifactKind.BODY_DETECTIONS, "body_sampled_frames")
    return {
        ArtifactKind.TRACK_FUSION: {
            "track_fusion": TRACK_FUSION.conform(
                {
                    "method": METHOD,
                    "has_bodies": len(looked_at) > 0,
                    "body_bridge_s": max_bridge_s,
                    "associations": [_association_row(a, names) for a in associations],
                    "scenes": [
                        {"scene_id": number, **scene._asdict()}
                        for number, scene in enumerate(scenes)
                    ],
                }
            )
        }
    }


def _people(
    names: Sequence[str], memberships: Sequence[Mapping[str, Any]], faces: BoxTracks
) -> People:
    """Return whose each face track is, as a place in `names`, and how sure that is."""
    known = {int(row["track_id"]): row for row in memberships}
    differing = sorted(set(known) ^ set(faces.ids.tolist()))
    if differing:
        raise InputConflictError(
            thing="identities",
            reason=f"were made of other tracks: {len(differing)} are only here or only there, the "
            f"first is {differing[0]}",
            way_out="Run the cluster stage again in a new run.",
        )
    number = {name: place for place, name in enumerate(names)}
    rows = [known[track_id] for track_id in faces.ids.tolist()]
    return People(
        np.array([number.get(row["identity_id"], NOBODY) for row in rows], np.int64),
        np.array([row["confidence"] for row in rows], np.float64),
    )


def _scenes(shots: Sequence[Mapping[str, Any]], faces: BoxTracks, people: People) -> list[Scene]:
    spans = [ShotSpan(s["shot_id"], s["start_s"], s["end_s"]) for s in shots]
    known = np.flatnonzero(people.identities != NOBODY)
    owners = people.identities[known].tolist()
    return find_scenes(spans, zip(faces.shot_ids[known].tolist(), owners, strict=True))


def _looks(body_tracks: pa.Table, embeddings: FloatArray) -> Looks:
    """Return the bodies' vectors in the order of their ids.

    Vectors of different kinds are never compared: one run has one kind.
    """
    table = body_tracks.select(["body_track_id", "appearance_row", "appearance"])
    table = table.sort_by("body_track_id")
    has_vector = table.column("appearance_row").is_valid().to_numpy()
    rows = table.column("appearance_row").fill_null(0).to_numpy()
    vectors = np.full((table.num_rows, embeddings.shape[1]), np.nan)
    vectors[has_vector] = embeddings[rows[has_vector]]
    kinds = sorted(set(table.column("appearance").drop_null().to_pylist()))
    if not kinds or not has_vector.any():
        return Looks(vectors, None)
    if len(kinds) > 1 or kinds[0] not in LIKENESS:
        raise InputConflictError(
            thing="body_tracks",
            reason=f"have appearance vectors of {', '.join(kinds)}, which cannot be compared",
            way_out="Run the body_tracking stage again in a new run. "
            f"Known are {', '.join(LIKENESS)}.",
        )
    return Looks(vectors, LIKENESS[kinds[0]])


def _association_row(row: Association, names: Sequence[str]) -> dict[str, Any]:
    nobody = row.identity == NOBODY
    return {
        "body_track_id": row.body_track_id,
        "start_s": row.start_s,
        "end_s": row.end_s,
        "identity_id": None if nobody else names[row.identity],
        "evidence": row.evidence.value,
        "track_ids": list(row.track_ids),
        "shared_frames": row.shared_frames,
        "similarity": row.similarity,
        "gap_s": row.gap_s,
        "confidence": row.confidence,
    }


STEP: Final = Step(
    "track_fusion",
    (
        StepOutput(
            "track_fusion",
            (ArtifactKind.TRACK_FUSION,),
            version="2",
            inputs=(
                ArtifactKind.SHOTS,
                ArtifactKind.TRACKS,
                ArtifactKind.IDENTITIES,
                ArtifactKind.BODY_DETECTIONS,
                ArtifactKind.BODY_TRACKS,
            ),
            settings=("body_bridge_s",),
        ),
    ),
    run,
    "Whose each body is: by the face in it, else by its appearance within the scene",
)
