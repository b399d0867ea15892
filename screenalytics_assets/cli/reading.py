"""What the reading commands share: stores opened without a pipeline, and honest states."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from screenalytics_assets.cli.cells import Cell
from screenalytics_assets.cli.console import tell
from screenalytics_assets.cli.imports import import_arrow

if TYPE_CHECKING:
    from screenalytics_core.attempts import AttemptRecord
    from screenalytics_core.ledger.ledger import Ledger
    from screenalytics_core.ledger.registry import Registry
    from screenalytics_core.processes import ProcessIdentity
    from screenalytics_core.runs import RunStore
    from screenalytics_core.storage.base import Storage

_STYLES: Final = {
    "completed": "green",
    "success": "green",
    "failed": "bold red",
    "running": "cyan",
    "canceled": "yellow",
    "blocked": "yellow",
}
GONE: Final = "running (process gone; screenalytics runs sync)"


def open_storage(data_root: str | None) -> Storage:
    """Open the storage of the data root that was asked for, else of the environment's."""
    from screenalytics_assets import data_storage
    from screenalytics_assets.settings import Settings

    return data_storage.open_storage(Settings.from_env(data_root=data_root).data_root)


def open_registry(data_root: str | None) -> tuple[Storage, Registry]:
    """Open the registry; nothing of a pipeline is imported for it.

    Call it before anything else that imports Arrow.
    """
    import_arrow(without=("numpy", "pandas"))
    from screenalytics_core.ledger.registry import Registry

    storage = open_storage(data_root)
    return storage, Registry(storage)


def open_ledger(data_root: str | None) -> tuple[Storage, RunStore, Ledger]:
    """Open the ledger; call it before anything else that imports Arrow."""
    import_arrow(without=("pandas",))
    from screenalytics_assets.settings import Settings
    from screenalytics_assets.stores import Stores

    stores = Stores.open(Settings.from_env(data_root=data_root).data_root)
    return stores.storage, stores.runs, stores.ledger


def status_cell(word: str, *, is_gone: bool = False) -> Cell:
    """Return a state as it stands in a table."""
    if is_gone:
        return Cell(GONE, "bold red")
    return Cell(word.replace("_", " "), _STYLES.get(word, ""))


@dataclass(slots=True)
class Liveness:
    """Which attempts said to be running have a process that is known to be dead.

    Only a process of this machine can be known to be dead without asking Dagster; each
    attempt's claim is read once.
    """

    storage: Storage
    _claims: dict[tuple[str, str, int], AttemptRecord | None] = field(default_factory=dict)
    _here: ProcessIdentity | None = None

    def is_gone(
        self, ep_id: str, run_id: str, attempt: int | None, dagster_run_id: str | None = None
    ) -> bool:
        """Tell whether the process that claimed an attempt is dead; False if nobody knows.

        Args:
            dagster_run_id: Who is asked about. Until it has claimed, the newest attempt is that
                of an earlier Dagster run, whose process is rightly gone.
        """
        from screenalytics_core.attempts import process_is_alive
        from screenalytics_core.processes import ProcessIdentity, pid_started_s

        if not attempt:
            return False
        key = (ep_id, run_id, attempt)
        if key not in self._claims:
            self._claims[key] = self._claim(*key)
        claim = self._claims[key]
        if self._here is None:
            self._here = ProcessIdentity.current()
        if claim is None or not claim.process.shares_pids_with(self._here):
            return False
        if dagster_run_id is not None and claim.dagster_run_id != dagster_run_id:
            return False
        return not process_is_alive(claim.process, None, self._here, pid_started_s)

    def _claim(self, ep_id: str, run_id: str, attempt: int) -> AttemptRecord | None:
        from screenalytics_core.attempts import AttemptStore
        from screenalytics_core.errors import ScreenalyticsError

        try:
            return AttemptStore(self.storage).get(ep_id, run_id, attempt)
        except ScreenalyticsError as error:
            tell(f"nobody knows the process of {ep_id}/{run_id}, attempt {attempt}: {error}")
            return None
