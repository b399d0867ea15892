"""Progress over HTTP as a test needs it: a server over a data root, and listeners that hear it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import dagster as dg
import httpx
import uvicorn
from fastapi import FastAPI
from httpx_sse import EventSource, ServerSentEvent

from screenalytics_assets.api.job_view import JobViews
from screenalytics_assets.api.launching import Launcher
from screenalytics_assets.api.problems import add_problem_handlers
from screenalytics_assets.api.progress import routes
from screenalytics_assets.api.service import Service
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores


def progress_app(root: Path, instance: dg.DagsterInstance) -> FastAPI:
    """Return the routes of progress alone, over a data root; nothing is launched here."""
    settings = Settings.from_env({"HOME": str(root)}, data_root=root)
    stores = Stores.open(root)
    app = FastAPI()
    add_problem_handlers(app)
    app.include_router(routes.router)
    nobody = cast(Launcher, None)
    app.state.service = Service(settings, stores, instance, nobody, JobViews(instance, stores))
    return app


@dataclass
class Served:
    """An app that is served, and where."""

    app: FastAPI
    port: int
    server: uvicorn.Server
    thread: threading.Thread

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End it; streams that are open are cut."""
        self.server.should_exit = True
        self.thread.join()


@contextmanager
def served(app: FastAPI, port: int = 0) -> Iterator[Served]:
    """Serve an app from a thread of this process."""
    config = uvicorn.Config(app, port=port, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        thread.join(0.01)
    running = Served(app, server.servers[0].sockets[0].getsockname()[1], server, thread)
    try:
        yield running
    finally:
        running.stop()


@dataclass
class Heard:
    """What a listener was sent: events with their name, id and data; heartbeats are left out."""

    events: list[ServerSentEvent] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [event.event for event in self.events]

    @property
    def ids(self) -> list[str]:
        return [event.id for event in self.events]

    @property
    def sequences(self) -> list[int]:
        """Lines of the log that `progress` told of."""
        return [int(event.id) for event in self.events if event.event == "progress"]

    @property
    def last(self) -> dict[str, Any]:
        return data_of(self.events[-1])

    @property
    def is_ended(self) -> bool:
        return bool(self.events) and self.events[-1].event == "end"


def data_of(event: ServerSentEvent) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(event.data)
    return found


def listen(url: str, last_event_id: str | None = None) -> Iterator[ServerSentEvent]:
    """Yield what a listener is sent until the server closes the stream."""
    headers = {"Last-Event-ID": last_event_id} if last_event_id is not None else {}
    with httpx.Client(timeout=30) as client, client.stream("GET", url, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        for event in EventSource(answer).iter_sse():
            # `retry:` and comments have no data.
            if event.data:
                yield event


def hear(url: str, last_event_id: str | None = None, most: int | None = None) -> Heard:
    """Listen to the end of the stream, or to so many events."""
    heard = Heard()
    for event in listen(url, last_event_id):
        heard.events.append(event)
        if len(heard.events) == most:
            break
    return heard
