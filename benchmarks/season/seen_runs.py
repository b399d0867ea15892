"""What stands in a data root after a command, held against the truth of its episodes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import BenchError
from benchmarks.season.sightings import Sighting, sightings
from screenalytics_assets.cli.evaluate import load_truth, prediction_of_run
from screenalytics_assets.stores import Stores
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.evaluation.truth import Truth
from screenalytics_core.ledger.vocabulary import RunStatus
from screenalytics_core.vision.owners import find_owners

EpisodeSightings = Mapping[str, Sequence[Sighting]]


@dataclass(frozen=True, slots=True)
class SeenRuns:
    """The active runs of a season's episodes, and the truth of each."""

    data_root: Path
    truths: Mapping[str, Truth]

    @classmethod
    def of(cls, data_root: Path, videos: Path) -> SeenRuns:
        """Read the truth beside each video.

        Raises:
            BenchError: There is none.
        """
        suffix = ".truth.json"
        paths = sorted(videos.glob(f"*{suffix}"))
        if not paths:
            raise BenchError(f"{videos} holds no composed episode; see `compose`")
        return cls(data_root, {p.name.removesuffix(suffix): load_truth(p) for p in paths})

    @property
    def cast(self) -> frozenset[str]:
        """Everybody who is a main person of an episode."""
        return frozenset(p.name for t in self.truths.values() for p in t.persons if p.is_main)

    def finished(self) -> dict[str, tuple[str, int]]:
        """Return ep_id -> its active run and how many attempts that took, once it has ended.

        A run is active from its seconds on; what is killed at its report is resumed there.
        """
        stores = Stores.open(self.data_root)
        found = {}
        for ep_id in self.truths:
            run_id = stores.runs.active_run_id(ep_id)
            if run_id is None:
                continue
            if stores.ledger.log.state(ep_id, run_id).status is RunStatus.COMPLETED:
                found[ep_id] = run_id, len(stores.attempts.list(ep_id, run_id))
        return found

    def sightings(self) -> dict[str, tuple[Sighting, ...]]:
        """Return every episode's face tracks, with their people and names."""
        return {ep_id: self.sightings_of(ep_id) for ep_id in self.truths}

    def sightings_of(self, ep_id: str) -> tuple[Sighting, ...]:
        """Return an episode's face tracks.

        Raises:
            BenchError: It has no finished run.
        """
        stores = Stores.open(self.data_root)
        run_id = stores.runs.active_run_id(ep_id)
        if run_id is None:
            raise BenchError(f"{ep_id} has no finished run")
        identities = stores.require(ep_id, run_id, ArtifactKind.IDENTITIES).read()
        cast = stores.require(ep_id, run_id, ArtifactKind.CAST).read()
        owners = find_owners(identities["identities"], cast["people"]).of_tracks
        return sightings(self.truths[ep_id], prediction_of_run(stores, ep_id, run_id), owners)


def people_by_identity(tracks: Sequence[Sighting]) -> dict[str, str]:
    """Return identity_id -> whom most of its seconds show."""
    seconds: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for track in tracks:
        if track.identity_id is not None and track.person is not None:
            seconds[track.identity_id][track.person] += track.seconds
    return {i: min(own, key=lambda p: (-own[p], p)) for i, own in seconds.items()}
