"""Takes a person's pictures and vectors out of artifacts. Pure: values in, values out.

Rows stay where they are, so that every number that points to one still does: a vector becomes
zeros, a crop disappears with its name. When and where somebody was seen is no biometric datum
and stays; seconds are counted from it.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Collection
from typing import IO, Any, Final, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from screenalytics_core.artifacts import ArtifactKind

MADE_OF_REDACTED: Final = frozenset(
    {ArtifactKind.CAST, ArtifactKind.SCREEN_TIME, ArtifactKind.REPORT}
)
"""What may be made from artifacts that somebody was taken out of: names, and sums of rows.

Who is whom was told before. Vectors of zeros would tell people apart wrongly; here they only
resemble nobody, and a picture that is gone is not shown.
"""


def faces_of(faces: pa.Table, track_ids: Collection[int]) -> pa.Table:
    """Return the rows of `artifacts.FACES` of some tracks."""
    return faces.filter(_is_one_of(faces["track_id"], track_ids))


def without_crops(faces: pa.Table, track_ids: Collection[int]) -> pa.Table:
    """Return `artifacts.FACES` in which the faces of some tracks have no picture."""
    gone = _is_one_of(faces["track_id"], track_ids)
    crops = pc.if_else(gone, pa.scalar(None, pa.string()), faces["crop"])
    return faces.set_column(faces.column_names.index("crop"), faces.field("crop"), crops)


def with_entries(archive: IO[bytes], names: Collection[str]) -> IO[bytes]:
    """Return crops.zip with some of its entries alone, byte for byte, rewound."""
    made = cast(IO[bytes], tempfile.TemporaryFile())  # noqa: SIM115 - the store closes it
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as new:
        for info in old.infolist():
            if info.filename in names:
                new.writestr(info, old.read(info))
    made.seek(0)
    return made


def without_vectors(vectors: NDArray[Any], rows: Collection[int]) -> NDArray[Any]:
    """Return (N, D) vectors with zeros in some rows."""
    kept = np.array(vectors)
    kept[sorted(rows)] = 0
    return kept


def embedding_rows(faces: pa.Table, track_ids: Collection[int]) -> frozenset[int]:
    """Return the rows of faces_embeddings.npy of some tracks."""
    rows = faces_of(faces, track_ids)
    return frozenset(rows["embedding_row"].drop_null().to_pylist())


def without_representatives(track_reps: pa.Table, track_ids: Collection[int]) -> pa.Table:
    """Return `artifacts.TRACK_REPS` in which nothing of some tracks' faces is left.

    Their vectors are zeros and their clarity is 0; what was left out of tracks is null in all.
    """
    rows = track_reps.to_pylist()
    for row in rows:
        if row["track_id"] in track_ids:
            row["embedding"] = [0.0] * len(row["embedding"])
            row["clarity"] = 0.0
        # Faces that are left out may be theirs in whosever track they stand.
        row["left_out_embedding"] = None
    return pa.Table.from_pylist(rows, schema=track_reps.schema)


def appearance_rows(body_tracks: pa.Table, body_track_ids: Collection[int]) -> frozenset[int]:
    """Return the rows of body_embeddings.npy of some body tracks."""
    rows = body_tracks.filter(_is_one_of(body_tracks["body_track_id"], body_track_ids))
    return frozenset(rows["appearance_row"].drop_null().to_pylist())


def body_detection_rows(
    body_detections: pa.Table, body_tracks: pa.Table, body_track_ids: Collection[int]
) -> frozenset[int]:
    """Return the rows of body_appearance.npy of some body tracks."""
    tracks = body_tracks.filter(_is_one_of(body_tracks["body_track_id"], body_track_ids))
    wanted = pc.list_flatten(tracks["detection_ids"].combine_chunks()).drop_null()
    found = pc.is_in(body_detections["detection_id"], wanted).to_numpy()
    return frozenset(np.flatnonzero(found).tolist())


def _is_one_of(column: Any, ids: Collection[int]) -> Any:
    return pc.is_in(column, pa.array(sorted(ids), pa.int64()))
