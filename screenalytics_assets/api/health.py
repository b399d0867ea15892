"""`GET /health`: whether what runs the jobs is there."""

from __future__ import annotations

import time
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from screenalytics_assets.api.problems import problem_responses
from screenalytics_assets.api.service import ServiceDep
from screenalytics_assets.backfill_queue import check_daemon
from screenalytics_core.errors import DaemonMissingError

router = APIRouter(tags=["jobs"])


class Health(BaseModel):
    """The service answers, and a daemon takes its jobs."""

    status: Literal["ok"] = "ok"


@router.get("/health", responses=problem_responses(503))
def health(service: ServiceDep) -> Health:
    """Say that the service answers and that a daemon takes its jobs from the queue."""
    try:
        check_daemon(service.instance, time.time())
    except DaemonMissingError as error:
        raise DaemonMissingError(
            thing="queue of jobs",
            reason="is worked on by no daemon",
            way_out="It starts with the server and beats within some seconds; the folder "
            "`supervisor` of its DAGSTER_HOME holds its log.",
        ) from error
    return Health()
