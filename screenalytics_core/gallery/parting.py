"""Identities in which the gallery sees several people, divided track by track.

A track that alone would be named is sure: it shows that member. An identity keeps what holds to
its sure tracks; sure tracks of another member who looks different leave it, and so do tracks that
resemble neither the member nor the sure tracks: extras in the same shots, mostly. An
identity without a sure track is left whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from screenalytics_core.artifacts import EMBEDDING_DIM
from screenalytics_core.gallery.likeness import cosines
from screenalytics_core.gallery.model import GalleryMember
from screenalytics_core.vision.clustering import cluster_tracks
from screenalytics_core.vision.identities import centre
from screenalytics_core.vision.models.protocols import FloatArray
from screenalytics_core.vision.observed import ascending, fixed_vectors

# Part of `match_thresh` below which, by cosine, a track of an identity resembles neither the
# member nor the identity's sure tracks: 92 % of such tracks' time is somebody else's, of what
# stays 0.1 % (docs/evaluation.md).
_HOLDS: Final = 0.95
# A track that is no longer than the noise may be anybody's: it stays where it is.
_CLEAR: Final = 0.5**0.5
_NO_PAIRS: Final = np.zeros((0, 2), np.int64)


@dataclass(frozen=True, slots=True)
class TrackLooks:
    """What tracks look like, as `track_reps` has it.

    Attributes:
        track_ids: (N,) ascending.
        embeddings: (N, 512) L2-normalised.
        clarities: (N,) 0 to 1.
    """

    track_ids: NDArray[np.int64]
    embeddings: FloatArray
    clarities: FloatArray

    @classmethod
    def of(cls, reps: pa.Table) -> Self:
        """Return what the tracks of `track_reps` look like."""
        ordered = ascending(reps, "track_id")
        return cls(
            ordered.column("track_id").to_numpy(),
            fixed_vectors(ordered.column("embedding").combine_chunks(), EMBEDDING_DIM),
            ordered.column("clarity").to_numpy(),
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """Similarities that decide, see `config.EpisodeRunConfig`."""

    match_thresh: float
    match_margin: float
    cluster_thresh: float


@dataclass(frozen=True, slots=True)
class _Core:
    """Tracks of an identity that surely show one member; rows of `TrackLooks`."""

    cast_id: str
    rows: tuple[int, ...]
    centre: FloatArray


def parted(
    identities: Mapping[str, Sequence[int]],
    looks: TrackLooks,
    members: Sequence[GalleryMember],
    limits: Limits,
) -> dict[str, tuple[int, ...]]:
    """Return the identities, each divided, and what left them as parts.

    An identity goes on with the member of whom most was seen. What leaves it and shows another
    one is that one's part; the rest is grouped as tracks are (`clustering`), each group a part
    of its own. Decisions are put over the parts as over identities, so they hold whatever leaves.

    Args:
        identities: identity_id -> its tracks.
        members: Of the gallery; those without a face are not asked.

    Returns:
        identity_id -> tracks, ascending, in the given order; then parts, `{identity_id}.{n}`.
    """
    known = [m for m in members if len(m.prototype_ids)]
    whole: dict[str, tuple[int, ...]] = {}
    parts: dict[str, tuple[int, ...]] = {}
    seen = cosines(looks.embeddings, known)
    parting = _Parting(looks, tuple(m.cast_id for m in known), seen, limits)
    for identity_id, track_ids in identities.items():
        leaving = parting.leaving(track_ids) if known else []
        gone = {t for part in leaving for t in part}
        whole[identity_id] = tuple(t for t in sorted(track_ids) if t not in gone)
        for n, part in enumerate(leaving, start=1):
            parts[f"{identity_id}.{n}"] = part
    return whole | parts


@dataclass(frozen=True, slots=True)
class _Parting:
    """What an identity is held against; `cosines` are (N, M), tracks to members."""

    looks: TrackLooks
    cast_ids: tuple[str, ...]
    cosines: NDArray[np.float64]
    limits: Limits

    def leaving(self, track_ids: Sequence[int]) -> list[tuple[int, ...]]:
        """Return the parts that an identity loses: members first, then others."""
        rows = np.flatnonzero(np.isin(self.looks.track_ids, np.array(sorted(track_ids))))
        seen = [row for row in rows.tolist() if self.looks.clarities[row] > 0]
        cores = self._cores(seen)
        if not cores:
            return []
        kept, others = cores[0], [c for c in cores[1:] if not self._stays(c, cores[0])]
        left = {core.cast_id: list(core.rows) for core in others}
        sure = {row for core in cores for row in core.rows}
        strangers: list[int] = []
        for row in (row for row in seen if row not in sure):
            best = max((kept, *others), key=lambda core: round(self._link(row, core), 6))
            if self._is_stranger(row, best):
                strangers.append(row)
            elif best is not kept:
                left[best.cast_id].append(row)
        return [self._tracks(own) for own in left.values()] + self._grouped(strangers)

    def _cores(self, rows: Sequence[int]) -> list[_Core]:
        """Return the members who are surely seen, those most seen of first."""
        found: dict[str, list[int]] = {}
        for row in rows:
            name = self._sure(row)
            if name is not None:
                found.setdefault(name, []).append(row)
        order = sorted(found, key=lambda c: (-round(self._seen(found[c]), 6), c))
        return [_Core(c, tuple(found[c]), self._centre(found[c])) for c in order]

    def _stays(self, core: _Core, kept: _Core) -> bool:
        """Tell whether somebody stays with another one: they look too alike to be two."""
        link = float(core.centre.astype(np.float64) @ kept.centre)
        return self._is_like(core.rows, kept.cast_id, link)

    def _is_stranger(self, row: int, core: _Core) -> bool:
        """Tell whether a track that is not sure leaves those whom it is most like."""
        is_clear = self.looks.clarities[row] >= _CLEAR
        return is_clear and not self._is_like([row], core.cast_id, self._link(row, core))

    def _is_like(self, rows: Sequence[int], cast_id: str, link: float) -> bool:
        """Tell whether tracks resemble a member, or by `link` those who show it."""
        likeness = float(self.cosines[rows, self.cast_ids.index(cast_id)].mean())
        return max(likeness, link) >= _HOLDS * self.limits.match_thresh

    def _sure(self, row: int) -> str | None:
        """Return the member whose name a track alone would take."""
        values = self.cosines[row] * float(self.looks.clarities[row])
        best = int(values.argmax())
        lead = float(values[best]) - max(0.0, *np.delete(values, best).tolist(), 0.0)
        is_sure = values[best] >= self.limits.match_thresh and lead >= self.limits.match_margin
        return self.cast_ids[best] if is_sure else None

    def _link(self, row: int, core: _Core) -> float:
        return float(self.looks.embeddings[row].astype(np.float64) @ core.centre)

    def _centre(self, rows: Sequence[int]) -> FloatArray:
        return centre(self.looks.embeddings[rows] * self.looks.clarities[rows, None])

    def _seen(self, rows: Sequence[int]) -> float:
        return float(self.looks.clarities[rows].sum(dtype=np.float64))

    def _tracks(self, rows: Sequence[int]) -> tuple[int, ...]:
        return tuple(int(self.looks.track_ids[row]) for row in sorted(rows))

    def _grouped(self, rows: Sequence[int]) -> list[tuple[int, ...]]:
        """Group who is no member, as tracks are; no two of one identity were seen at once."""
        groups = cluster_tracks(
            self.looks.track_ids[rows],
            np.asarray(self.looks.embeddings[rows] * self.looks.clarities[rows, None], np.float32),
            _NO_PAIRS,
            self.limits.cluster_thresh,
        )
        return [tuple(group) for group in groups]
