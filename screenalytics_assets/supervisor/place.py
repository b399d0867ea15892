"""Where a supervisor keeps its locks and records: the folder `supervisor` of a DAGSTER_HOME."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from filelock import FileLock

from screenalytics_core.processes import pid_started_s

LOCATION: Final = "screenalytics_assets.definitions"
"""Module, and name in Dagster, of the one code location."""
DAEMON: Final = "daemon"
"""Name of the child that takes runs from the queue."""

# Starts are counted in ticks of 10 ms.
_START_TOLERANCE_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Pid:
    """A process of this machine that a reused pid cannot be taken for.

    Attributes:
        started_s: As `pid_started_s` counts.
    """

    pid: int
    started_s: float

    @classmethod
    def of(cls, pid: int) -> Self:
        """Name a process that was just started."""
        return cls(pid, pid_started_s(pid) or 0.0)

    def is_alive(self) -> bool:
        """Tell whether it still runs."""
        started_s = pid_started_s(self.pid)
        return started_s is not None and abs(started_s - self.started_s) < _START_TOLERANCE_S


@dataclass(frozen=True, slots=True)
class Client:
    """A server that needs the supervisor.

    Attributes:
        kind: dev or api.
        url: Where it is reached.
    """

    kind: str
    process: Pid
    url: str


@dataclass(frozen=True, slots=True)
class Record:
    """What a supervisor says of itself.

    Attributes:
        data_root: What its code server works over; so that nobody mistakes it for another.
        socket: Where the code server is reached.
        children: By name.
    """

    process: Pid
    data_root: str
    socket: str
    children: Mapping[str, Pid]


class Place:
    """The folder of a DAGSTER_HOME that supervisor and servers share."""

    def __init__(self, dagster_home: Path) -> None:
        self.folder = dagster_home / "supervisor"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.workspace = self.folder / "workspace.yaml"

    def log(self, name: str) -> Path:
        """Return where a child's output goes."""
        return self.folder / f"{name}.log"

    def lock(self, name: str) -> FileLock:
        """Return a lock of this home; the kernel frees it when its process ends, however."""
        return FileLock(self.folder / f"{name}.lock")

    def door(self) -> AbstractContextManager[Any]:
        """Hold what coming and going take turns by."""
        return self.lock("door")

    def record(self) -> Record | None:
        """Return what the last supervisor said; None if it said nothing that can be read."""
        found = _read(self.folder / "supervisor.json")
        if found is None:
            return None
        try:
            return Record(
                process=Pid(**found["process"]),
                data_root=found["data_root"],
                socket=found["socket"],
                children={name: Pid(**pid) for name, pid in found["children"].items()},
            )
        except (KeyError, TypeError, AttributeError):
            return None

    def living(self) -> Record | None:
        """Return the record of the supervisor that runs; None if none does."""
        record = self.record()
        return record if record is not None and record.process.is_alive() else None

    def lacks_daemon(self) -> bool:
        """Tell whether a supervisor works here, or is needed, and its daemon does not run.

        Nothing is said of a home without either: the daemon of another may work on its queue.
        """
        record = self.record()
        if record is None or not (record.process.is_alive() or self.clients()):
            return False
        daemon = record.children.get(DAEMON)
        return daemon is None or not daemon.is_alive()

    def write_record(self, record: Record) -> None:
        """Say who supervises and what runs."""
        _write(self.folder / "supervisor.json", asdict(record))

    def forget_record(self) -> None:
        """Say that nobody supervises any more."""
        (self.folder / "supervisor.json").unlink(missing_ok=True)

    def clients(self) -> list[Client]:
        """Return the servers that live."""
        found = []
        for path in sorted(self.folder.glob("client-*.json")):
            document = _read(path) or {}
            try:
                client = Client(document["kind"], Pid(**document["process"]), document["url"])
            except (KeyError, TypeError):
                continue
            if client.process.is_alive():
                found.append(client)
        return found

    def write_client(self, client: Client) -> None:
        """Say that a server is there; of each kind there is one, by its lock."""
        _write(self._client(client.kind), asdict(client))

    def forget_client(self, kind: str) -> None:
        """Say that a server has gone."""
        self._client(kind).unlink(missing_ok=True)

    def _client(self, kind: str) -> Path:
        return self.folder / f"client-{kind}.json"


def _read(path: Path) -> dict[str, Any] | None:
    """Return what a record holds; None if there is none, or it is no JSON object."""
    try:
        found = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _write(path: Path, document: Mapping[str, Any]) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(json.dumps(document, indent=1) + "\n")
    part.replace(path)
