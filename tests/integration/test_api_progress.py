"""Live progress of a real job: nothing lost and nothing twice, though the server is killed."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path

import httpx
import pytest

from screenalytics_assets.graph import STEPS
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from tests.command_line import command, environment
from tests.integration.api_server import WAIT_S, ApiServer, api_server, wait_for
from tests.integration.support import EP_ID
from tests.progress_server import Heard, listen

RUN = "followed"


def hear_through_restarts(server: ApiServer, heard: Heard) -> None:
    """Listen to the end as a browser does: come back with the last id that was heard."""
    url = f"{server.url}/runs/{EP_ID}/{RUN}/events"
    while not heard.is_ended:
        try:
            for event in listen(url, heard.ids[-1] if heard.events else "0"):
                heard.events.append(event)
        except httpx.TransportError:
            wait_for(server.answers, "the server is back")


@pytest.mark.models
def test_a_job_is_followed_to_its_end_though_the_server_is_killed(
    clip: Path, settings: Settings, lite_pack: object
) -> None:
    heard = Heard()
    with api_server(settings, clip.parent) as server:
        follower = subprocess.Popen(
            command("run", clip, "--ep-id", EP_ID, "--run-id", RUN, "--models", "lite",
                    "--api", server.url, "--follow", "--json"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment(settings.data_root),
        )  # fmt: skip
        log = Stores.open(settings.data_root).ledger.log
        wait_for(lambda: log.state(EP_ID, RUN).sequence > 0, "the job is in the log")
        listener = threading.Thread(target=hear_through_restarts, args=(server, heard))
        listener.start()
        wait_for(lambda: log.state(EP_ID, RUN).running_stage is not None, "a stage is running")
        server.kill()
        server.start()
        out, said = follower.communicate(timeout=WAIT_S)
        listener.join(timeout=WAIT_S)

    state = log.state(EP_ID, RUN)
    assert follower.returncode == 0, said
    assert json.loads(out)["identities_count"] > 0
    steps = [line for line in said.splitlines() if line.endswith(" ...")][1:]
    assert steps[0] == "scan ..."
    assert sorted(steps) == sorted({f"{step.name} ..." for step in STEPS})
    silent = {"step_planned", "step_measured", "run_priced", "index_patched"}
    told = [e.sequence for e in state.kept.values() if e.kind.value not in silent]
    end = int(heard.ids[-1].removesuffix(".end"))
    assert heard.sequences == [n for n in told if n <= end]
    assert (heard.last["state"], heard.names.count("end")) == ("completed", 1)
