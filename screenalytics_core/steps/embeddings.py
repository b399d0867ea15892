"""`faces_embeddings` and `track_reps`: what the embedder says of each face and each track.

They come from one step because a vector's length, which only the embedder's own output has,
tells how much of a face it saw: it weighs the faces of a track, becomes the track's clarity and
is then normalised away. Vectors are seen from where the embedder puts faces that nobody could
tell (see `recognisability`), or blurred strangers would all look alike.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, Final

import numpy as np
import pyarrow as pa

from screenalytics_core.artifacts import EMBEDDING_DIM, TRACK_REPS, ArtifactKind
from screenalytics_core.crops import decode_crop, read_jpegs
from screenalytics_core.errors import ModelError
from screenalytics_core.steps.base import ArtifactData, Step, StepInput, StepOutput
from screenalytics_core.vision.models.protocols import FaceEmbedder, FloatArray, Image
from screenalytics_core.vision.pooling import normalised, pool
from screenalytics_core.vision.recognisability import (
    Unknowable,
    lit,
    reference_rows,
    unrecognisable,
)
from screenalytics_core.vision.row_blocks import lengths, replace_rows

Embed = Callable[[Image], FloatArray]
"""(N, 112, 112, 3) crops to (N, 512) vectors."""

_IN_FLIGHT_PER_WORKER: Final = 2


def run(step: StepInput) -> Mapping[ArtifactKind, ArtifactData]:
    """Make `faces_embeddings` and `track_reps`.

    Raises:
        ModelError: The embedder's file is unusable, or it gives a vector without direction.
        ArtifactCorruptError: A crop is not in the archive.
    """
    faces: pa.Table = step.read(ArtifactKind.FACES)
    accepted = faces.filter(faces.column("accepted")).sort_by("embedding_row")
    crops = accepted.column("crop").to_pylist()
    vectors = np.zeros((0, EMBEDDING_DIM), np.float32)
    unknowable = Unknowable.of(vectors)
    if crops:
        embedder = step.need_models().face_embedder()
        vectors = _embed(step, crops, lambda faces_: embedder.embed(lit(faces_)))
        _check(vectors, accepted, step)
        unknowable = _unknowable(step, crops, embedder)
    replace_rows(vectors, unknowable.taken_off)
    reps = _track_reps(accepted, vectors, unknowable.noise)
    replace_rows(vectors, normalised)
    return {
        ArtifactKind.FACES_EMBEDDINGS: {"embeddings": vectors},
        ArtifactKind.TRACK_REPS: {"track_reps": reps},
    }


def _embed(step: StepInput, crops: Sequence[str], embed: Embed) -> FloatArray:
    """Return (N, 512) vectors of the crops, in their order, as the embedder gives them."""
    vectors = np.zeros((len(crops), EMBEDDING_DIM), np.float32)
    workers = step.settings.workers or os.cpu_count() or 1
    done = 0
    with step.read(ArtifactKind.FACES, "crops") as archive:
        batches = _batched(read_jpegs(archive, crops), step.settings.embed_batch)
        for part in _embed_batches(embed, batches, workers):
            vectors[done : done + len(part)] = part
            done += len(part)
            step.progress(done, len(crops), "faces embedded")
    return vectors


def _unknowable(step: StepInput, crops: Sequence[str], embedder: FaceEmbedder) -> Unknowable:
    names = [crops[row] for row in reference_rows(len(crops)).tolist()]
    with step.read(ArtifactKind.FACES, "crops") as archive:
        faces = np.stack([decode_crop(jpeg) for jpeg in read_jpegs(archive, names)])
    return Unknowable.of(embedder.embed(unrecognisable(lit(faces))))


def _embed_batches(
    embed: Embed, batches: Iterator[list[bytes]], workers: int
) -> Iterator[FloatArray]:
    """Embed in threads, hand back in order; only a few batches are held at a time."""
    running: deque[Future[FloatArray]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="embed") as pool_:
        try:
            for batch in batches:
                if len(running) >= _IN_FLIGHT_PER_WORKER * workers:
                    yield running.popleft().result()
                running.append(pool_.submit(_embed_batch, embed, batch))
            while running:
                yield running.popleft().result()
        finally:
            for future in running:
                future.cancel()


def _embed_batch(embed: Embed, jpegs: list[bytes]) -> FloatArray:
    return embed(np.stack([decode_crop(jpeg) for jpeg in jpegs]))


def _batched(items: Iterator[bytes], size: int) -> Iterator[list[bytes]]:
    while batch := list(islice(items, size)):
        yield batch


def _check(vectors: FloatArray, accepted: pa.Table, step: StepInput) -> None:
    norms = lengths(vectors)
    bad = np.flatnonzero(~(np.isfinite(norms) & (norms > 0)))
    if len(bad):
        file = step.need_models().info.file("face_embedder")
        raise ModelError(
            thing=f"face embedder {file.name if file else ''}".rstrip(),
            reason=f"gives a vector of length {norms[bad[0]]} for face "
            f"{accepted.column('face_id')[int(bad[0])]}",
            way_out="The file is damaged or does not fit its device: install the pack again, "
            "or set embed_device=cpu.",
        )


def _track_reps(accepted: pa.Table, vectors: FloatArray, noise: float) -> pa.Table:
    """Pool each track's faces, weighted by quality and by their length."""
    face_ids = accepted.column("face_id").to_numpy()
    quality = accepted.column("quality").to_numpy()
    track_ids, starts = np.unique(accepted.column("track_id").to_numpy(), return_index=True)
    rows: list[dict[str, Any]] = []
    for track_id, members in zip(
        track_ids.tolist(), np.split(np.arange(len(face_ids)), starts[1:]), strict=False
    ):
        pooled = pool(vectors[members], quality[members], noise)
        kept = members[pooled.kept]
        rows.append(
            {
                "track_id": track_id,
                "representative_face_id": int(face_ids[kept[np.argmax(quality[kept])]]),
                "face_ids": face_ids[kept].tolist(),
                "embedding": pooled.embedding,
                "spread": pooled.spread,
                "clarity": pooled.clarity,
                "left_out_embedding": pooled.left_out,
            }
        )
    return TRACK_REPS.from_rows(rows)


STEP = Step(
    name="embeddings",
    outputs=(
        StepOutput(
            name="embeddings",
            kinds=(ArtifactKind.FACES_EMBEDDINGS, ArtifactKind.TRACK_REPS),
            version="5",
            inputs=(ArtifactKind.FACES,),
            settings=("embed_batch", "embed_device", "device"),
            launch_settings=("workers",),
            model_roles=("face_embedder",),
        ),
    ),
    run=run,
    description="A vector for each accepted face, and one for each track",
)
