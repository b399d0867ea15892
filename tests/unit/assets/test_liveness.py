"""Who is alive: pure cases of `judge`. Real killed processes are in tests/integration."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from screenalytics_assets.liveness import LaunchedWorker, Verdict, judge
from screenalytics_core.processes import ProcessIdentity

HERE = ProcessIdentity(
    host="studio", boot_id="boot-1", pid_namespace="pid:[1]", pid=1, started_s=0.0
)
WORKER = ProcessIdentity(
    host="studio", boot_id="boot-1", pid_namespace="pid:[1]", pid=77, started_s=500.0
)
ELSEWHERE = ProcessIdentity(
    host="node-7", boot_id="boot-9", pid_namespace="pid:[1]", pid=77, started_s=500.0
)


def pids(**started_s: float) -> Callable[[int], float | None]:
    return lambda pid: started_s.get(f"p{pid}")


@pytest.mark.parametrize(
    ("process", "age_s", "live", "worker", "verdict"),
    [
        pytest.param(WORKER, None, {"p77": 500.0}, None, Verdict.ALIVE, id="its pid lives here"),
        pytest.param(WORKER, 1.0, {}, None, Verdict.DEAD, id="its pid is gone, beats or not"),
        pytest.param(WORKER, 1.0, {"p77": 900.0}, None, Verdict.DEAD, id="its pid is another's"),
        pytest.param(ELSEWHERE, 30.0, {}, None, Verdict.ALIVE, id="elsewhere, beating"),
        pytest.param(ELSEWHERE, 61.0, {"p77": 500.0}, None, Verdict.DEAD, id="elsewhere, silent"),
        pytest.param(ELSEWHERE, None, {}, None, Verdict.UNKNOWN, id="elsewhere, not claimed yet"),
        pytest.param(None, None, {}, None, Verdict.UNKNOWN, id="queued: nothing to judge"),
        pytest.param(
            None, None, {"p9": 99.5}, LaunchedWorker(9, 100.0), Verdict.ALIVE, id="worker lives"
        ),
        pytest.param(None, None, {}, LaunchedWorker(9, 100.0), Verdict.DEAD, id="worker is gone"),
        pytest.param(
            None,
            None,
            {"p9": 300.0},
            LaunchedWorker(9, 100.0),
            Verdict.DEAD,
            id="worker's pid was given to a younger process",
        ),
    ],
)
def test_a_run_is_judged_by_its_process_then_by_its_heartbeat(
    process: ProcessIdentity | None,
    age_s: float | None,
    live: dict[str, float],
    worker: LaunchedWorker | None,
    verdict: Verdict,
) -> None:
    assert judge(process, age_s, HERE, pids(**live), worker) is verdict
