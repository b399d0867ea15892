"""Which faces become prototypes: those that a member has, and those that are offered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Final

import cv2
import numpy as np
import pyarrow as pa

from screenalytics_core.crops import decode_crop, read_jpegs
from screenalytics_core.gallery.prototypes import (
    MAX_PER_EPISODE,
    MAX_PROTOTYPES,
    SAME_LOOK,
    Offer,
    Origin,
    PrototypeDraft,
    most_varied,
)
from screenalytics_core.gallery.records import Member, Prototype
from screenalytics_core.gallery.vectors import CropVectors, seen_together
from screenalytics_core.vision.models.protocols import FloatArray, Image
from screenalytics_core.vision.pooling import inliers

EmbedCrop = Callable[[str, Image], CropVectors]
"""(prototype id, (112, 112, 3) crop) to its vectors."""

# As long as the noise, as in `vision.identities`: below, a track is doubtful.
_CLEAR: Final = 0.5**0.5
# Each is held against each other one, so of a person who is always there not all are looked at.
_MOST_LOOKED_AT: Final = 600
_KNOWN: Final = "is there already"
_NOTHING_NEW: Final = "looks like one that is there"
_OTHERS: Final = f"{MAX_PROTOTYPES} others show more"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A member after an offer.

    Attributes:
        member: With the prototypes that are kept.
        vectors: Of those, in their order.
        pngs: prototype_id -> file content, of those that are new.
        offers: One for each draft, in their order.
    """

    member: Member
    vectors: CropVectors
    pngs: Mapping[str, bytes]
    offers: tuple[Offer, ...]


def prototype_id_of(crop_bgr: Image) -> str:
    """Return the name of a crop: a hash of its pixels."""
    return f"p-{hashlib.sha256(np.ascontiguousarray(crop_bgr).tobytes()).hexdigest()[:16]}"


def enrolled(
    member: Member,
    before: CropVectors,
    drafts: Sequence[PrototypeDraft],
    embed: EmbedCrop,
    *,
    by: str,
    at: str,
) -> Enrolment:
    """Offer faces to a member.

    Pictures that somebody gave are all kept, up to the limit; of an episode's faces those that
    look like none that is there. Over the limit, those stay that differ most.

    Args:
        before: Vectors of the member's prototypes, in their order.
    """
    known = {p.prototype_id: p.prototype_id for p in member.prototypes}
    known |= {p.source_sha256: p.prototype_id for p in member.prototypes if p.source_sha256}
    fresh: dict[str, PrototypeDraft] = {}
    for draft in drafts:
        name = prototype_id_of(draft.crop_bgr)
        if name not in known and (draft.source_sha256 or name) not in known:
            fresh[name] = draft
            known |= {name: name, draft.source_sha256 or name: name}
    pngs = {name: _png(draft.crop_bgr) for name, draft in fresh.items()}
    made = [embed(name, draft.crop_bgr) for name, draft in fresh.items()]
    vectors = CropVectors.joined([before, *made])
    prototypes = (
        *member.prototypes,
        *(_prototype(name, draft, pngs[name], by, at) for name, draft in fresh.items()),
    )
    varied, kept = _kept(prototypes, vectors, len(member.prototypes))
    chosen = tuple(prototypes[row] for row in kept)
    names = [p.prototype_id for p in chosen]
    told = _Told(known, set(fresh), set(names), {prototypes[row].prototype_id for row in varied})
    return Enrolment(
        member.with_prototypes(chosen),
        vectors.only(names),
        {name: png for name, png in pngs.items() if name in set(names)},
        tuple(told.offer(draft) for draft in drafts),
    )


@dataclass(slots=True)
class _Told:
    """What is said of each draft; of two equal ones the first is the new one."""

    known: Mapping[str, str]
    fresh: set[str]
    kept: set[str]
    varied: set[str]

    def offer(self, draft: PrototypeDraft) -> Offer:
        """Say what became of a draft."""
        own = prototype_id_of(draft.crop_bgr)
        name = self.known.get(own) or self.known[draft.source_sha256 or own]
        if name not in self.fresh:
            is_kept = name in self.kept
            return Offer(draft.source, name if is_kept else None, False, _KNOWN)
        if name in self.kept:
            self.fresh.discard(name)
            return Offer(draft.source, name, True, None)
        return Offer(draft.source, None, False, _OTHERS if name in self.varied else _NOTHING_NEW)


def _kept(
    prototypes: Sequence[Prototype], vectors: CropVectors, there: int
) -> tuple[list[int], list[int]]:
    """Return the rows that show something new, and those that are kept, ascending."""
    if not prototypes:
        return [], []
    embeddings, _ = seen_together(vectors)
    given = [row for row, p in enumerate(prototypes) if p.origin is Origin.IMAGE]
    # The best of all starts, so that the same faces offered again are chosen again.
    best = max(range(len(prototypes)), key=lambda row: (prototypes[row].quality, -row))
    first = sorted({*range(there), *given}) or [best]
    varied = most_varied(embeddings, first, len(prototypes), least_new=1 - SAME_LOOK)
    if len(varied) <= MAX_PROTOTYPES:
        return sorted(varied), sorted(varied)
    rows = sorted(varied)
    start = [rows.index(row) for row in given or [best]]
    chosen = most_varied(embeddings[rows], start, MAX_PROTOTYPES)
    return rows, sorted(rows[place] for place in chosen)


def _prototype(name: str, draft: PrototypeDraft, png: bytes, by: str, at: str) -> Prototype:
    return Prototype(
        prototype_id=name,
        origin=draft.origin,
        source=draft.source,
        quality=round(float(draft.quality), 4),
        sha256=hashlib.sha256(png).hexdigest(),
        source_sha256=draft.source_sha256,
        added_at=at,
        added_by=by,
        run=draft.run,
        track_id=draft.track_id,
    )


def _png(crop_bgr: Image) -> bytes:
    _, encoded = cv2.imencode(".png", crop_bgr)
    return encoded.tobytes()


def drafts_of(
    faces: pa.Table,
    embeddings: FloatArray,
    reps: pa.Table,
    crops: IO[bytes],
    track_ids: Sequence[int],
    *,
    run: str,
) -> list[PrototypeDraft]:
    """Return the faces of a person that are worth being prototypes: at most ten that differ.

    Only faces that passed every gate, of tracks that are clear and that were pooled; of those
    only what agrees with the rest, since the one that differs most may be somebody else.

    Args:
        faces: `faces`.
        embeddings: (M, 512) `faces_embeddings`, by `faces.embedding_row`.
        reps: `track_reps`.
        crops: crops.zip, open.
        track_ids: The person's tracks.
        run: `EP/RUN`.

    Raises:
        ArtifactCorruptError: A crop is not in the archive.
    """
    wanted = set(track_ids)
    pooled = {
        face_id
        for rep in reps.select(["track_id", "clarity", "face_ids"]).to_pylist()
        if rep["track_id"] in wanted and rep["clarity"] >= _CLEAR
        for face_id in rep["face_ids"]
    }
    rows = [
        face
        for face in faces.filter(faces.column("accepted")).to_pylist()
        if face["face_id"] in pooled and face["reject_reason"] is None
    ]
    if not rows:
        return []
    rows = sorted(rows, key=lambda f: (-f["quality"], f["face_id"]))[:_MOST_LOOKED_AT]
    looks = embeddings[[face["embedding_row"] for face in rows]]
    alike = np.flatnonzero(inliers(looks)).tolist()
    chosen = most_varied(looks[alike], [0], MAX_PER_EPISODE, least_new=1 - SAME_LOOK)
    picked = [rows[alike[place]] for place in chosen]
    jpegs = read_jpegs(crops, [face["crop"] for face in picked])
    return [
        PrototypeDraft(
            crop_bgr=decode_crop(jpeg),
            quality=face["quality"],
            origin=Origin.EPISODE,
            source=f"{run} face {face['face_id']} at {face['timestamp_s']:.2f} s",
            run=run,
            track_id=face["track_id"],
        )
        for face, jpeg in zip(picked, jpegs, strict=True)
    ]
