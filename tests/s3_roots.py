"""Data roots in buckets of a server in this process, which can be made to misbehave."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import boto3

from screenalytics_assets.settings import Settings
from tests.storage_backends import MotoServer

SLOW_DOWN = (
    b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)
# Some tries of the client, and little time.
DOWN_S = 1.0
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@dataclass
class Faults:
    """What is wrong with a server; nothing at first.

    Attributes:
        throttles: Every so manieth request is answered with SlowDown; 0 = none.
        denies: Of a request's method and query: whether it is refused.
        drops_conditions: It ignores them, as some servers do.
        dies_after: Parts of paths; it is killed when it has done the next PUT of the first of
            them, before it answers, and is gone for `DOWN_S`; then of the next one.
        asked: Method and path of every request.
    """

    throttles: int = 0
    denies: Callable[[str, str], bool] = lambda method, query: False
    drops_conditions: bool = False
    dies_after: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    kill: Callable[[], None] = lambda: None

    def around(self, app: Any) -> Any:
        """Return an app that is `app` with these faults."""

        def faulty(environ: dict[str, Any], start_response: Any) -> Any:
            method, query = environ["REQUEST_METHOD"], environ.get("QUERY_STRING", "")
            self.asked.append(f"{method} {environ['PATH_INFO']}")
            if self.throttles and len(self.asked) % self.throttles == 0:
                return self._answer(environ, start_response, "503 Slow Down", SLOW_DOWN)
            if self.denies(method, query):
                return self._answer(environ, start_response, "403 Forbidden", DENIED)
            if self.drops_conditions:
                environ.pop("HTTP_IF_NONE_MATCH", None)
            if method == "PUT" and self.dies_after and self.dies_after[0] in environ["PATH_INFO"]:
                self.dies_after.pop(0)
                list(app(environ, lambda *_: None))
                self.kill()
                raise ConnectionResetError  # what the server drops a connection at
            return app(environ, start_response)

        return faulty

    def _answer(self, environ: Any, start_response: Any, status: str, body: bytes) -> list[bytes]:
        # Unread, a body would be taken for the next request of the connection.
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(status, [("Content-Type", "application/xml"), ("Connection", "close")])
        return [body]


@dataclass(frozen=True)
class S3House:
    """A server and a bucket on it; the environment is set up for it."""

    url: str
    bucket: str
    faults: Faults
    client: Any
    folder: Path

    def settings(self, name: str = "here") -> Settings:
        """Return settings of a machine, with a home and a cache of its own."""
        home = {"HOME": str(self.folder), "DAGSTER_HOME": str(self.folder / name / "dagster")}
        cache = {"SCREENALYTICS_CACHE_DIR": str(self.folder / name / "cache")}
        return Settings.from_env({**home, **cache}, data_root=self.url)

    def names(self) -> list[str]:
        """Return the keys of all objects but the storage's own."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        names = [item["Key"] for page in pages for item in page.get("Contents", ())]
        return [name for name in names if "/." not in name]

    def get(self, name: str) -> bytes:
        """Return an object as anybody gets it."""
        content: bytes = self.client.get_object(Bucket=self.bucket, Key=name)["Body"].read()
        return content

    def put(self, name: str, content: bytes) -> None:
        """Put an object as anybody does."""
        self.client.put_object(Bucket=self.bucket, Key=name, Body=content)


@contextmanager
def s3_house(folder: Path, prefix: str = "shows") -> Iterator[S3House]:
    """Give a server, an empty bucket, and the environment to reach it."""
    faults = Faults()
    server = MotoServer(faults.around)
    faults.kill = lambda: server.go_down(DOWN_S)
    environment = {
        "AWS_ACCESS_KEY_ID": "moto",
        "AWS_SECRET_ACCESS_KEY": "checks no signature",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": server.endpoint,
    }
    with mock.patch.dict("os.environ", environment):
        # A new name each time, since an opened root is remembered by the process.
        bucket = f"test-{uuid.uuid4().hex}"
        client = boto3.session.Session().client("s3")
        client.create_bucket(Bucket=bucket)
        yield S3House(f"s3://{bucket}/{prefix}", bucket, faults, client, folder)
    server.stop()
