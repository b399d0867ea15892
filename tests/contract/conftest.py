"""Every kind of storage, for tests that all of them must pass."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from screenalytics_core.storage.base import Storage
from tests.storage_backends import Backend, MotoServer, Server, ceph_server

_CEPH = pytest.param("ceph", marks=pytest.mark.s3_rgw)


@pytest.fixture(scope="session")
def moto() -> Iterator[Server]:
    server = MotoServer()
    yield Server(server.endpoint, "moto", "checks no signature")
    server.stop()


@pytest.fixture(scope="session")
def ceph() -> Server:
    server = ceph_server()
    if server is None:
        pytest.skip("opt-in: make test-s3")
    return server


def _in_new_bucket(server: Server, folder: Path) -> Backend:
    bucket = f"test-{uuid.uuid4().hex}"
    server.client().create_bucket(Bucket=bucket)
    return Backend(folder, server, bucket)


@pytest.fixture
def s3_of_ceph(ceph: Server, tmp_path: Path) -> Backend:
    return _in_new_bucket(ceph, tmp_path)


@pytest.fixture(params=["moto", _CEPH])
def s3(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    return _in_new_bucket(request.getfixturevalue(request.param), tmp_path)


@pytest.fixture(params=["local", "moto", _CEPH])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    if request.param == "local":
        return Backend(tmp_path)
    return _in_new_bucket(request.getfixturevalue(request.param), tmp_path)


@pytest.fixture
def storage(backend: Backend) -> Storage:
    return backend.open(lock_timeout_s=0.2)
