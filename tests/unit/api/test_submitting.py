"""Whatever route hands in a job does so in the turn of its id."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from screenalytics_assets.api import deciding, jobs
from screenalytics_assets.api.idempotency import Turns
from screenalytics_assets.api.launching import Queued, Work
from screenalytics_assets.api.pages import routes
from tests.api_reading import KeptLauncher, client_of, seen_run
from tests.stores import EP, Stores


@dataclass
class Watched(KeptLauncher):
    """It tells whether somebody else could have had the turn of a job meanwhile."""

    turns: Turns = field(default_factory=Turns)
    was_free: list[bool] = field(default_factory=list)
    others: list[threading.Thread] = field(default_factory=list)

    def submit(self, work: Work) -> Queued:
        entered = threading.Event()

        def enter() -> None:
            with self.turns.of(work.job_id):
                entered.set()

        other = threading.Thread(target=enter)
        other.start()
        self.was_free.append(entered.wait(0.05))
        self.others.append(other)
        return super().submit(work)


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/jobs/episode-run", {"json": {"ep_id": EP}}),
        ("/jobs/cluster", {"json": {"ep_id": EP}}),
        (f"/episodes/{EP}/identities/lock", {"json": {"person": "id_0001"}}),
        (f"/episodes/{EP}/identities/apply", {"json": {}}),
        ("/launch", {"data": {"ep_id": EP}}),
        (f"/ui/{EP}/first/apply", {}),
    ],
)
def test_a_job_is_handed_in_in_its_turn(tmp_path: Path, path: str, sent: dict[str, Any]) -> None:
    seen_run(Stores(tmp_path), "first")
    queue = Watched()
    with client_of(tmp_path, [jobs.router, deciding.router, routes.router], queue) as client:
        queue.turns = client.app.state.service.turns  # type: ignore[attr-defined]
        client.follow_redirects = False
        answer = client.post(path, **sent)
        for other in queue.others:
            other.join()

    assert answer.status_code < 400, answer.text
    assert queue.was_free == [False]
