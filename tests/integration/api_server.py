"""`screenalytics api` as a process of its own, to be asked over HTTP, killed and started again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from screenalytics_assets.settings import Settings

WAIT_S = 120.0
_MAIN = "from screenalytics_assets.cli import main; main()"


@dataclass
class ApiServer:
    """A server over the folders of `settings`; videos may lie in `video_folder`."""

    settings: Settings
    video_folder: Path
    port: int = field(default_factory=lambda: _free_port())
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        env["SCREENALYTICS_API_VIDEO_FOLDERS"] = str(self.video_folder)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _MAIN, "api", "--port", str(self.port),
             "--data-root", str(self.settings.data_root)],
            env=env, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(self.answers, "the server answers")

    def answers(self) -> bool:
        try:
            httpx.get(f"{self.url}/jobs")
        except httpx.TransportError:
            return False
        return True

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)

    def post(self, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        return httpx.post(f"{self.url}{path}", json=body, headers=headers, timeout=60)

    def job(self, job_id: str) -> dict[str, Any]:
        answer = httpx.get(f"{self.url}/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def poll(self, job_id: str) -> dict[str, Any]:
        """Poll as the seed's example does, though more often: only `state` says the end."""
        deadline = time.monotonic() + WAIT_S
        while True:
            status = self.job(job_id)
            if status["state"] in ("succeeded", "failed"):
                return status
            assert time.monotonic() < deadline, status
            time.sleep(0.2)

    def supervisor(self) -> dict[str, Any]:
        """What the supervisor says of itself."""
        path = self.settings.dagster_home / "supervisor" / "supervisor.json"
        found: dict[str, Any] = json.loads(path.read_text())
        return found


@contextmanager
def api_server(settings: Settings, video_folder: Path) -> Iterator[ApiServer]:
    """Run a server; ended as Ctrl-C would."""
    server = ApiServer(settings, video_folder)
    server.start()
    # Requests wait for the daemon, too, but not as long as its start may take on a busy machine.
    wait_for(lambda: httpx.get(f"{server.url}/health").is_success, "the daemon beats")
    try:
        yield server
    finally:
        server.end()


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
