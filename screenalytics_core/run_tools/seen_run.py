"""What one run saw and whom it called what: whoever looks for a person reads it so."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from screenalytics_core.artifact_store import ArtifactStore
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.decisions.anchors import TrackFinder, anchors_of
from screenalytics_core.decisions.records import TrackAnchor
from screenalytics_core.run_record import RunKey
from screenalytics_core.vision.boxes import Float64Array
from screenalytics_core.vision.owners import Owners, find_owners

_Kind = ArtifactKind
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SeenRun:
    """What one run saw.

    Attributes:
        owners: None before anybody was told apart.
        identities: Rows `identities` of `artifacts.IDENTITIES`.
        cast: Rows `people` of `artifacts.CAST`.
    """

    key: RunKey
    tracks: pa.Table
    frame_times_s: Float64Array
    tracks_sha256: str
    owners: Owners | None
    identities: tuple[Row, ...] = ()
    cast: tuple[Row, ...] = ()

    def of(self, cast_id: str) -> frozenset[int]:
        """Return the tracks that have the name in this run."""
        owned = self.owners.of_tracks if self.owners else {}
        return frozenset(t for t, owner in owned.items() if owner.cast_id == cast_id)

    def of_unnamed(self, identity_id: str) -> frozenset[int]:
        """Return the tracks of an identity that are nobody's with a name."""
        owned = self.owners.of_tracks if self.owners else {}
        return frozenset(t for t, owner in owned.items() if owner.key == (False, identity_id))

    def of_by(self, cast_id: str, decisions: Collection[int]) -> frozenset[int]:
        """Return those of `of` that have the name by one of these decisions, by sequence."""
        if not decisions:
            return frozenset()
        return frozenset(
            t for t in self.of(cast_id) if any(r["decision"] in decisions for r in self._why(t))
        )

    def _why(self, track_id: int) -> Iterator[Row]:
        """Yield the rows of the cast that say whose a track is."""
        own = next((r for r in self.cast if r["track_id"] == track_id), None)
        if own is not None:
            yield own
        identity_id = (
            own["identity_id"]
            if own is not None
            else next((i["identity_id"] for i in self.identities if track_id in i["track_ids"]), "")
        )
        whole = {r["identity_id"]: r for r in self.cast if r["track_id"] is None}
        row = whole.get(identity_id)
        if row is not None:
            yield row
            if row["merged_into"] in whole:
                yield whole[row["merged_into"]]

    def finder(self) -> TrackFinder:
        """Return what finds tracks of other runs in this one."""
        return TrackFinder(self.tracks, self.frame_times_s, self.tracks_sha256)

    def anchors(self, track_ids: Collection[int]) -> tuple[TrackAnchor, ...]:
        """Return what finds some of its tracks in other runs."""
        return anchors_of(track_ids, self.tracks, self.frame_times_s, self.tracks_sha256)


def see_run(artifacts: ArtifactStore, key: RunKey) -> SeenRun | None:
    """Return what a run saw; None if it has no tracks yet.

    Raises:
        ArtifactCorruptError: Its tracks or names cannot be read.
    """
    tracks = artifacts.ref(*key, _Kind.TRACKS)
    shots = artifacts.ref(*key, _Kind.SHOTS)
    if tracks is None or shots is None:
        return None
    table, times = tracks.read(), shots.read("frame_times")
    identities = artifacts.ref(*key, _Kind.IDENTITIES)
    cast = artifacts.ref(*key, _Kind.CAST)
    if identities is None or cast is None:
        return SeenRun(key, table, times, tracks.files[0].sha256, None)
    rows, people = identities.read()["identities"], cast.read()["people"]
    return SeenRun(
        key=key,
        tracks=table,
        frame_times_s=times,
        tracks_sha256=tracks.files[0].sha256,
        owners=find_owners(rows, people),
        identities=tuple(rows),
        cast=tuple(people),
    )
