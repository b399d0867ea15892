"""The job that a path names, and its run."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from fastapi import Depends, Path

from screenalytics_assets.api.canceling import no_job, require_run
from screenalytics_assets.api.service import ServiceDep
from screenalytics_assets.mirror import run_key_of
from screenalytics_core.run_record import RunKey


class Job(NamedTuple):
    """A launch and the run that it is in."""

    job_id: str
    run: RunKey


def known_job(service: ServiceDep, job_id: Annotated[str, Path(description="Job.")]) -> Job:
    """Return the job that a path names.

    Raises:
        JobNotFoundError: There is none, or it is not about an episode.
    """
    run = require_run(service.instance, job_id)
    key = run_key_of(run)
    if key is None:
        raise no_job(job_id)
    return Job(run.run_id, key)


JobDep = Annotated[Job, Depends(known_job)]
"""The job that a path names, which is known."""
