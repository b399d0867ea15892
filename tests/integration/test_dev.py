"""`screenalytics dev`: the real webserver over a prepared DAGSTER_HOME, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from screenalytics_assets.engine import EpisodeRunResult
from screenalytics_assets.graph import OUTPUTS
from screenalytics_assets.settings import Settings

WAIT_S = 120.0
ASSETS = "{ assetNodes { assetKey { path } groupName } }"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, query: str) -> dict[str, object]:
    """Put a GraphQL query to the webserver, waiting for it to come up."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        data=json.dumps({"query": query}).encode(),
        headers={"Content-Type": "application/json"},
    )
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                found: dict[str, object] = json.loads(answer.read())["data"]
                if found.get("assetNodes"):
                    return found
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        assert time.monotonic() < deadline, "the webserver never answered"
        time.sleep(0.5)


@pytest.mark.models
def test_dev_shows_the_graph_and_ends_with_all_its_children(
    finished: tuple[Settings, EpisodeRunResult],
) -> None:
    settings, _ = finished
    port = free_port()
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    main = "from screenalytics_assets.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", main, "dev", "--port", str(port),
         "--data-root", str(settings.data_root)],
        env=env, cwd=Path(__file__).parents[2], stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        nodes = ask(port, ASSETS)["assetNodes"]
        children = psutil.Process(process.pid).children(recursive=True)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)

    assert isinstance(nodes, list)
    assert {node["assetKey"]["path"][0] for node in nodes} == {*OUTPUTS, "video"}
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
