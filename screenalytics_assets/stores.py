"""Everything that is kept under one data root, opened together; no model library is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from screenalytics_assets.data_storage import open_storage
from screenalytics_core.artifact_store import ArtifactRef, ArtifactStore
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.attempts import AttemptStore
from screenalytics_core.decision_log import DecisionLog
from screenalytics_core.errors import ArtifactNotFoundError
from screenalytics_core.gallery_store import GalleryStore
from screenalytics_core.ledger.ledger import Ledger
from screenalytics_core.runs import RunStore
from screenalytics_core.season_store import SeasonStore
from screenalytics_core.storage.base import Storage
from screenalytics_core.storage.data_root import DataRoot


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything that is kept under one data root."""

    storage: Storage
    runs: RunStore
    attempts: AttemptStore
    artifacts: ArtifactStore
    ledger: Ledger
    decisions: DecisionLog
    gallery: GalleryStore
    seasons: SeasonStore

    @classmethod
    def open(cls, data_root: DataRoot) -> Stores:
        """Open the stores of `data_root`; creates nothing."""
        storage = open_storage(data_root)
        runs = RunStore(storage)
        attempts = AttemptStore(storage)
        artifacts = ArtifactStore(storage, runs, attempts)
        ledger = Ledger(storage, runs, attempts, artifacts)
        decisions, gallery = DecisionLog(storage), GalleryStore(storage)
        seasons = SeasonStore(storage)
        return cls(storage, runs, attempts, artifacts, ledger, decisions, gallery, seasons)

    def read_if_there(self, ep_id: str, run_id: str, kind: ArtifactKind) -> Any:
        """Return the value of an artifact that a run may lack; None if it does."""
        ref = self.artifacts.ref(ep_id, run_id, kind)
        return None if ref is None else ref.read()

    def require(self, ep_id: str, run_id: str, kind: ArtifactKind) -> ArtifactRef:
        """Return an artifact that a run must hold.

        Raises:
            ArtifactNotFoundError: It does not.
        """
        ref = self.artifacts.ref(ep_id, run_id, kind)
        if ref is None:
            raise ArtifactNotFoundError(
                thing=f"artifact {kind} of run {ep_id}/{run_id}",
                reason="is not in the run's manifest",
                way_out="Run the stage that makes it.",
            )
        return ref
