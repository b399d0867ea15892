"""What runs, episodes and seasons cost; amounts are decimal text."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel

from screenalytics_assets.api.ids import EpisodeInPath, RunDep
from screenalytics_assets.api.problems import problem_responses
from screenalytics_assets.api.service import Service, ServiceDep
from screenalytics_core.run_tools.costs import episodes_cost, episodes_of_season, run_invoice

router = APIRouter(tags=["costs"])
SeasonInPath = Annotated[
    str,
    Path(
        description="Season.",
        examples=["rhobh-s05"],
        json_schema_extra={"pattern": "^[A-Za-z0-9][A-Za-z0-9-]*-[sS][0-9]{1,9}$"},
    ),
]


class Prices(BaseModel):
    """Which price list a run is billed by; fixed when the run was first claimed."""

    version: str
    sha256: str
    origin: str


class Line(BaseModel):
    """One amount: quantity x price / per, rounded once.

    Attributes:
        attempt: Whose use it is; null of a launch that never claimed the run.
        status: How the stage ended in that attempt.
        source: Of what was saved: checkpoint or inherited.
        from_run_id: Of what was saved: the run that it was taken from.
    """

    item: str
    stage: str
    attempt: int | None = None
    status: str | None = None
    source: str | None = None
    from_run_id: str | None = None
    quantity: str
    unit: str
    price: str
    per: str
    amount: str


class Markup(BaseModel):
    """What is put on top of the lines."""

    percent: str
    amount: str


class Saved(BaseModel):
    """What was not paid for again; no part of the bill.

    Attributes:
        unmeasured: Artifacts that were taken over, of which nobody knows what they took.
    """

    lines: list[Line]
    subtotal: str
    markup: Markup
    total: str
    unmeasured: list[str]


class Invoice(BaseModel):
    """What a run costs.

    Attributes:
        is_final: The run has ended.
        measured: For information: frames, inferences.
    """

    ep_id: str
    run_id: str
    schema_version: int
    is_final: bool
    currency: str
    prices: Prices
    lines: list[Line]
    subtotal: str
    markup: Markup
    total: str
    saved: Saved
    measured: dict[str, int]


class Sums(BaseModel):
    """What some runs used and cost, in one currency; `total` holds the markup."""

    currency: str
    run_count: int
    cpu_s: str
    gpu_s: str
    storage_gb_months: str
    subtotal: str
    markup: str
    total: str
    saved: str


class RunCost(Sums):
    """What a run cost; `prices`: the version of its price list."""

    ep_id: str
    run_id: str
    status: str
    is_active: bool
    is_final: bool
    prices: str


class PerMinute(Sums):
    """What some runs cost by the minutes that the active runs see people."""

    person_minutes: str | None
    per_person_minute: str | None


class EpisodeCost(PerMinute):
    """What an episode cost, whatever became of its runs."""

    ep_id: str


class StageCost(BaseModel):
    """What a stage used and cost before markup."""

    stage: str
    currency: str
    cpu_s: str
    gpu_s: str
    storage_gb_months: str
    amount: str
    saved: str


class UncountedRun(BaseModel):
    """A run that no sum holds, and why."""

    ep_id: str
    run_id: str
    reason: str


class Cost(BaseModel):
    """What was paid; rows of different currencies are never added.

    Attributes:
        what: The episode or the season.
        unpriced: `EP/RUN` of runs without an invoice.
        uncounted: Runs of which nothing can be said, since their run.json is damaged or gone.
    """

    what: str
    runs: list[RunCost]
    episodes: list[EpisodeCost]
    stages: list[StageCost]
    totals: list[PerMinute]
    unpriced: list[str]
    uncounted: list[UncountedRun]


@router.get(
    "/runs/{ep_id}/{run_id}/invoice",
    response_model_exclude_unset=True,
    responses=problem_responses(404, 422),
)
def show_invoice(service: ServiceDep, run: RunDep) -> Invoice:
    """Return a run's invoice: measured lines, markup, total, and what reuse saved."""
    return Invoice.model_validate(run_invoice(service.stores.ledger, run))


@router.get("/episodes/{ep_id}/cost", responses=problem_responses(404, 422))
def show_episode_cost(service: ServiceDep, ep_id: EpisodeInPath) -> Cost:
    """Return what all runs of an episode cost, by run and by stage."""
    return _cost(service, ep_id, [ep_id])


@router.get("/seasons/{season}/cost", responses=problem_responses(404, 422))
def show_season_cost(service: ServiceDep, season: SeasonInPath) -> Cost:
    """Return what all runs of a season's episodes cost, by episode, run and stage."""
    name, ep_ids = episodes_of_season(service.stores.storage, season)
    return _cost(service, name, ep_ids)


def _cost(service: Service, what: str, ep_ids: list[str]) -> Cost:
    stores = service.stores
    document: dict[str, Any] = episodes_cost(stores.runs, stores.ledger, ep_ids)
    return Cost.model_validate({"what": what, **document})
