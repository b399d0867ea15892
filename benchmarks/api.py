"""The job API while a run goes on: listeners, pollers and launches at once.

The server, its daemon, the run and the clients share this machine's cores.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.contestants import Setup
from benchmarks.http_load import Connection, ask_for, in_parallel, quantiles_ms
from benchmarks.media import loop_video
from benchmarks.processes import BIN, ROOT, BenchError, environment

LISTENERS: Final = 200
CLIENTS: Final = 50
PAUSE_S: Final = 0.5
"""The seed's example polls every 5 s; here ten times as often."""
LIMIT_MS: Final = 50.0
LAUNCHES: Final = 40
LAUNCHERS: Final = 4
_PHASE_S: Final = 20.0
_WAIT_S: Final = 300.0
# Long enough that the run outlasts what is measured; it is canceled then.
_LOOPS: Final = 40
_EP: Final = "bench-s01e01"


@dataclass(frozen=True, slots=True)
class Server:
    """A running `screenalytics api`."""

    port: int
    process: psutil.Process

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the JSON of an answer; BenchError if it is a problem."""

        async def once() -> tuple[int, bytes]:
            return await (await Connection.open(self.port)).ask(method, path, body)

        status, content = asyncio.run(once())
        if status >= 400:
            raise BenchError(f"{method} {path}: {status} {content.decode()}")
        found: dict[str, Any] = json.loads(content)
        return found

    def wait_for(self, path: str, name: str, values: set[Any]) -> None:
        """Wait until an answer's field has one of some values."""
        deadline_s = time.monotonic() + _WAIT_S
        while (found := self.ask("GET", path))[name] not in values:
            if time.monotonic() > deadline_s:
                raise BenchError(f"{path} never came to {values}: {found}")
            time.sleep(0.25)


def bench_api(setup: Setup, clip: Path) -> dict[str, Any]:
    """Measure listeners, pollers and launches, with a run at work all the while."""
    root = setup.work / "api"
    video = loop_video(clip, setup.work / "api.mp4", _LOOPS)
    body = {"ep_id": _EP, "models": setup.models, "profile": setup.profile}
    with _serving(root, setup.work) as server:
        idle_rss = server.process.memory_info().rss
        try:
            return _with_a_run(server, body, video, idle_rss)
        finally:
            asyncio.run(_cancel_all(server))


def _with_a_run(server: Server, body: dict[str, Any], video: Path, idle_rss: int) -> dict[str, Any]:
    job = _first_job(server, {**body, "video_path": str(video)})
    server.wait_for(f"/jobs/{job['job_id']}", "queued", {False})
    run = f"/runs/{_EP}/{job['run_id']}"
    # It has claimed, and its first step is at work.
    server.wait_for(f"{run}/progress", "next_after", set(range(17, 10_000)))
    return asyncio.run(_measure(server, job, run, body, idle_rss))


def _first_job(server: Server, body: dict[str, Any]) -> dict[str, Any]:
    """Start a job as soon as the server's code server and daemon are there."""
    deadline_s = time.monotonic() + _WAIT_S
    while True:
        try:
            return server.ask("POST", "/jobs/episode-run", body)
        except BenchError as error:
            if "daemon_missing" not in str(error) or time.monotonic() > deadline_s:
                raise
            time.sleep(1.0)


async def _measure(
    server: Server, job: dict[str, Any], run: str, body: dict[str, Any], idle_rss: int
) -> dict[str, Any]:
    path = f"/jobs/{job['job_id']}"
    connected = asyncio.Semaphore(0)

    async def hear() -> list[str]:
        return await (await Connection.open(server.port)).listen(f"{run}/events", connected.release)

    begun_s = time.perf_counter()
    listeners = asyncio.gather(*(hear() for _ in range(LISTENERS)))
    await asyncio.wait_for(_all_of(connected, LISTENERS), _WAIT_S)
    connected_s = time.perf_counter() - begun_s
    polled = await ask_for(_PHASE_S, CLIENTS, PAUSE_S, server.port, path)
    pressed = await ask_for(_PHASE_S / 4, CLIENTS, 0.0, server.port, path)
    state = await _ask(server, "GET", path)
    if state["state"] != "running" or state["queued"]:
        raise BenchError(f"the run ended before all was measured: {state}")
    grown = server.process.memory_info().rss - idle_rss
    launched = await _launch(server, body)
    await _cancel_all(server)
    heard = await listeners
    whole = await (await Connection.open(server.port)).ask("GET", f"{run}/progress?after=0")
    return {
        "limit_ms": LIMIT_MS,
        "listeners": {
            "count": LISTENERS,
            "connected_s": round(connected_s, 2),
            "events": min(len(ids) for ids in heard) - 2,
            "all_in_order": _are_whole(heard, json.loads(whole[1])),
            "server_grew_mb": round(grown / 1e6, 1),
        },
        "polled": polled,
        "pressed": pressed,
        "launched": launched,
    }


async def _all_of(done: asyncio.Semaphore, count: int) -> None:
    for _ in range(count):
        await done.acquire()


def _are_whole(heard: list[list[str]], page: dict[str, Any]) -> bool:
    """Tell whether each listener heard all that came after its snapshot, once and in order."""
    sequences = [event["sequence"] for event in page["events"]]
    for snapshot, *told, end in heard:
        until = int(end.removesuffix(".end"))
        if told != [str(n) for n in sequences if int(snapshot) < n <= until]:
            return False
    return True


async def _launch(server: Server, body: dict[str, Any]) -> dict[str, Any]:
    async def launch(connection: Connection, _number: int) -> None:
        status, content = await connection.ask("POST", "/jobs/episode-run", body)
        if status != 202:
            raise BenchError(f"a launch was answered with {status}: {content.decode()}")

    wall_s, taken_s = await in_parallel(LAUNCHES, LAUNCHERS, server.port, launch)
    return {
        "count": LAUNCHES,
        "clients": LAUNCHERS,
        "per_s": round(LAUNCHES / wall_s, 2),
        **quantiles_ms(taken_s),
    }


async def _cancel_all(server: Server) -> None:
    """End every job, so that nothing outlives the bench."""
    deadline_s = time.monotonic() + _WAIT_S
    while jobs := (await _ask(server, "GET", "/jobs?state=running&limit=100"))["jobs"]:
        if time.monotonic() > deadline_s:
            raise BenchError("canceled jobs never ended")

        async def cancel(connection: Connection, number: int) -> None:
            await connection.ask("POST", f"/jobs/{jobs[number]['job_id']}/cancel")

        await in_parallel(len(jobs), LAUNCHERS, server.port, cancel)
        await asyncio.sleep(0.5)


async def _ask(server: Server, method: str, path: str) -> dict[str, Any]:
    connection = await Connection.open(server.port)
    found: dict[str, Any] = json.loads((await connection.ask(method, path))[1])
    connection.close()
    return found


@contextmanager
def _serving(root: Path, videos: Path) -> Iterator[Server]:
    """Run a server over an empty data root; its children end with it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [str(BIN / "screenalytics"), "api", "--port", str(port), "--data-root", str(root)],
        cwd=ROOT, stderr=subprocess.DEVNULL,
        env=environment(
            DAGSTER_HOME=str(root / ".dagster"),
            SCREENALYTICS_API_VIDEO_FOLDERS=str(videos),
            SCREENALYTICS_API_LAUNCH_RATE="100000/minute",
        ),
    )  # fmt: skip
    try:
        deadline_s = time.monotonic() + _WAIT_S
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise BenchError("the server never answered")
            time.sleep(0.25)
        yield Server(port, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(timeout=_WAIT_S)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def report(results: dict[str, Any]) -> list[str]:
    """Return the results as lines for people."""
    heard, polled, pressed = results["listeners"], results["polled"], results["pressed"]
    launched = results["launched"]
    order = "all of them, in order" if heard["all_in_order"] else "NOT ALL OF THEM, OR NOT IN ORDER"
    holds = "holds" if polled["p99_ms"] < results["limit_ms"] else "MISSED"
    return [
        "job API, while a run goes on:",
        f"  {heard['count']} listeners heard {heard['events']} events each, {order}; connected in "
        f"{heard['connected_s']:.1f} s; the server grew by {heard['server_grew_mb']:.0f} MB",
        f"  GET /jobs/{{id}}, {polled['clients']} clients every {polled['pause_s']:g} s: "
        f"{_quantiles(polled)}   {holds} (p99 under {results['limit_ms']:g} ms)",
        f"  the same, each at once again: {pressed['per_s']:.0f}/s, {_quantiles(pressed)}",
        f"  POST /jobs/episode-run, {launched['clients']} clients: {launched['per_s']:.1f}/s, "
        f"{_quantiles(launched)}",
    ]


def _quantiles(row: dict[str, Any]) -> str:
    return f"p50 {row['p50_ms']:.1f}, p99 {row['p99_ms']:.1f}, max {row['max_ms']:.1f} ms"
