"""The job that a path names, and its run."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from fastapi import Depends, Path

from screenalytics_assets.api.service import ServiceDep
from screenalytics_assets.mirror import run_key_of
from screenalytics_core.errors import RunNotFoundError
from screenalytics_core.run_record import RunKey


class Job(NamedTuple):
    """A launch and the run that it is in."""

    job_id: str
    run: RunKey


def known_job(
    service: ServiceDep, job_id: Annotated[str, Path(description="Job.", max_length=64)]
) -> Job:
    """Return the job that a path names.

    Raises:
        RunNotFoundError: There is none, or it is about no episode.
    """
    run = service.instance.get_run_by_id(job_id)
    key = run_key_of(run) if run is not None else None
    if run is None or key is None:
        raise RunNotFoundError(
            thing=f"job {job_id!r}",
            reason="is not known",
            way_out="List the jobs: GET /jobs.",
        )
    return Job(run.run_id, key)


JobDep = Annotated[Job, Depends(known_job)]
"""The job that a path names, which is known."""
