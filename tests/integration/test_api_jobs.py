"""`screenalytics api`: jobs end for every outcome, and outlive the server that took them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from screenalytics_assets.stores import Stores
from screenalytics_core.attempts import AttemptRecord
from screenalytics_core.ledger.vocabulary import RunStatus
from tests.documents import API, code_blocks, shell_commands
from tests.integration.api_clients import SEED_CLIENT, SEED_PAGE, Terminal
from tests.integration.api_server import WAIT_S, ApiServer, api_server, wait_for
from tests.integration.support import EP_ID, settings_for
from tests.integration.views import assert_nothing_lies

SEED_FIELDS = {
    "job_id", "job_type", "ep_id", "state", "started_at", "ended_at", "summary", "error",
}  # fmt: skip


@pytest.fixture(scope="module")
def server(
    clip: Path, lite_pack: object, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiServer]:
    """One server for all tests of this file; the last of them ends it."""
    settings = settings_for(tmp_path_factory.mktemp("server") / "data")
    with api_server(settings, clip.parent) as server:
        yield server


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


@pytest.fixture
def terminal(server: ApiServer, clip: Path, tmp_path: Path) -> Terminal:
    shutil.copy(clip, tmp_path / "episode.mp4")
    return Terminal(server, tmp_path)


@pytest.mark.models
def test_the_commands_of_the_document_work_as_they_stand_there(terminal: Terminal) -> None:
    blocks = code_blocks(API.read_text(encoding="utf-8"), "bash")
    commands = [command for block in blocks for command in shell_commands(block)]

    said = {command: terminal.shell(command) for command in commands}

    events = next(out for command, out in said.items() if "/events" in command)
    assert re.findall("event: (snapshot|end)", events) == ["snapshot", "end"]
    assert terminal.known["job_type"] == "episode_run"
    assert terminal.known["reportUrl"].endswith("/report.pdf")
    assert terminal.known["decision"]["by"] == "anna@desk"
    part = (terminal.folder / "report-head.pdf").read_bytes()
    assert (part[:5], len(part)) == (b"%PDF-", 1024)


@pytest.mark.models
def test_the_python_of_the_document_works_as_it_stands_there(terminal: Terminal) -> None:
    (script,) = code_blocks(API.read_text(encoding="utf-8"), "python")

    assert re.fullmatch(r"Found [1-9]\d* identities!", terminal.python(script))


@pytest.mark.models
def test_a_page_for_the_first_job_api_works_as_it_was_written(terminal: Terminal) -> None:
    # But for the device: this machine is no Mac, which the server says.
    script = SEED_CLIENT.replace('"coreml"', '"auto"')

    assert re.fullmatch(r"Found [1-9]\d* identities!", terminal.python(SEED_PAGE + script))


@pytest.mark.models
def test_jobs_end_for_every_outcome_though_the_server_is_killed(
    server: ApiServer, clip: Path
) -> None:
    lost = start(server, "lost", clip)
    psutil.Process(claimed(server, "lost").process.pid).kill()
    whole = start(server, "whole", clip)
    worker = psutil.Process(claimed(server, "whole").process.pid)
    busy = server.post("/jobs/screentime", {"ep_id": EP_ID, "models": "lite", "run_id": "whole"})
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
    server.end()

    assert set(ends[whole]) == SEED_FIELDS | {"queued", "run_id"}
    assert (ends[whole]["state"], ends[whole]["error"]) == ("succeeded", None)
    assert ends[whole]["summary"]["identities_count"] > 0
    assert ends[whole]["summary"]["run_id"] == "whole"
    assert busy.status_code == 409
    assert busy.json()["code"] == "run_busy"
    assert (ends[canceled]["state"], ends[canceled]["error"]) == ("failed", "canceled")
    assert ends[lost]["state"] == "failed"
    assert re.search("SIGKILL|died", ends[lost]["error"])
    assert {job["job_id"] for job in listed["jobs"]} == {lost, canceled}
    assert health == 200
    states = assert_nothing_lies(server.settings)
    assert states[EP_ID, "whole"] is RunStatus.COMPLETED
    _, alive = psutil.wait_procs([worker, *kept, *children], timeout=WAIT_S)
    assert alive == []
