"""Checks of faces and of what the embedder says of them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from screenalytics_assets.checks.base import (
    Check,
    Findings,
    Outcome,
    Values,
    column,
    is_unit_length,
    outside,
)
from screenalytics_assets.checks.quality import judge
from screenalytics_core.artifacts import EMBEDDING_DIM, ArtifactKind
from screenalytics_core.vision.observed import fixed_vectors
from screenalytics_core.vision.quality_counters import face_counters


def _fit_the_tracks(values: Values) -> Outcome:
    found = Findings()
    found.rows_of(values, ArtifactKind.FACES)
    faces: pa.Table = values.read(ArtifactKind.FACES)
    accepted = faces.filter(faces.column("accepted"))
    rows = accepted.column("embedding_row").to_pylist()
    found.must(
        rows == list(range(len(rows))), "embedding rows of accepted faces do not count up from 0"
    )
    rejected = faces.filter(pc.invert(faces.column("accepted")))
    found.no_row(
        rejected.column("reject_reason").is_null().to_numpy(), "of rejected faces give no reason"
    )
    if values.has(ArtifactKind.TRACKS):
        known = column(values.read(ArtifactKind.TRACKS), "track_id")
        found.no_row(~np.isin(column(faces, "track_id"), known), "name a track that does not exist")
    if values.has(ArtifactKind.DETECTIONS):
        known = column(values.read(ArtifactKind.DETECTIONS), "detection_id")
        stray = ~np.isin(column(faces, "detection_id"), known)
        found.no_row(stray, "name a detection that does not exist")
    crops = set(values.read(ArtifactKind.FACES, "crops"))
    missing = [name for name in accepted.column("crop").to_pylist() if name not in crops]
    found.none_of(missing, "accepted faces have no picture in crops.zip")
    found.show(accepted=accepted.num_rows, crops=len(crops))
    return found.outcome(f"{faces.num_rows} faces of existing tracks, {len(rows)} accepted.")


def _faces_are_in_range(values: Values) -> Outcome:
    found = Findings()
    faces: pa.Table = values.read(ArtifactKind.FACES)
    for name in ("confidence", "quality", "frontality"):
        found.no_row(outside(column(faces, name), 0, 1), f"have a {name} outside 0 to 1")
    for name in ("sharpness", "size_px"):
        found.no_row(outside(column(faces, name), 0), f"have a {name} below 0")
    return found.outcome("Confidence, quality, pose and sharpness lie in their ranges.")


def _quality(values: Values) -> Outcome:
    tracks: pa.Table = values.read(ArtifactKind.TRACKS)
    return judge(face_counters(tracks.num_rows, values.read(ArtifactKind.FACES)))


def _fit_the_faces(values: Values) -> Outcome:
    found = Findings()
    found.rows_of(values, ArtifactKind.FACES_EMBEDDINGS)
    found.rows_of(values, ArtifactKind.TRACK_REPS)
    faces: pa.Table = values.read(ArtifactKind.FACES)
    accepted = faces.filter(faces.column("accepted"))
    vectors = values.read(ArtifactKind.FACES_EMBEDDINGS)
    found.must(
        len(vectors) == accepted.num_rows,
        f"{len(vectors)} vectors do not fit {accepted.num_rows} accepted faces",
    )
    reps: pa.Table = values.read(ArtifactKind.TRACK_REPS)
    owner = dict(
        zip(
            accepted.column("face_id").to_pylist(),
            accepted.column("track_id").to_pylist(),
            strict=True,
        )
    )
    wrong = [_is_of_others(row, owner) for row in _rep_rows(reps)]
    found.no_row(np.array(wrong, np.bool_), "of track_reps name faces that are not their track's")
    bare = set(owner.values()) - set(reps.column("track_id").to_pylist())
    found.none_of(sorted(bare), "tracks with an accepted face have no vector")
    return found.outcome(f"{len(vectors)} accepted faces and {reps.num_rows} tracks have a vector.")


def _rep_rows(reps: pa.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = reps.drop_columns(["embedding", "left_out_embedding"]).to_pylist()
    return rows


def _is_of_others(rep: dict[str, Any], owner: dict[int, int]) -> bool:
    """Tell whether a track's vector was pooled of anything but its own accepted faces."""
    return (
        not rep["face_ids"]
        or rep["representative_face_id"] not in rep["face_ids"]
        or any(owner.get(face_id) != rep["track_id"] for face_id in rep["face_ids"])
    )


def _vectors_have_unit_length(values: Values) -> Outcome:
    found = Findings()
    vectors = values.read(ArtifactKind.FACES_EMBEDDINGS)
    reps: pa.Table = values.read(ArtifactKind.TRACK_REPS)
    found.no_row(~is_unit_length(vectors), "of faces_embeddings have another length than 1")
    pooled = fixed_vectors(reps.column("embedding").combine_chunks(), EMBEDDING_DIM)
    found.no_row(~is_unit_length(pooled), "of track_reps have a vector of another length than 1")
    left_out = reps.column("left_out_embedding").drop_null().combine_chunks()
    found.no_row(
        ~is_unit_length(fixed_vectors(left_out, EMBEDDING_DIM)),
        "of track_reps have a left_out_embedding of another length than 1",
    )
    found.no_row(outside(column(reps, "spread"), 0, 2), "of track_reps have no spread in 0 to 2")
    found.no_row(outside(column(reps, "clarity"), 0, 1), "of track_reps have no clarity in 0 to 1")
    return found.outcome(f"All {len(vectors)} + {len(pooled)} vectors have length 1.")


FACES: Final = (
    Check(
        "rows_fit_the_tracks",
        "As many rows as the manifest says; tracks, detections and pictures of them exist.",
        _fit_the_tracks,
    ),
    Check(
        "values_in_range",
        "Confidence, quality and frontality lie in 0 to 1, size and sharpness above 0.",
        _faces_are_in_range,
    ),
    Check(
        "quality_within_limits",
        "Enough faces per track, and few that fail a gate; a warning says what to change.",
        _quality,
    ),
)
EMBEDDINGS: Final = (
    Check(
        "rows_fit_the_faces",
        "One vector per accepted face, and one per track that has any, pooled of its own faces.",
        _fit_the_faces,
    ),
    Check(
        "unit_length",
        "Every vector has an L2 norm of 1, to within 0.001.",
        _vectors_have_unit_length,
    ),
)
