"""Asks a server from many connections at once, cheaply: the client shares the server's cores."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.processes import BenchError

_JSON: Final = "Content-Type: application/json\r\n"


@dataclass(slots=True)
class Connection:
    """One kept-alive HTTP/1.1 connection; what is asked waits for its answer."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Connect to this machine's `port`."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> tuple[int, bytes]:
        """Return status and body of an answer that says how long it is."""
        content = json.dumps(body).encode() if body is not None else b""
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(content)}\r\n"
        self.writer.write(f"{head}{_JSON if content else ''}\r\n".encode() + content)
        answer = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(answer.partition("content-length:")[2].partition("\r\n")[0])
        return int(answer.split(" ", 2)[1]), await self.reader.readexactly(length)

    async def listen(self, path: str, on_first: Callable[[], None]) -> list[str]:
        """Return the ids of a stream's events, up to its `end`."""
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        ids: list[str] = []
        while True:
            line = (await self.reader.readline()).decode().rstrip()
            if not line and self.reader.at_eof():
                raise BenchError(f"the stream closed without an end after {ids[-1:]}")
            if line.startswith("id: "):
                ids.append(line.removeprefix("id: "))
                if len(ids) == 1:
                    on_first()
                if ids[-1].endswith(".end"):
                    return ids

    def close(self) -> None:
        """Hang up."""
        self.writer.close()


async def ask_for(
    seconds: float, clients: int, pause_s: float, port: int, path: str
) -> dict[str, Any]:
    """Let `clients` ask for one thing over and over; return how long the answers took.

    Args:
        pause_s: Each asks so often, whatever the answers take, at times of its own; 0 = at
            once again.
    """
    latencies_s: list[float] = []

    async def client(number: int) -> None:
        connection = await Connection.open(port)
        due_s = time.perf_counter() + pause_s * number / clients
        end_s = time.perf_counter() + seconds
        while due_s < end_s:
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            # From when it was due: a request that could not be sent in time was slow too.
            asked_s = due_s if pause_s else time.perf_counter()
            status, _ = await connection.ask("GET", path)
            latencies_s.append(time.perf_counter() - asked_s)
            if status != 200:
                raise BenchError(f"GET {path} was answered with {status}")
            due_s = due_s + pause_s if pause_s else time.perf_counter()
        connection.close()

    await asyncio.gather(*(client(n) for n in range(clients)))
    return {
        "clients": clients,
        "pause_s": pause_s,
        "requests": len(latencies_s),
        "per_s": round(len(latencies_s) / seconds, 1),
        **quantiles_ms(latencies_s),
    }


def quantiles_ms(latencies_s: list[float]) -> dict[str, float]:
    """Return the median, the 99th percentile and the longest, in milliseconds."""
    ordered = sorted(latencies_s)
    return {
        "p50_ms": round(statistics.median(ordered) * 1e3, 1),
        "p99_ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1e3, 1),
        "max_ms": round(ordered[-1] * 1e3, 1),
    }


async def in_parallel(
    count: int, clients: int, port: int, act: Callable[[Connection, int], Awaitable[None]]
) -> tuple[float, list[float]]:
    """Do something `count` times from `clients` connections; return wall seconds and each one's."""
    numbers = iter(range(count))
    taken_s: list[float] = []

    async def client() -> None:
        connection = await Connection.open(port)
        for number in numbers:
            begun_s = time.perf_counter()
            await act(connection, number)
            taken_s.append(time.perf_counter() - begun_s)
        connection.close()

    begun_s = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return time.perf_counter() - begun_s, taken_s
