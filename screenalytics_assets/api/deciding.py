"""Deciding who is who: recorded at once, carried out by a job."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from fastapi import APIRouter, Response

from screenalytics_assets.api.callers import CallerDep
from screenalytics_assets.api.counting import COUNTED
from screenalytics_assets.api.decision_bodies import (
    Applied,
    ApplyRequest,
    Decided,
    DecidedJob,
    LabelRequest,
    LockRequest,
    MergeRequest,
    MoveTrackRequest,
    NotQueued,
    SplitRequest,
    UndoRequest,
    VerbRequest,
    Withdrawal,
)
from screenalytics_assets.api.decision_requests import Asked
from screenalytics_assets.api.idempotency import REPLAYED, IdempotencyKey, earlier
from screenalytics_assets.api.identities import decision_rows
from screenalytics_assets.api.ids import EpisodeInPath
from screenalytics_assets.api.launching import Queued, Work
from screenalytics_assets.api.problems import detail_of, problem_responses
from screenalytics_assets.api.service import Service, ServiceDep
from screenalytics_assets.api.submitting import submit
from screenalytics_assets.deciding import STAGES, LookedAt
from screenalytics_assets.engine import Launch
from screenalytics_assets.settings_as_before import config_of
from screenalytics_assets.tags import UPSTREAM_RUN_ID_TAG
from screenalytics_assets.verbs import Decider, Saying
from screenalytics_assets.withdrawing import withdraw
from screenalytics_core.decisions.records import Decision
from screenalytics_core.errors import RunNotFoundError, ScreenalyticsError
from screenalytics_core.run_ids import normalize_run_id

# A verb queues a job, and so counts as a launch.
router = APIRouter(
    prefix="/episodes/{ep_id}/identities", tags=["identities"], dependencies=[COUNTED]
)
Answer = TypeVar("Answer", Decided, Applied)
_PROBLEMS: Final = problem_responses(400, 404, 422, 429)


@router.post("/label", status_code=201, responses=_PROBLEMS)
def label(
    service: ServiceDep,
    ep_id: EpisodeInPath,
    body: LabelRequest,
    by: CallerDep,
    response: Response,
    key: IdempotencyKey = None,
) -> Decided:
    """Say who somebody is."""
    return _told(response, *decide(service, ep_id, body, by, key))


@router.post("/merge", status_code=201, responses=_PROBLEMS)
def merge(
    service: ServiceDep,
    ep_id: EpisodeInPath,
    body: MergeRequest,
    by: CallerDep,
    response: Response,
    key: IdempotencyKey = None,
) -> Decided:
    """Say that two are one person."""
    return _told(response, *decide(service, ep_id, body, by, key))


@router.post("/split", status_code=201, responses=_PROBLEMS)
def split(
    service: ServiceDep,
    ep_id: EpisodeInPath,
    body: SplitRequest,
    by: CallerDep,
    response: Response,
    key: IdempotencyKey = None,
) -> Decided:
    """Say that some tracks of a person show somebody else, who is a new person."""
    return _told(response, *decide(service, ep_id, body, by, key))


@router.post("/move-track", status_code=201, responses=_PROBLEMS)
def move_track(
    service: ServiceDep,
    ep_id: EpisodeInPath,
    body: MoveTrackRequest,
    by: CallerDep,
    response: Response,
    key: IdempotencyKey = None,
) -> Decided:
    """Say whose one track is."""
    return _told(response, *decide(service, ep_id, body, by, key))


@router.post("/lock", status_code=201, responses=_PROBLEMS)
def lock(
    service: ServiceDep,
    ep_id: EpisodeInPath,
    body: LockRequest,
    by: CallerDep,
    response: Response,
    key: IdempotencyKey = None,
) -> Decided:
    """Say that a person is exactly the tracks that they have."""
    return _told(response, *decide(service, ep_id, body, by, key))


@router.post("/undo", status_code=201, responses=_PROBLEMS)
def undo(
    service: ServiceDep,
    ep_id: EpisodeInPath,
    body: UndoRequest,
    by: CallerDep,
    response: Response,
    key: IdempotencyKey = None,
) -> Decided:
    """Take a decision back; an undo can be undone, too."""
    return _told(response, *decide(service, ep_id, body, by, key))


@router.post(
    "/apply", status_code=202, responses=problem_responses(400, 404, 409, 422, 429, 503, 507)
)
def apply(
    service: ServiceDep,
    ep_id: EpisodeInPath,
    body: ApplyRequest,
    response: Response,
    key: IdempotencyKey = None,
) -> Applied:
    """Carry out what was only recorded, with the settings of the run looked at."""
    return _told(response, *carry_out(service, ep_id, body, key))


def _told(response: Response, answer: Answer, is_repeated: bool) -> Answer:
    if is_repeated:
        response.headers[REPLAYED] = "true"
    return answer


def decide(
    service: Service, ep_id: str, body: VerbRequest, by: str, key: str | None = None
) -> tuple[Decided, bool]:
    """Record what a verb says, then queue what carries it out.

    Returns:
        What is told, and whether the same request had recorded it before.

    Raises:
        IdempotencyError: The key stands for another request.
    """
    asked = Asked.of(ep_id, body, key, by)
    with service.turns.of(asked.job_id):
        known = asked.found(service.stores.decisions.read(ep_id))
        recorded, saying = (known, None) if known else _record(service, ep_id, body, by, asked)
        # Of a request that was cut off, what it left undone is done now.
        done = _follow_up(service, asked, recorded, queues=body.apply)
    rows = decision_rows(service.stores.decisions.read(ep_id))
    told = Decided(
        ep_id=ep_id,
        looked_at=recorded.run_id,
        decision=rows[recorded.sequence - 1],
        notes=list(saying.notes) if saying else [],
        enrolled=saying.enrolled if saying else None,
        withdrawn=done.withdrawn,
        job=done.job,
        problem=done.problem,
    )
    return told, known is not None


def _record(
    service: Service, ep_id: str, body: VerbRequest, by: str, asked: Asked
) -> tuple[Decision, Saying]:
    # A job that stands for the key without a decision is that of another request.
    earlier(service.instance, asked.job_id, asked.digest)
    # One after the other here; somebody at a command line may still come between.
    with service.turns.of(f"{ep_id} decided"):
        while True:
            looked_at = LookedAt(service.stores, ep_id, _looked_at(service, ep_id, body.run_id))
            saying = _say(Decider(looked_at, service.settings, by, via="api"), body)
            recorded = looked_at.record(replace(saying.decision, request=asked.mark))
            if recorded is not None:
                return recorded, saying


def _say(decider: Decider, body: VerbRequest) -> Saying:
    match body:
        case LabelRequest():
            return decider.label(body.person, body.name, enrols=body.enrol)
        case MergeRequest():
            return decider.merge(body.person, body.other)
        case SplitRequest():
            return decider.split(body.person, body.track_ids)
        case MoveTrackRequest():
            return decider.move_track(body.track_id, body.to)
        case LockRequest():
            return decider.lock(body.person)
        case UndoRequest():
            return decider.undo(body.sequence)
    raise TypeError(f"{type(body).__name__} is no verb")


@dataclass(slots=True)
class _FollowUp:
    withdrawn: list[Withdrawal] = field(default_factory=list)
    job: DecidedJob | None = None
    problem: NotQueued | None = None


def _follow_up(service: Service, asked: Asked, decision: Decision, *, queues: bool) -> _FollowUp:
    """Do what a decision brings with it; it stands, so that a refusal is told and not raised."""
    done = _FollowUp()
    try:
        withdrawn = withdraw(service.stores, asked.ep_id)
        done.withdrawn = [Withdrawal(**one.to_dict()) for one in withdrawn]
        if queues:
            queued = _queue(service, asked, decision.run_id)
            done.job = DecidedJob(job_id=queued.job_id, run_id=queued.run_id)
    except ScreenalyticsError as error:
        done.problem = NotQueued(code=error.code, detail=detail_of(error))
    return done


def carry_out(
    service: Service, ep_id: str, body: ApplyRequest, key: str | None = None
) -> tuple[Applied, bool]:
    """Queue the run that carries out what was recorded; see `decide`."""
    asked = Asked.of(ep_id, body, key)
    with service.turns.of(asked.job_id):
        queued = earlier(service.instance, asked.job_id, asked.digest)
        is_repeated = queued is not None
        if queued is None:
            asked.found(service.stores.decisions.read(ep_id))  # none of its own, or refused
            run_id = _looked_at(service, ep_id, body.run_id)
            queued = _queue(service, asked, run_id)
        else:
            run_id = _upstream_of(service, queued)
    job = DecidedJob(job_id=queued.job_id, run_id=queued.run_id)
    return Applied(ep_id=ep_id, looked_at=run_id, job=job), is_repeated


def _upstream_of(service: Service, queued: Queued) -> str:
    run = service.instance.get_run_by_id(queued.job_id)
    return run.tags.get(UPSTREAM_RUN_ID_TAG, "") if run is not None else ""


def _looked_at(service: Service, ep_id: str, run_id: str | None) -> str:
    """Return the run that somebody looked at; RunNotFoundError if there is none."""
    runs = service.stores.runs
    if run_id is not None:
        return runs.require(ep_id, normalize_run_id(run_id)).run_id
    active = runs.active_run_id(ep_id)
    if active is None:
        raise RunNotFoundError(
            thing=f"episode {ep_id}",
            reason="has no finished run, so there is nobody to decide about",
            way_out="Run it first: POST /jobs/episode-run.",
        )
    return active


def _queue(service: Service, asked: Asked, run_id: str) -> Queued:
    before = earlier(service.instance, asked.job_id, asked.digest)
    if before is not None:
        return before
    record = service.stores.runs.require(asked.ep_id, run_id)
    work = Work(
        ep_id=asked.ep_id,
        config=config_of(record),
        stages=STAGES,
        launch=Launch(upstream_run_id=run_id),
        job_id=asked.job_id,
        digest=asked.digest,
    )
    queued, _ = submit(service, work)
    return queued
