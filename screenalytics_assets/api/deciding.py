"""Deciding who is who: recorded at once, carried out by a job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Final, Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from screenalytics_assets.api.callers import CallerDep
from screenalytics_assets.api.counting import COUNTED
from screenalytics_assets.api.identities import DecisionRow, decision_rows
from screenalytics_assets.api.ids import EpisodeInPath
from screenalytics_assets.api.launching import Work
from screenalytics_assets.api.problems import detail_of, problem_responses
from screenalytics_assets.api.service import Service, ServiceDep
from screenalytics_assets.deciding import STAGES, LookedAt
from screenalytics_assets.engine import Launch
from screenalytics_assets.settings_as_before import config_of
from screenalytics_assets.verbs import Decider, Saying
from screenalytics_assets.withdrawing import withdraw
from screenalytics_core.errors import RunNotFoundError, ScreenalyticsError
from screenalytics_core.run_ids import normalize_run_id

# A verb queues a job, and so counts as a launch.
router = APIRouter(
    prefix="/episodes/{ep_id}/identities", tags=["identities"], dependencies=[COUNTED]
)

# What JSON readers hold exactly; no run has so many tracks.
_MOST: Final = 2**53 - 1
_PROBLEMS: Final = problem_responses(400, 404, 422, 429)
Name = Annotated[str, Field(min_length=1, max_length=200)]
TrackId = Annotated[int, Field(ge=0, le=_MOST)]


class _Request(BaseModel):
    """What every verb is told.

    Attributes:
        run_id: The run that was looked at; null means the active one.
        apply: Queue a job that carries it out; else the next run of the episode does.
    """

    model_config = ConfigDict(extra="forbid")

    run_id: str | None = Field(None, max_length=200)
    apply: bool = True


class LabelRequest(_Request):
    """Who somebody is: by name, or nobody that has one.

    Attributes:
        person: identity_id, cast_id or name.
        name: Cast member, by cast_id or name; a new name makes one.
        enrol: A new member's faces go into the show's gallery.
    """

    person: Name
    name: Name | None = None
    nobody: bool = False
    enrol: bool = True

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.name is None) is not self.nobody:
            raise ValueError("give a name, or nobody: true")
        return self


class MergeRequest(_Request):
    """Two who are one person, who is called as `person`."""

    person: Name
    other: Name


class SplitRequest(_Request):
    """Tracks of a person that show somebody else."""

    person: Name
    track_ids: list[TrackId] = Field(min_length=1, max_length=100_000)


class MoveTrackRequest(_Request):
    """Whose a track is: somebody's, or nobody's."""

    track_id: TrackId
    to: Name | None = None
    nobody: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.to is None) is not self.nobody:
            raise ValueError("give to, or nobody: true")
        return self


class LockRequest(_Request):
    """A person who is exactly the tracks that they have."""

    person: Name


class UndoRequest(_Request):
    """The number of a decision that shall not hold.

    The last one is no default here: a request that is repeated would take back another.
    """

    sequence: int = Field(ge=1, le=_MOST)


class ApplyRequest(BaseModel):
    """The run that was looked at; null means the active one."""

    model_config = ConfigDict(extra="forbid")

    run_id: str | None = Field(None, max_length=200)


class Withdrawal(BaseModel):
    """Faces that went out of the gallery.

    Attributes:
        left: How many there are still; null = the member went, too.
    """

    cast_id: str
    label: str
    faces: int
    left: int | None


class DecidedJob(BaseModel):
    """The job that carries it out."""

    job_id: str
    run_id: str


class NotQueued(BaseModel):
    """Why it could not be carried out; it stands, and `apply` queues it later."""

    code: str
    detail: str


class Decided(BaseModel):
    """What was recorded, and what carries it out.

    Attributes:
        notes: What whoever decided should know.
        enrolled: How many faces the gallery took; null where it was not asked.
        job: Null where it was not asked for, or could not be queued.
        problem: Why it could not.
    """

    ep_id: str
    looked_at: str = Field(description="The run that was looked at.")
    decision: DecisionRow
    notes: list[str]
    enrolled: int | None
    withdrawn: list[Withdrawal]
    job: DecidedJob | None
    problem: NotQueued | None


class Applied(BaseModel):
    """The job that carries out what was recorded."""

    ep_id: str
    looked_at: str
    job: DecidedJob


@router.post("/label", status_code=201, responses=_PROBLEMS)
def label(service: ServiceDep, ep_id: EpisodeInPath, body: LabelRequest, by: CallerDep) -> Decided:
    """Say who somebody is."""
    return _decide(
        service, ep_id, body, by, lambda d: d.label(body.person, body.name, enrols=body.enrol)
    )


@router.post("/merge", status_code=201, responses=_PROBLEMS)
def merge(service: ServiceDep, ep_id: EpisodeInPath, body: MergeRequest, by: CallerDep) -> Decided:
    """Say that two are one person."""
    return _decide(service, ep_id, body, by, lambda d: d.merge(body.person, body.other))


@router.post("/split", status_code=201, responses=_PROBLEMS)
def split(service: ServiceDep, ep_id: EpisodeInPath, body: SplitRequest, by: CallerDep) -> Decided:
    """Say that some tracks of a person show somebody else, who is a new person."""
    return _decide(service, ep_id, body, by, lambda d: d.split(body.person, body.track_ids))


@router.post("/move-track", status_code=201, responses=_PROBLEMS)
def move_track(
    service: ServiceDep, ep_id: EpisodeInPath, body: MoveTrackRequest, by: CallerDep
) -> Decided:
    """Say whose one track is."""
    return _decide(service, ep_id, body, by, lambda d: d.move_track(body.track_id, body.to))


@router.post("/lock", status_code=201, responses=_PROBLEMS)
def lock(service: ServiceDep, ep_id: EpisodeInPath, body: LockRequest, by: CallerDep) -> Decided:
    """Say that a person is exactly the tracks that they have."""
    return _decide(service, ep_id, body, by, lambda d: d.lock(body.person))


@router.post("/undo", status_code=201, responses=_PROBLEMS)
def undo(service: ServiceDep, ep_id: EpisodeInPath, body: UndoRequest, by: CallerDep) -> Decided:
    """Take a decision back; an undo can be undone, too."""
    return _decide(service, ep_id, body, by, lambda d: d.undo(body.sequence))


@router.post(
    "/apply", status_code=202, responses=problem_responses(400, 404, 409, 422, 429, 503, 507)
)
def apply(service: ServiceDep, ep_id: EpisodeInPath, body: ApplyRequest) -> Applied:
    """Carry out what was only recorded, with the settings of the run looked at."""
    run_id = _looked_at(service, ep_id, body.run_id)
    return Applied(ep_id=ep_id, looked_at=run_id, job=_queue(service, ep_id, run_id))


def _decide(
    service: Service,
    ep_id: str,
    body: _Request,
    by: str,
    say: Callable[[Decider], Saying],
) -> Decided:
    """Record what a verb says, then queue what carries it out."""
    stores = service.stores
    run_id = _looked_at(service, ep_id, body.run_id)
    looked_at = LookedAt(stores, ep_id, run_id)
    saying = say(Decider(looked_at, service.settings, by, via="api"))
    recorded = looked_at.record(saying.decision)
    done = _follow_up(service, ep_id, run_id, queues=body.apply)
    known = decision_rows(stores.decisions.read(ep_id))
    return Decided(
        ep_id=ep_id,
        looked_at=run_id,
        decision=known[recorded.sequence - 1],
        notes=list(saying.notes),
        enrolled=saying.enrolled,
        withdrawn=done.withdrawn,
        job=done.job,
        problem=done.problem,
    )


@dataclass(slots=True)
class _FollowUp:
    withdrawn: list[Withdrawal] = field(default_factory=list)
    job: DecidedJob | None = None
    problem: NotQueued | None = None


def _follow_up(service: Service, ep_id: str, run_id: str, *, queues: bool) -> _FollowUp:
    """Do what a decision brings with it; it stands, so that a refusal is told and not raised."""
    done = _FollowUp()
    try:
        withdrawn = withdraw(service.stores, ep_id)
        done.withdrawn = [Withdrawal(**one.to_dict()) for one in withdrawn]
        if queues:
            done.job = _queue(service, ep_id, run_id)
    except ScreenalyticsError as error:
        done.problem = NotQueued(code=error.code, detail=detail_of(error))
    return done


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


def _queue(service: Service, ep_id: str, run_id: str) -> DecidedJob:
    record = service.stores.runs.require(ep_id, run_id)
    work = Work(
        ep_id=ep_id,
        config=config_of(record),
        stages=STAGES,
        launch=Launch(upstream_run_id=run_id),
    )
    queued = service.launcher.submit(work)
    return DecidedJob(job_id=queued.job_id, run_id=queued.run_id)
