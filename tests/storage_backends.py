"""Storages of every kind for the contract tests, which processes of a race can open too."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from screenalytics_core.errors import StorageError
from screenalytics_core.storage.base import Storage
from screenalytics_core.storage.data_root import CacheFolder, S3Root
from screenalytics_core.storage.local import LocalStorage
from screenalytics_core.storage.s3 import S3Storage

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

# Of each process its own would be as good; one limit for all keeps small tests small.
CACHE_BYTES = 64 << 20


@cache
def _session() -> boto3.session.Session:
    """Return one for all, since each reads the descriptions of S3 anew."""
    return boto3.session.Session()


@dataclass(frozen=True)
class Server:
    """An S3 server and who may use it."""

    endpoint: str
    access_key: str
    secret_key: str

    def client(self, tries: int = 8) -> S3Client:
        return _session().client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(retries={"mode": "standard", "max_attempts": tries}),
        )


@dataclass(frozen=True)
class Backend:
    """A place for a storage; without a server it is a folder."""

    folder: Path
    server: Server | None = None
    bucket: str = ""
    prefix: str = "some/prefix"

    @property
    def is_s3(self) -> bool:
        return self.server is not None

    @property
    def root(self) -> S3Root:
        return S3Root(self.bucket, self.prefix, CacheFolder(self.folder / "cache", CACHE_BYTES))

    def open(self, lock_timeout_s: float = 60.0, **s3: Any) -> Storage:
        if self.server is None:
            return LocalStorage(self.folder / "data", lock_timeout_s=lock_timeout_s)
        return self.open_s3(lock_timeout_s=lock_timeout_s, **s3)

    def open_s3(self, **given: Any) -> S3Storage:
        assert self.server is not None
        return S3Storage(given.pop("client", None) or self.server.client(), self.root, **given)

    def put_plainly(self, key: str, data: bytes) -> None:
        """Put a file where `key` lies as somebody does who copies a data root."""
        if self.server is None:
            path = self.folder / "data" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        else:
            name = f"{self.prefix}/{key}"
            self.server.client().put_object(Bucket=self.bucket, Key=name, Body=data)


class MotoServer:
    """moto's server on a free port of loopback.

    One request at a time, unlike moto's own `ThreadedMotoServer`: it looks at conditions and
    acts on them in two steps, which two requests at once would come between.

    Args:
        around: Stands between the server and whoever asks: a fault of a server.
    """

    def __init__(self, around: Callable[[Any], Any] = lambda app: app) -> None:
        self._app = around(DomainDispatcherApplication(create_backend_app))
        self._start(0)

    def _start(self, port: int) -> None:
        self._server = make_server(
            "127.0.0.1", port, self._app, threaded=False, request_handler=MotoRequestHandler
        )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def go_down(self, down_s: float) -> None:
        """Refuse connections for a while, then serve what was held; a request may ask for it."""
        threading.Thread(target=self._start_again, args=(down_s,), daemon=True).start()

    def _start_again(self, down_s: float) -> None:
        port = self._server.server_address[1]
        self.stop()
        time.sleep(down_s)
        self._start(port)


def ceph_server() -> Server | None:
    """Return the server that `make test-s3` has started, if it has."""
    endpoint = os.environ.get("S3_TEST_ENDPOINT")
    if not endpoint:
        return None
    return Server(endpoint, os.environ["S3_TEST_ACCESS_KEY"], os.environ["S3_TEST_SECRET_KEY"])


# --- what processes of a race do -------------------------------------------------------------


def create_once(backend: Backend, key: str, content: bytes) -> bool:
    return backend.open().create_exclusive(key, content)


def add_to_counter(backend: Backend, key: str, times: int) -> None:
    storage = backend.open()
    for _ in range(times):
        with storage.lock(key):
            count = int(storage.read_bytes(key)) if storage.exists(key) else 0
            storage.write_atomic(key, str(count + 1).encode())


def append_lines_under_lock(backend: Backend, key: str, name: str, count: int) -> None:
    storage = backend.open()
    for n in range(count):
        with storage.lock(key):
            storage.append(key, f"{name} line {n}\n".encode())


def append_lines(backend: Backend, key: str, name: str, count: int) -> None:
    storage = backend.open()
    for n in range(count):
        storage.append(key, f"{name} line {n}\n".encode())


def append_for_ever(backend: Backend, key: str, line: bytes) -> None:
    storage = backend.open()
    while True:
        with storage.lock(key):
            storage.append(key, line)


def hold_for_ever(backend: Backend, key: str, **s3: Any) -> None:
    """Take a lock, say so in a file, and keep it."""
    with backend.open(**s3).lock(key):
        (backend.folder / "held").touch()
        while True:
            time.sleep(1)


def lock_once(backend: Backend, key: str, linger_s: float) -> None:
    with backend.open_s3(linger_s=linger_s).lock(key):
        pass


def hold_then_write(backend: Backend, key: str, pause_s: float, lease_s: float) -> str:
    """Take a lock, say so, wait for the file `go`, then write; return what came of it."""
    storage = backend.open(lease_s=lease_s)
    with storage.lock(key):
        (backend.folder / "held").touch()
        while not (backend.folder / "go").exists():
            time.sleep(pause_s)
        try:
            storage.write_atomic(key, b"of the paused one")
        except StorageError as error:
            return error.reason
    return "written"
