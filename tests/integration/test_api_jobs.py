"""`screenalytics api`: jobs end for every outcome, and outlive the server that took them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.attempts import AttemptRecord
from screenalytics_core.ledger.vocabulary import RunStatus
from tests.integration.api_server import ApiServer, api_server, wait_for
from tests.integration.support import EP_ID
from tests.integration.views import assert_nothing_lies

SEED_FIELDS = {
    "job_id", "job_type", "ep_id", "state", "started_at", "ended_at", "summary", "error",
}  # fmt: skip


def start(server: ApiServer, run_id: str, clip: Path) -> str:
    """Start an episode's job and return its id; a repetition gives the same."""
    body = {"ep_id": EP_ID, "video_path": str(clip), "models": "lite", "run_id": run_id}
    answer = server.post("/jobs/episode-run", body, **{"Idempotency-Key": run_id})
    assert answer.status_code == 202, answer.text
    reply: dict[str, Any] = answer.json()
    assert reply == {"job_id": reply["job_id"], "status": "running", "run_id": run_id}
    job_id: str = reply["job_id"]
    return job_id


def claimed(server: ApiServer, run_id: str) -> AttemptRecord:
    """Wait until a process works on a run."""
    attempts = Stores.open(server.settings.data_root).attempts
    wait_for(lambda: attempts.newest(EP_ID, run_id) is not None, f"{run_id} is claimed")
    attempt = attempts.newest(EP_ID, run_id)
    assert attempt is not None
    return attempt


@pytest.mark.models
def test_jobs_end_for_every_outcome_though_the_server_is_killed(
    clip: Path, settings: Settings, lite_pack: object
) -> None:
    with api_server(settings, clip.parent) as server:
        lost = start(server, "lost", clip)
        psutil.Process(claimed(server, "lost").process.pid).kill()
        whole = start(server, "whole", clip)
        worker = psutil.Process(claimed(server, "whole").process.pid)
        busy = server.post(
            "/jobs/screentime", {"ep_id": EP_ID, "models": "lite", "run_id": "whole"}
        )
        server.kill()
        server.start()
        assert start(server, "whole", clip) == whole, "the key still means the same job"
        canceled = start(server, "canceled", clip)
        httpx.post(f"{server.url}/jobs/{canceled}/cancel").raise_for_status()
        ends = {job_id: server.poll(job_id) for job_id in (lost, whole, canceled)}
        health = httpx.get(f"{server.url}/health").status_code
        listed = httpx.get(f"{server.url}/jobs", params={"state": "failed"}).json()
        kept = [psutil.Process(c["pid"]) for c in server.supervisor()["children"].values()]
        children = [child for parent in kept for child in parent.children(recursive=True)]

    assert set(ends[whole]) == SEED_FIELDS | {"queued", "run_id"}
    assert (ends[whole]["state"], ends[whole]["error"]) == ("succeeded", None)
    assert ends[whole]["summary"]["identities_count"] > 0
    assert ends[whole]["summary"]["run_id"] == "whole"
    assert busy.status_code == 409
    assert busy.json()["code"] == "run_busy"
    assert (ends[canceled]["state"], ends[canceled]["error"]) == ("failed", "canceled")
    assert ends[lost]["state"] == "failed"
    assert re.search("SIGKILL|process died", ends[lost]["error"])
    assert {job["job_id"] for job in listed["jobs"]} == {lost, canceled}
    assert health == 200
    states = assert_nothing_lies(settings)
    assert states[EP_ID, "whole"] is RunStatus.COMPLETED
    _, alive = psutil.wait_procs([worker, *kept, *children], timeout=20)
    assert alive == []
