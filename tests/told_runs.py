"""Data roots whose runs are told, not computed: reserved, claimed, recorded in the ledger."""

from __future__ import annotations

from pathlib import Path

from screenalytics_core.ledger.ledger import Ledger
from screenalytics_core.processes import ProcessIdentity
from tests.run_stories import PROCESS, Story
from tests.stores import Stores, binding


class Root:
    """A data root with a ledger that stories are written into."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stores = Stores(path)
        stores = self.stores
        self.ledger = Ledger(stores.storage, stores.runs, stores.attempts, stores.artifacts)

    def tell(self, story: Story, process: ProcessIdentity | None = None) -> Story:
        """Reserve and claim the story's run, once, and record what it tells."""
        stores = self.stores
        if stores.runs.get(story.ep_id, story.run_id) is None:
            stores.clock.pass_s(1)
            stores.runs.reserve(story.ep_id, binding(stride=5), story.run_id)
            claimant = process or ProcessIdentity(**PROCESS)
            stores.attempts.claim(
                story.ep_id, story.run_id, story.dagster_run_id, claimant, lambda _: False
            )
        self.ledger.record(story.ep_id, story.run_id, story.events)
        return story
