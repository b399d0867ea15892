"""A worker of a backfill that does what its episode's name says, and no more."""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from screenalytics_assets.backfill_worker import Job, JobResult


def main() -> None:
    job = Job.from_line(sys.stdin.readline())
    trace = Path(job.data_root) / f"{job.ep_id}.tries"
    with trace.open("a") as tries:
        tries.write("x")
    count = trace.stat().st_size
    if job.ep_id.startswith("crash"):
        os.kill(os.getpid(), signal.SIGKILL)
    error, code, was_run = None, None, True
    if job.ep_id.startswith("lost") and count < 3:
        error, code, was_run = "the database is locked", "storage_failed", False
    if job.ep_id.startswith("never"):
        error, code, was_run = "the database is locked", "storage_failed", False
    if job.ep_id.startswith("step"):
        error, code = "the connection was lost in a step", "storage_failed"
    if job.ep_id.startswith("busy"):
        error, code, was_run = "somebody is at it", "run_busy", False
    result = JobResult(error is None, error, code, was_run)
    Path(job.result).write_text(json.dumps(asdict(result)))


if __name__ == "__main__":
    main()
