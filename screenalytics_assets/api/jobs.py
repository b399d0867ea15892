"""Jobs: start them, look at them, end them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

import dagster as dg
from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from screenalytics_assets.api.canceling import require_run
from screenalytics_assets.api.counting import COUNTED
from screenalytics_assets.api.idempotency import (
    REPLAYED,
    IdempotencyKey,
    digest_of,
    earlier,
    job_id_of,
)
from screenalytics_assets.api.job_view import (
    JobLine,
    JobState,
    JobView,
    job_line,
    job_type_of,
)
from screenalytics_assets.api.launching import Work
from screenalytics_assets.api.model_choice import with_allowed_models
from screenalytics_assets.api.problems import problem_responses
from screenalytics_assets.api.requests import JobRequest
from screenalytics_assets.api.service import Service, ServiceDep
from screenalytics_assets.api.submitting import submit
from screenalytics_assets.api.video_paths import allowed_video
from screenalytics_assets.engine import Launch
from screenalytics_assets.liveness import UNENDED
from screenalytics_assets.tags import PARTITION_TAG
from screenalytics_core.episodes import EpisodeId
from screenalytics_core.stages import STAGE_PLAN, PipelineStage, parse_stage

router = APIRouter(prefix="/jobs", tags=["jobs"])

_JSON: Final = "application/json"
_PAGE: Final = 100
_STATUSES: Final[dict[str, list[dg.DagsterRunStatus]]] = {
    "running": list(UNENDED),
    "succeeded": [dg.DagsterRunStatus.SUCCESS],
    "failed": [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED],
}
_LAUNCH_PROBLEMS: Final = problem_responses(400, 409, 422, 429, 507)


class JobReply(BaseModel):
    """A job that was taken on."""

    job_id: str
    status: Literal["running"] = "running"
    run_id: str = Field(description="The run that it makes.")


class JobList(BaseModel):
    """Jobs, newest first."""

    jobs: list[JobLine]
    next: str | None = Field(description="What to give as `after` for those before them.")


@router.post("/episode-run", status_code=202, responses=_LAUNCH_PROBLEMS, dependencies=[COUNTED])
def start_episode_run(
    service: ServiceDep, body: JobRequest, response: Response, key: IdempotencyKey = None
) -> JobReply:
    """Run every stage of an episode."""
    return _start(service, body, STAGE_PLAN, key, response)


@router.post("/{stage}", status_code=202, responses=_LAUNCH_PROBLEMS, dependencies=[COUNTED])
def start_stage(
    service: ServiceDep,
    stage: str,
    body: JobRequest,
    response: Response,
    key: IdempotencyKey = None,
) -> JobReply:
    """Run one stage; its inputs come from the run that is named, else from an earlier one."""
    return _start(service, body, (parse_stage(stage),), key, response)


def _start(
    service: Service,
    body: JobRequest,
    stages: tuple[PipelineStage, ...],
    key: str | None,
    response: Response,
) -> JobReply:
    body.config()  # what is no setting may be nested deeper than can be written down
    digest = digest_of(job_type_of(stages), body.model_dump(mode="json"))
    job_id = job_id_of(key)
    # Before anything is looked at: what a request names may have gone since it was made.
    with service.turns.of(job_id):
        queued = earlier(service.instance, job_id, digest)
        if queued is not None:
            response.headers[REPLAYED] = "true"
        else:
            queued, _ = submit(service, _work(service, body, stages, job_id, digest))
    return JobReply(job_id=queued.job_id, run_id=queued.run_id)


def _work(
    service: Service,
    body: JobRequest,
    stages: tuple[PipelineStage, ...],
    job_id: str,
    digest: str,
) -> Work:
    path: Path | None = None
    if body.video_path is not None:
        path = allowed_video(service.settings, body.video_path)
    return Work(
        ep_id=body.ep_id,
        config=with_allowed_models(service.settings, body.config()),
        stages=stages,
        video_path=path,
        launch=Launch(run_id=body.run_id, upstream_run_id=body.upstream_run_id),
        job_id=job_id,
        digest=digest,
    )


@router.get("", responses=problem_responses(404, 422))
def list_jobs(
    service: ServiceDep,
    state: Annotated[JobState | None, Query(description="Only jobs in this state.")] = None,
    ep_id: Annotated[str | None, Query(description="Only jobs of this episode.")] = None,
    after: Annotated[str | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=_PAGE)] = 50,
) -> JobList:
    """Return jobs, newest first; runs that others launched are jobs too."""
    tags = {PARTITION_TAG: EpisodeId.parse(ep_id).text} if ep_id is not None else None
    wanted = dg.RunsFilter(statuses=_STATUSES.get(state or "", None), tags=tags)
    if after is not None:
        require_run(service.instance, after)
    jobs: list[JobLine] = []
    while True:
        records = service.instance.get_run_records(wanted, limit=_PAGE, cursor=after)
        for record in records:
            if len(jobs) == limit:
                return JobList(jobs=jobs, next=jobs[-1].job_id)
            line = job_line(record)
            if line is not None:
                jobs.append(line)
        if len(records) < _PAGE:
            return JobList(jobs=jobs, next=None)
        after = records[-1].dagster_run.run_id


@router.get("/{job_id}", response_model=JobView, responses=problem_responses(404))
async def get_job(service: ServiceDep, job_id: str) -> Response:
    """Return a job; poll it until `state` is `succeeded` or `failed`."""
    # Bytes that are kept current: neither a thread nor a model for each of many pollers.
    content = service.views.fresh(job_id)
    if content is None:
        content = await run_in_threadpool(service.views.load, job_id)
    return Response(content, media_type=_JSON)


@router.post(
    "/{job_id}/cancel",
    status_code=202,
    response_model=JobView,
    responses=problem_responses(404, 409),
)
def cancel_job(service: ServiceDep, job_id: str) -> Any:
    """End a job before its time; it is `failed` with the error `canceled` a little later."""
    service.launcher.cancel(job_id)
    service.views.forget(job_id)
    return Response(service.views.load(job_id), status_code=202, media_type=_JSON)
