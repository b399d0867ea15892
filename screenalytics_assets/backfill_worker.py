"""One episode of a backfill in a process of its own: a crash or a kill takes this episode only.

The first line of stdin says what to run. After it stdin stays open for as long as the run is
wanted: when it closes, the backfill is ending, or was killed, and the run is canceled, so that
nothing works on by itself. (A signal would not do: Dagster takes SIGTERM for Ctrl-C, and calls
a run failed that an interrupt ends unannounced.)
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

MODULE: Final = "screenalytics_assets.backfill_worker"


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is told.

    Attributes:
        settings: Of the run, all fields.
        result: File that the result is written to.
    """

    ep_id: str
    run_id: str
    settings: dict[str, Any]
    tags: dict[str, str]
    data_root: str
    result: str

    def to_line(self) -> bytes:
        """Return it as one line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read it from one line."""
        return cls(**json.loads(line))


@dataclass(frozen=True, slots=True)
class JobResult:
    """What became of it.

    Attributes:
        was_run: A run began, which tried by itself what may pass; else nothing was done yet.
    """

    success: bool
    error: str | None = None
    error_code: str | None = None
    was_run: bool = True


def main() -> None:
    """Run the episode that stdin names."""
    # A backfill that a shell started in the background may be deaf to Ctrl-C; this is not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    job = Job.from_line(sys.stdin.readline())
    threading.Thread(target=_end_when_unwanted, args=(job,), daemon=True).start()
    content = json.dumps(asdict(_run(job))).encode()
    path = Path(job.result)
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)


def _end_when_unwanted(job: Job) -> None:
    """Cancel the run once stdin closes: first in Dagster's books, then by an interrupt."""
    # The descriptor, not the file object: the interpreter must not wait for a reader at its end.
    while os.read(sys.stdin.fileno(), 1 << 10):
        pass
    try:
        _say_that_it_is_canceled(job)
    finally:
        os.kill(os.getpid(), signal.SIGINT)


def _say_that_it_is_canceled(job: Job) -> None:
    import dagster as dg

    from screenalytics_assets.instance import open_instance
    from screenalytics_assets.settings import Settings
    from screenalytics_assets.tags import PARTITION_TAG, RUN_ID_TAG

    home = Settings.from_env(data_root=job.data_root).dagster_home
    wanted = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED],
        tags={RUN_ID_TAG: job.run_id, PARTITION_TAG: job.ep_id},
    )
    with open_instance(home) as instance:
        for run in instance.get_runs(wanted):
            instance.report_run_canceling(run, "the backfill was ended")


def _run(job: Job) -> JobResult:
    from screenalytics_assets.engine import EpisodeRunConfig, Launch, run_episode
    from screenalytics_assets.settings import Settings
    from screenalytics_core.errors import ScreenalyticsError

    try:
        result = run_episode(
            job.ep_id,
            None,
            EpisodeRunConfig.from_mapping(job.settings),
            settings=Settings.from_env(data_root=job.data_root),
            launch=Launch(run_id=job.run_id, tags=job.tags),
        )
    except ScreenalyticsError as error:
        return JobResult(False, str(error), error.code, was_run=False)
    return JobResult(result.success, result.error, result.error_code)


if __name__ == "__main__":
    main()
