"""From the artifacts of one run to the people that a season links."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from screenalytics_core.artifacts import EMBEDDING_DIM
from screenalytics_core.seasons.model import EpisodePerson
from screenalytics_core.vision.cannot_link import cannot_link_of
from screenalytics_core.vision.models.protocols import FloatArray
from screenalytics_core.vision.observed import fixed_vectors
from screenalytics_core.vision.owners import Owner, PersonKey, find_owners

Row = Mapping[str, Any]


def people_of_episode(
    ep_id: str,
    identities: Row,
    cast: Row,
    reps: pa.Table,
    screen_time: Row,
    settled: Collection[int] = (),
) -> tuple[EpisodePerson, ...]:
    """Return the people of an episode: cast members first, then unnamed ones, by their ids.

    Args:
        identities: The document of `artifacts.IDENTITIES`.
        cast: The document of `artifacts.CAST`.
        reps: The table of `artifacts.TRACK_REPS`.
        screen_time: The document of `artifacts.SCREEN_TIME`.
        settled: Sequences of the decisions that say of people that they have no name.
    """
    owners = find_owners(identities["identities"], cast["people"])
    tracks: dict[PersonKey, list[int]] = defaultdict(list)
    owner_of: dict[PersonKey, Owner] = {}
    for track_id, owner in sorted(owners.of_tracks.items()):
        tracks[owner.key].append(track_id)
        owner_of.setdefault(owner.key, owner)
    merged: dict[PersonKey, list[str]] = defaultdict(list)
    for identity_id, owner in sorted(owners.of_identities.items()):
        merged[owner.key].append(identity_id)
    vectors = _vectors(reps)
    seconds = {_key_of(row): row["total_s"] for row in screen_time["people"]}
    nameless = {
        row["identity_id"]
        for row in cast["people"]
        if row.get("track_id") is None and row.get("decision") in settled
    }
    return tuple(
        EpisodePerson(
            ep_id=ep_id,
            person_id=key[1],
            cast_id=owner_of[key].cast_id,
            label=owner_of[key].label,
            identity_ids=tuple(merged.get(key) or (key[1],)),
            track_ids=tuple(tracks[key]),
            vector=_mean(vectors, tracks[key]),
            is_settled=not key[0] and key[1] in nameless,
            total_s=float(seconds.get(key, 0.0)),
        )
        for key in sorted(tracks, key=lambda k: (not k[0], k[1]))
    )


def seen_at_once(people: Iterable[EpisodePerson], tracks: pa.Table) -> frozenset[tuple[int, int]]:
    """Return pairs of places in `people` with faces in one frame at different places.

    Args:
        tracks: The table of `artifacts.TRACKS`.
    """
    place_of = {t: place for place, person in enumerate(people) for t in person.track_ids}
    pairs = cannot_link_of(tracks)
    found = {
        (min(a, b), max(a, b))
        for one, other in pairs.tolist()
        if (a := place_of.get(one)) is not None and (b := place_of.get(other)) is not None
    }
    return frozenset(pair for pair in found if pair[0] != pair[1])


def _vectors(reps: pa.Table) -> dict[int, FloatArray]:
    """Return track_id -> embedding x clarity."""
    embeddings = fixed_vectors(reps.column("embedding").combine_chunks(), EMBEDDING_DIM)
    clarities = reps.column("clarity").to_numpy()
    scaled = np.asarray(embeddings * clarities[:, None], np.float32)
    return dict(zip(reps.column("track_id").to_pylist(), scaled, strict=True))


def _mean(vectors: Mapping[int, FloatArray], track_ids: Iterable[int]) -> FloatArray | None:
    known = [vectors[t] for t in track_ids if t in vectors]
    if not known:
        return None
    return np.asarray(np.mean(known, axis=0, dtype=np.float64), np.float32)


def _key_of(row: Row) -> PersonKey:
    return row["cast_id"] is not None, row["cast_id"] or row["identity_id"] or ""
