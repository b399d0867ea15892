"""Finds a cast member in every run of the show, so that pictures and vectors can be taken out.

Somebody was named in one run and not in another: who has the name in any run, or by a decision,
is looked for in all runs of the episode by where and when they were seen. Nothing is taken out
by likeness alone: that would take out somebody else sooner or later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from screenalytics_core import layout
from screenalytics_core.artifact_store import ArtifactStore
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.decision_log import DecisionLog
from screenalytics_core.decisions.records import TrackAnchor
from screenalytics_core.decisions.standing import standing
from screenalytics_core.episodes import EpisodeId, is_path_safe
from screenalytics_core.run_record import RunKey
from screenalytics_core.run_tools.forget_left import is_left
from screenalytics_core.run_tools.redact_run import Redaction, redaction_in_progress
from screenalytics_core.run_tools.seen_run import SeenRun, see_run
from screenalytics_core.runs import RunStore
from screenalytics_core.storage.base import Storage
from screenalytics_core.vision.owners import Owners

_Kind = ArtifactKind


@dataclass(frozen=True, slots=True)
class Whom:
    """Who is forgotten, and who asks for it; `at` is ISO 8601 in UTC."""

    show: str
    cast_id: str
    at: str
    by: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A run that holds the person.

    Attributes:
        redaction: What is to be taken out of it, or was.
        undone_track_ids: Those of its face tracks that have the name by nothing but decisions
            that were undone since: perhaps somebody else. A name that the gallery gave after
            such a decision is not noticed.
        is_left: Whether something of it is still there.
    """

    key: RunKey
    redaction: Redaction
    undone_track_ids: tuple[int, ...]
    is_left: bool


@dataclass(frozen=True, slots=True)
class _Named:
    """Everything of an episode that has the name.

    Attributes:
        sound: By a decision that holds, or by the machine.
        undone: By a decision that was undone since.
        undone_sequences: Those decisions.
    """

    sound: tuple[TrackAnchor, ...]
    undone: tuple[TrackAnchor, ...]
    undone_sequences: frozenset[int]


class PersonFinder:
    """Looks for a cast member in the runs of one data root."""

    def __init__(
        self, storage: Storage, runs: RunStore, artifacts: ArtifactStore, decisions: DecisionLog
    ) -> None:
        self._storage = storage
        self._runs = runs
        self._artifacts = artifacts
        self._decisions = decisions

    def find(self, whom: Whom) -> Iterator[Finding]:
        """Yield every run that holds the person.

        What a killed redaction began comes again, whether or not it is found.

        Raises:
            ArtifactCorruptError: A run's tracks, names or decisions cannot be read, so nobody
                can say whom they show.
        """
        for ep_id in episodes_of_show(self._storage, whom.show):
            keys = [RunKey(ep_id, run_id) for run_id in self._runs.list_run_ids(ep_id)]
            seen = [s for key in keys if (s := see_run(self._artifacts, key))]
            named = self._named(ep_id, whom, seen)
            for run in seen:
                found = self._finding(run, whom, named)
                if found is not None:
                    yield found

    def _named(self, ep_id: str, whom: Whom, seen: Iterable[SeenRun]) -> _Named:
        """Return everything in the episode that has the name, by any run or decision."""
        decisions = self._decisions.read(ep_id)
        held = {decision.sequence for decision in standing(decisions)}
        gone = frozenset(d.sequence for d in decisions) - held
        sound = [
            anchor
            for decision in standing(decisions)
            if decision.cast_id == whom.cast_id
            for anchor in decision.tracks
        ]
        undone: list[TrackAnchor] = []
        for run in seen:
            by_undone = run.of_by(whom.cast_id, gone)
            undone += run.anchors(by_undone)
            sound += run.anchors(run.of(whom.cast_id) - by_undone)
        return _Named(tuple(sound), tuple(undone), gone)

    def _finding(self, run: SeenRun, whom: Whom, named: _Named) -> Finding | None:
        finder = run.finder()
        mine = run.of(whom.cast_id)
        sound = finder.find(named.sound) | (mine - run.of_by(whom.cast_id, named.undone_sequences))
        tracks = sound | finder.find(named.undone) | mine
        found = self._redaction(run, whom, tracks)
        begun = redaction_in_progress(self._storage, run.key)
        if begun is not None:
            # It may be of somebody else, whose pictures are half gone.
            found = begun.with_other(found) if found else begun
        if found is None:
            return None
        left = begun is not None or is_left(self._storage, self._artifacts, run.key, found)
        return Finding(run.key, found, tuple(sorted(tracks - sound)), left)

    def _redaction(self, run: SeenRun, whom: Whom, tracks: frozenset[int]) -> Redaction | None:
        fusion = self._artifacts.ref(*run.key, _Kind.TRACK_FUSION)
        rows = fusion.read()["associations"] if fusion else []
        bodies = {row["body_track_id"] for row in rows if _shows(row, tracks, run.owners, whom)}
        if not tracks and not bodies:
            return None
        return Redaction(
            whom.at, whom.by, whom.cast_id, tuple(sorted(tracks)), tuple(sorted(bodies))
        )


def episodes_of_show(storage: Storage, show: str) -> list[str]:
    """Return the episodes of a show that anything was made of."""
    names = storage.list_folders(layout.MANIFESTS)
    return [n for n in names if is_path_safe(n) and EpisodeId.parse(n).show == show]


def _shows(
    row: Mapping[str, Any], tracks: frozenset[int], owners: Owners | None, whom: Whom
) -> bool:
    """Tell whether a body track may show the person: one of the faces in it does, or its owner."""
    if tracks & set(row["track_ids"]):
        return True
    owner = owners.of_body(row["identity_id"], row["track_ids"]) if owners else None
    return owner is not None and owner.cast_id == whom.cast_id
