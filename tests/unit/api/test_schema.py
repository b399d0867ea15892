"""The service answers as its document says, whatever it is asked; generated from the document."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
import schemathesis
from dagster._daemon.types import DaemonHeartbeat
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from screenalytics_assets.api.app import create_app
from screenalytics_assets.api.security.guard import READ_HEADERS
from screenalytics_core.errors import JobNotFoundError
from tests.api_reading import KeptLauncher, seen_run, settings_of
from tests.stores import EP, Stores
from tests.unit.api.test_jobs import add_run

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# Half of them wrong ones.
FEW = 8
RUN = "first"
JOB = "00000000-0000-4000-8000-000000000001"
KNOWN = {
    "ep_id": EP, "run_id": RUN, "job_id": JOB, "season": "rhobh-s05", "show": "rhobh",
    "kind": "tracks", "part": "tracks", "stage": "cluster", "face_id": 0,
}  # fmt: skip
DOCUMENT = create_app(settings_of(Path("nowhere"))).openapi()
# Streams are told to their end: tests of their own hear them.
OPERATIONS = {
    f"{found.ok().method.upper()} {found.ok().path}": found.ok()
    for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
    if isinstance(found, Ok) and not found.ok().path.endswith("/events")
}


@dataclass
class AnyLauncher(KeptLauncher):
    """It knows the jobs that the service knows."""

    def cancel(self, job_id: str) -> None:
        if job_id != JOB:
            raise JobNotFoundError(thing="job", reason="does not exist")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service that knows a run with all its artifacts, and a job."""
    root = tmp_path_factory.mktemp("service")
    seen_run(Stores(root), RUN)
    app = create_app(settings_of(root, launch_rate="1000000/minute"), AnyLauncher())
    with TestClient(
        app, "http://localhost", raise_server_exceptions=False, follow_redirects=False
    ) as client:
        instance: dg.DagsterInstance = app.state.service.instance
        for daemon in ("SENSOR", "QUEUED_RUN_COORDINATOR"):
            instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() + 600, daemon, None, []))
        add_run(instance, JOB, status=dg.DagsterRunStatus.FAILURE, run_id=RUN)
        yield client


@pytest.fixture(scope="module")
def examples(pytestconfig: pytest.Config) -> settings:
    """The same few each time, or many that nobody has seen yet: `make test-api`."""
    many: int | None = pytestconfig.getoption("--schema-examples")
    return settings(
        max_examples=many or FEW,
        derandomize=many is None,
        print_blob=many is not None,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def cases(operation: Any) -> st.SearchStrategy[Any]:
    """Draw requests of which about half are as the document wants them."""
    right, wrong = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)
    has_input = operation.body or any(operation.iter_parameters())
    return st.one_of(right, wrong) if has_input else right


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_answers_as_the_document_says(
    client: TestClient, examples: settings, name: str
) -> None:
    # Half of the requests name what there is: the rest seldom gets past its ids.
    @examples
    @given(case=cases(OPERATIONS[name]), is_known=st.booleans())
    def asked(case: Any, is_known: bool) -> None:
        if is_known:
            given_ids = case.path_parameters or {}
            case.path_parameters = {n: KNOWN.get(n, v) for n, v in given_ids.items()}
        sent = case.as_transport_kwargs(base_url="http://localhost")
        sent.pop("cookies", None)
        # As it goes over the wire; a text that is not plain the client would not send.
        sent["headers"] = {n: str(v).encode("latin-1") for n, v in sent["headers"].items()}
        case.validate_response(client.request(**sent), checks=CHECKS)

    asked()


def with_json() -> list[str]:
    return [
        name
        for name, operation in OPERATIONS.items()
        if "application/json" in operation.definition.raw.get("requestBody", {}).get("content", {})
    ]


@pytest.mark.parametrize("name", with_json())
@pytest.mark.parametrize("raw", [b"{", b"\xff", b"[]", b'{"\\ud800": 1}'])
def test_a_body_that_is_no_json_is_answered_as_the_document_says(
    client: TestClient, name: str, raw: bytes
) -> None:
    method, path = name.split()
    for key, value in KNOWN.items():
        path = path.replace("{" + key + "}", str(value))
    kind = {"content-type": "application/json"}

    answer: httpx.Response = client.request(method, path, content=raw, headers=kind)

    assert answer.status_code in {400, 422}
    assert str(answer.status_code) in OPERATIONS[name].definition.raw["responses"]


def test_scripts_of_a_named_origin_may_send_every_header_that_an_operation_reads() -> None:
    operations = [o for path in DOCUMENT["paths"].values() for o in path.values()]
    parameters = [p for o in operations for p in o.get("parameters", ())]
    declared = {p["name"].lower() for p in parameters if p["in"] == "header"}
    # Who asks, what is sent, and what every file takes.
    others = {"authorization", "content-type", "range", "if-range", "if-none-match"}

    assert set(READ_HEADERS) == declared | others


def test_every_operation_says_how_the_server_itself_may_fail() -> None:
    for name, operation in OPERATIONS.items():
        assert {"500", "503"} <= operation.definition.raw["responses"].keys(), name
