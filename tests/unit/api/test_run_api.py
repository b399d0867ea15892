"""`run --api --follow` against a server whose jobs are told, not computed."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from fastapi import APIRouter, FastAPI, Request

from screenalytics_assets.api.problems import problem
from screenalytics_assets.api_client import ApiClient
from screenalytics_assets.jobs import EPISODE_JOB
from screenalytics_assets.tags import PARTITION_TAG, RUN_ID_TAG
from screenalytics_core.ledger.event_log import EventLog
from screenalytics_core.ledger.events import LedgerEvent
from tests.command_line import command, environment, in_this_process, on_terminal
from tests.progress_server import progress_app, served
from tests.stores import EP, Stores
from tests.unit.ledger import event_samples as log

RUN, JOB = "r1", "d1"
WAIT_S = 30.0
SUMMARY = {
    "episode_id": EP, "success": True, "tracks_count": 3, "faces_count": 9, "identities_count": 2,
    "runtime_sec": 1.5, "stages": [], "error": None, "ep_id": EP, "run_id": RUN,
    "dagster_run_id": JOB, "error_code": None, "artifacts": {}, "screen_time": None,
    "of_a_newer_server": 1,
}  # fmt: skip


@dataclass
class Told:
    """A server's jobs, and what it was asked for."""

    root: Path
    app: FastAPI
    asked: list[tuple[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    on_start: Callable[[], object] = lambda: None
    story: log.Told = field(default_factory=lambda: log.Told(JOB))

    def __post_init__(self) -> None:
        self.stores = Stores(self.root)
        self.stores.run(RUN)
        self.log = EventLog(self.stores.storage)

    def tell(self, events: Iterable[LedgerEvent]) -> None:
        self.log.append(EP, RUN, events)

    def work(self) -> log.Told:
        """Begin, and come as far as the middle of the scan."""
        self.story.begins(1, ["scan", "tracks"]).started("scan").reported("scan", 30, 60)
        self.tell(self.story.events)
        return self.story

    def work_through(self) -> None:
        self.work()
        self.complete()

    def complete(self) -> None:
        self.story.published("scan").succeeded("scan").does("tracks").completed()
        self.tell(self.story.events)


def jobs_of(told: Told) -> APIRouter:
    router = APIRouter()

    @router.put("/episodes/{ep_id}/video")
    async def send(request: Request, ep_id: str) -> dict[str, str]:
        told.asked.append((str(request.url.query), await request.body()))
        return {}

    @router.post("/jobs/{kind}", status_code=202)
    async def start(request: Request, kind: str) -> Any:
        body = await request.json()
        told.asked.append((kind, body))
        told.keys.append(request.headers["Idempotency-Key"])
        if "stryde" in body:
            return problem(422, "key 'stryde': does not exist. Did you mean 'stride'?", "settings")
        told.on_start()
        return {"job_id": JOB, "status": "running", "run_id": RUN}

    @router.get("/jobs/{job_id}")
    def job(job_id: str) -> dict[str, Any]:
        return {"state": "succeeded", "summary": SUMMARY}

    @router.post("/jobs/{job_id}/cancel", status_code=202)
    def cancel(job_id: str) -> dict[str, Any]:
        told.asked.append(("cancel", job_id))
        told.tell(told.story.canceling().canceled())
        return {}

    return router


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    with dg.DagsterInstance.ephemeral() as instance:
        tags = {PARTITION_TAG: EP, RUN_ID_TAG: RUN}
        instance.add_run(dg.DagsterRun(EPISODE_JOB, run_id=JOB, tags=tags))
        app = progress_app(tmp_path, instance)
        told = Told(tmp_path, app)
        app.include_router(jobs_of(told))
        yield told


@contextmanager
def following(told: Told, url: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command in a process of its own, its output in pipes."""
    process = subprocess.Popen(
        command("run", "--ep-id", EP, "--api", url, "--follow", *more),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def read_to(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"the command never said {text!r}")


def test_a_job_is_shown_as_a_run_in_this_process_is(told: Told, tmp_path: Path) -> None:
    told.on_start = told.work_through
    with served(told.app) as server:
        done = in_this_process(
            "run", "--ep-id", EP, "--api", server.url, "--follow", "--json", data_root=tmp_path
        )

    assert (done.returncode, done.stderr.splitlines()) == (
        0,
        [f"job {JOB}, run {EP}/{RUN}", "scan ...", "tracks ...", f"run {EP}/{RUN}: done in 1.5 s"],
    )
    known = {name: value for name, value in SUMMARY.items() if name != "of_a_newer_server"}
    assert json.loads(done.stdout) == known


def test_on_a_terminal_there_are_bars(told: Told, tmp_path: Path) -> None:
    told.on_start = told.work_through
    with served(told.app) as server:
        shown = on_terminal(
            "run", "--ep-id", EP, "--api", server.url, "--follow", data_root=tmp_path
        )

    # Its last report said 30; a step that succeeded has done it all.
    assert re.search(r"scan\s.*60/60", shown)


def test_without_follow_the_job_is_named_and_left_to_the_server(told: Told, tmp_path: Path) -> None:
    with served(told.app) as server:
        done = in_this_process(
            "run", "--ep-id", EP, "--api", server.url, "--json", data_root=tmp_path
        )

    assert done.returncode == 0
    assert json.loads(done.stdout) == {"job_id": JOB, "status": "running", "run_id": RUN}


def test_what_is_asked_for_is_what_the_server_is_asked_for(told: Told, tmp_path: Path) -> None:
    video = tmp_path / "a video.mp4"
    video.write_bytes(b"frames")
    with served(told.app) as server:
        in_this_process(
            "run", video, "--ep-id", EP, "--api", server.url, "--run-id", "mine", "--profile",
            "low_power", "--models", "lite", "--set", "stride=5", "--stage", "cluster",
            "--reuse-detections", "--replace-video", data_root=tmp_path,
        )  # fmt: skip

    assert told.asked == [
        ("filename=a+video.mp4&replace=true", b"frames"),
        (
            "cluster",
            {
                "ep_id": EP, "run_id": "mine", "profile": "low_power", "models": "lite",
                "stride": 5, "reuse_detections": True,
            },
        ),
    ]  # fmt: skip


def test_a_failed_job_fails_the_command_and_says_why(told: Told, tmp_path: Path) -> None:
    told.on_start = lambda: told.tell(told.work().failed("scan").run_failed())
    with served(told.app) as server:
        done = in_this_process(
            "run", "--ep-id", EP, "--api", server.url, "--follow", "--json", data_root=tmp_path
        )

    said = json.loads(done.stdout)
    assert done.returncode == 1
    assert (said["success"], said["error"], said["error_code"]) == (
        False,
        "bad video",
        "video_error",
    )
    assert f"run {EP}/{RUN} failed: bad video" in done.stderr


def test_ctrl_c_cancels_the_job_and_waits_for_its_end(told: Told) -> None:
    told.on_start = told.work
    with served(told.app) as server, following(told, server.url) as process:
        read_to(process, "scan ...")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=WAIT_S)

    assert told.asked[-1] == ("cancel", JOB)
    assert "canceling the job" in said
    assert said.rstrip().endswith(f"run {EP}/{RUN} was canceled")
    assert process.returncode == 1


def test_progress_is_taken_up_where_it_was_left_when_the_server_restarts(told: Told) -> None:
    told.on_start = told.work
    with served(told.app) as first, following(told, first.url, "--json") as process:
        read_to(process, "scan ...")
        first.stop()
        told.complete()
        with served(told.app, port=first.port):
            out, said = process.communicate(timeout=WAIT_S)

    assert process.returncode == 0
    assert json.loads(out)["success"]
    assert [line for line in said.splitlines() if "..." in line] == ["tracks ..."]


def test_nothing_is_heard_twice_when_the_server_restarts(told: Told) -> None:
    told.work()
    with served(told.app) as first, ApiClient(first.url) as api:
        heard = []
        for news in api.progress(JOB, lambda _: None):
            heard.append(news.data["sequence"])
            if len(heard) == 5:
                first.stop()
                told.complete()
                again = ExitStack()
                again.enter_context(served(told.app, port=first.port))
        again.close()

    # Lines 2 and 3 plan; the end is at the last line.
    assert heard == [1, *range(4, len(told.story) + 1), len(told.story)]


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        pytest.param(
            ["--set", "stryde=5"], 2, "Did you mean 'stride'?", id="refused by the server"
        ),
        pytest.param(["--fresh"], 2, "is not among a job's settings", id="not for a server"),
        pytest.param(["--stage", "detect", "--stage", "pdf"], 2, "may name one", id="two stages"),
        pytest.param(["no-such-video.mp4"], 2, "cannot be read", id="no video"),
    ],
)
def test_wrong_usage_is_said_and_starts_nothing(
    arguments: list[str], status: int, reason: str, told: Told, tmp_path: Path
) -> None:
    with served(told.app) as server:
        done = in_this_process(
            "run", *arguments, "--ep-id", EP, "--api", server.url, data_root=tmp_path
        )

    assert (done.returncode, done.stdout) == (status, "")
    assert reason in done.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--follow"], "--follow: follows what a server runs"),
        (["--api", "ftp://box"], "is no address of a server"),
        (["--api", "box:8000"], "is no address of a server"),
    ],
)
def test_a_server_must_be_named_by_its_address(
    arguments: list[str], reason: str, tmp_path: Path
) -> None:
    done = in_this_process("run", "--ep-id", EP, *arguments, data_root=tmp_path)

    assert done.returncode == 2
    assert reason in done.stderr


def test_a_server_that_is_not_there_is_said_within_seconds(tmp_path: Path) -> None:
    begun_s = time.monotonic()

    done = in_this_process("run", "--ep-id", EP, "--api", "http://127.0.0.1:9", data_root=tmp_path)

    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert time.monotonic() - begun_s < WAIT_S
