"""What is known of an episode now, whichever of its runs tells it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from screenalytics_core import layout
from screenalytics_core.episodes import is_path_safe
from screenalytics_core.errors import RunNotFoundError
from screenalytics_core.ledger.derived_status import derived_episode_status
from screenalytics_core.ledger.ledger import Ledger
from screenalytics_core.ledger.status import read_status, status_document
from screenalytics_core.run_tools.naming import find_run
from screenalytics_core.runs import RunStore
from screenalytics_core.storage.base import Storage


def episode_status(
    storage: Storage,
    runs: RunStore,
    ledger: Ledger,
    ep_id: str,
    run_id: str | None,
    now: datetime,
) -> dict[str, Any]:
    """Return the status of the run that is meant, from its file, else from its folder.

    Args:
        run_id: None means the active run, else the newest, else what an earlier pipeline left.
        now: Goes into a status that no file holds.

    Raises:
        RunNotFoundError: There is no such run, or nothing is known of the episode.
    """
    if run_id is not None:
        run_id = find_run(storage, runs, f"{ep_id}/{run_id}").run_id
    else:
        run_id = runs.active_run_id(ep_id) or newest_run_id(storage, runs, ledger, ep_id)
    if run_id is not None:
        # The file is a view like any other: where it is missing, what it would say is known.
        held = read_status(storage, ep_id, run_id)
        return held or status_document(ledger.facts(ep_id, run_id), now)
    derived = derived_episode_status(storage, ep_id, now)
    if derived is None:
        raise RunNotFoundError(
            thing=f"episode {ep_id}",
            reason="has no run, and nothing of an earlier pipeline",
            way_out=f"Start one: screenalytics run VIDEO --ep-id {ep_id}.",
            over_http="Start one: POST /jobs/episode-run.",
        )
    return derived


def newest_run_id(storage: Storage, runs: RunStore, ledger: Ledger, ep_id: str) -> str | None:
    """Return the run that was reserved or queued last, or None."""
    created = {record.run_id: record.created_at for record in runs.list_records(ep_id)}
    for name in storage.list_folders(layout.runs_prefix(ep_id)):
        if name not in created and is_path_safe(name):
            queued_at = ledger.log.state(ep_id, name).created_at
            if queued_at is not None:
                created[name] = queued_at
    return max(created, key=lambda name: (created[name], name), default=None)
