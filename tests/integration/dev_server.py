"""`screenalytics dev` as a test uses it: started, asked over HTTP, ended with its children."""

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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from screenalytics_assets.settings import Settings

WAIT_S = 120.0
_ASSETS = "{ assetNodes { assetKey { path } groupName } }"


@dataclass(frozen=True)
class DevServer:
    """A running `screenalytics dev`."""

    port: int
    children: list[psutil.Process]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """Put a GraphQL query to the webserver."""
        request = urllib.request.Request(
            f"{self.url}/graphql",
            data=json.dumps({"query": query, "variables": variables or {}}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, Any] = json.loads(answer.read())
        assert "errors" not in found, found["errors"]
        data: dict[str, Any] = found["data"]
        return data

    def assets(self) -> list[dict[str, Any]]:
        """Return the nodes of the asset graph, waiting for the code to be loaded."""
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                nodes: list[dict[str, Any]] = self.ask(_ASSETS)["assetNodes"]
                if nodes:
                    return nodes
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pass
            assert time.monotonic() < deadline, "the webserver never answered"
            time.sleep(0.5)


@contextmanager
def dev_server(settings: Settings) -> Iterator[DevServer]:
    """Run `screenalytics dev` over the folders of `settings`."""
    port = _free_port()
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    main = "from screenalytics_assets.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", main, "dev", "--port", str(port),
         "--data-root", str(settings.data_root)],
        env=env, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    server = DevServer(port, [])
    try:
        server.assets()
        server.children.extend(psutil.Process(process.pid).children(recursive=True))
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
