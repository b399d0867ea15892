"""`screenalytics dev`: the real webserver and daemon, and nothing left behind."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from screenalytics_assets.graph import OUTPUTS
from screenalytics_assets.jobs import EPISODE_JOB
from screenalytics_assets.settings import Settings
from screenalytics_core import layout
from screenalytics_core.ledger.vocabulary import RunStatus
from screenalytics_core.seasons.specs import PART_FILES
from tests.integration.dev_server import DevServer, dev_server
from tests.integration.support import EP_ID
from tests.integration.views import assert_nothing_lies
from tests.integration.without_us import LITE, execute_without_us, register

OTHER_EP_ID = "show-s01e02"
WAIT_S = 120.0
LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""

BACKFILL = """
mutation Backfill($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.2)


def launch(server: DevServer, run_id: str) -> None:
    """Launch the episode's job as the UI's launchpad does."""
    params = {
        "selector": {
            "repositoryLocationName": "screenalytics_assets.definitions",
            "repositoryName": "__repository__",
            "jobName": EPISODE_JOB,
        },
        "runConfigData": LITE,
        "mode": "default",
        "executionMetadata": {
            "tags": [
                {"key": "dagster/partition", "value": EP_ID},
                {"key": "run_id", "value": run_id},
            ]
        },
    }
    answer = server.ask(LAUNCH, {"params": params})["launchRun"]
    assert answer["__typename"] == "LaunchRunSuccess", answer


def backfill(server: DevServer, run_id: str, *ep_ids: str) -> None:
    """Launch the scan of several episodes, as the UI's dialog does."""
    params = {
        "assetSelection": [{"path": ["shots"]}, {"path": ["detections"]}],
        "partitionNames": list(ep_ids),
        "tags": [{"key": "run_id", "value": run_id}],
        "runConfigData": LITE,
    }
    answer = server.ask(BACKFILL, {"params": params})["launchPartitionBackfill"]
    assert answer["__typename"] == "LaunchBackfillSuccess", answer


@pytest.mark.models
def test_dev_shows_the_graph_and_its_daemon_keeps_the_ledger(
    clip: Path, settings: Settings, lite_pack: object
) -> None:
    register(settings, clip, EP_ID, OTHER_EP_ID)
    execute_without_us(settings, EP_ID, {"run_id": "while-down"})

    def state_is(run_id: str, wanted: RunStatus, ep_id: str = EP_ID) -> bool:
        path = settings.data_root / layout.status_key(ep_id, run_id)
        return path.exists() and json.loads(path.read_text())["state"] == wanted

    with dev_server(settings) as server:
        nodes = server.assets()
        wait_for(
            lambda: state_is("while-down", RunStatus.COMPLETED),
            "the run during which no daemon ran is caught up with",
        )
        launch(server, "from-the-ui")
        wait_for(
            lambda: state_is("from-the-ui", RunStatus.COMPLETED),
            "a run launched over the webserver is completed in the status file",
        )
        backfill(server, "nightly", EP_ID, OTHER_EP_ID)
        wait_for(
            lambda: all(
                state_is("nightly", RunStatus.COMPLETED, ep_id) for ep_id in (EP_ID, OTHER_EP_ID)
            ),
            "both episodes of a backfill are completed in their status files",
        )

    assert {node["assetKey"]["path"][0] for node in nodes} == {*OUTPUTS, *PART_FILES, "video"}
    assert set(assert_nothing_lies(settings).values()) == {RunStatus.COMPLETED}
    _, alive = psutil.wait_procs(server.children, timeout=20)
    assert alive == []
