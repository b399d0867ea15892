"""Finds a cast member in every run of the show, so that pictures and vectors can be taken out.

Somebody was named in one run and not in another: who has the name in any run, or by a decision,
is looked for in all runs of the episode by where and when they were seen. Nothing is taken out
by likeness alone: that would take out somebody else sooner or later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from screenalytics_core import layout
from screenalytics_core.artifact_store import ArtifactStore
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.decision_log import DecisionLog
from screenalytics_core.decisions.anchors import TrackFinder, anchors_of
from screenalytics_core.decisions.records import TrackAnchor
from screenalytics_core.decisions.standing import standing
from screenalytics_core.episodes import EpisodeId, is_path_safe
from screenalytics_core.run_record import RunKey
from screenalytics_core.run_tools.redact_run import Redaction, redaction_in_progress
from screenalytics_core.runs import RunStore
from screenalytics_core.storage.base import Storage
from screenalytics_core.vision.boxes import Float64Array
from screenalytics_core.vision.owners import Owners, find_owners

_Kind = ArtifactKind


@dataclass(frozen=True, slots=True)
class Whom:
    """Who is forgotten, and who asks for it; `at` is ISO 8601 in UTC."""

    show: str
    cast_id: str
    at: str
    by: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one run saw; `owners` is None before anybody was told apart."""

    key: RunKey
    tracks: pa.Table
    frame_times_s: Float64Array
    tracks_sha256: str
    owners: Owners | None

    def of(self, cast_id: str) -> frozenset[int]:
        """Return the tracks that have the name in this run."""
        owned = self.owners.of_tracks if self.owners else {}
        return frozenset(t for t, owner in owned.items() if owner.cast_id == cast_id)


class PersonFinder:
    """Looks for a cast member in the runs of one data root."""

    def __init__(
        self, storage: Storage, runs: RunStore, artifacts: ArtifactStore, decisions: DecisionLog
    ) -> None:
        self._storage = storage
        self._runs = runs
        self._artifacts = artifacts
        self._decisions = decisions

    def redactions(self, whom: Whom) -> Iterator[tuple[RunKey, Redaction]]:
        """Yield every run that holds the person, with what is to be taken out of it.

        What a killed redaction began comes again, whether or not it is found.

        Raises:
            ArtifactCorruptError: A run's tracks, names or decisions cannot be read, so nobody
                can say whom they show.
        """
        for ep_id in self._episodes(whom.show):
            seen = [
                s for run_id in self._runs.list_run_ids(ep_id) if (s := self._see(ep_id, run_id))
            ]
            anchors = self._anchors(ep_id, whom, seen)
            for run in seen:
                begun = redaction_in_progress(self._storage, run.key)
                found = self._redaction(run, whom, anchors)
                if begun is not None:
                    # It may be of somebody else, whose pictures are half gone.
                    found = begun.with_other(found) if found else begun
                if found is not None:
                    yield run.key, found

    def _episodes(self, show: str) -> list[str]:
        names = self._storage.list_folders(layout.MANIFESTS)
        return [n for n in names if is_path_safe(n) and EpisodeId.parse(n).show == show]

    def _see(self, ep_id: str, run_id: str) -> _Seen | None:
        """Return what a run saw; None if it has no tracks yet."""
        tracks = self._artifacts.ref(ep_id, run_id, _Kind.TRACKS)
        shots = self._artifacts.ref(ep_id, run_id, _Kind.SHOTS)
        if tracks is None or shots is None:
            return None
        identities = self._artifacts.ref(ep_id, run_id, _Kind.IDENTITIES)
        cast = self._artifacts.ref(ep_id, run_id, _Kind.CAST)
        owners = (
            find_owners(identities.read()["identities"], cast.read()["people"])
            if identities and cast
            else None
        )
        return _Seen(
            RunKey(ep_id, run_id),
            tracks.read(),
            shots.read("frame_times"),
            tracks.files[0].sha256,
            owners,
        )

    def _anchors(self, ep_id: str, whom: Whom, seen: Iterable[_Seen]) -> list[TrackAnchor]:
        """Return everything in the episode that has the name, by any run or decision."""
        anchors = [
            anchor
            for decision in standing(self._decisions.read(ep_id))
            if decision.cast_id == whom.cast_id
            for anchor in decision.tracks
        ]
        for run in seen:
            named = run.of(whom.cast_id)
            anchors += anchors_of(named, run.tracks, run.frame_times_s, run.tracks_sha256)
        return anchors

    def _redaction(
        self, run: _Seen, whom: Whom, anchors: Iterable[TrackAnchor]
    ) -> Redaction | None:
        finder = TrackFinder(run.tracks, run.frame_times_s, run.tracks_sha256)
        tracks = finder.find(anchors) | run.of(whom.cast_id)
        fusion = self._artifacts.ref(*run.key, _Kind.TRACK_FUSION)
        rows = fusion.read()["associations"] if fusion else []
        bodies = {row["body_track_id"] for row in rows if _shows(row, tracks, run.owners, whom)}
        if not tracks and not bodies:
            return None
        return Redaction(
            whom.at, whom.by, whom.cast_id, tuple(sorted(tracks)), tuple(sorted(bodies))
        )


def _shows(
    row: Mapping[str, Any], tracks: frozenset[int], owners: Owners | None, whom: Whom
) -> bool:
    """Tell whether a body track may show the person: one of the faces in it does, or its owner."""
    if tracks & set(row["track_ids"]):
        return True
    owner = owners.of_body(row["identity_id"], row["track_ids"]) if owners else None
    return owner is not None and owner.cast_id == whom.cast_id
