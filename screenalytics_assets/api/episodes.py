"""Episodes: which there are, how far each is, and its runs."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, ValidationError

from screenalytics_assets.api.ids import EpisodeInPath, check_known, known_run
from screenalytics_assets.api.problems import problem_responses
from screenalytics_assets.api.run_rows import RunRow, row_of_record, rows_of
from screenalytics_assets.api.service import ServiceDep
from screenalytics_assets.stores import Stores
from screenalytics_core.episode_registry import recorded_video
from screenalytics_core.episode_selection import natural_order
from screenalytics_core.episode_survey import Seen, survey
from screenalytics_core.episodes import EpisodeId, is_path_safe
from screenalytics_core.errors import ArtifactCorruptError
from screenalytics_core.ledger.status import status_document
from screenalytics_core.run_tools.episode_status import episode_status

router = APIRouter(tags=["episodes"])

_DEFAULT_LIMIT: Final = 100
_MOST: Final = 1000
Limit = Annotated[int, Query(ge=1, le=_MOST, description="How many at most.")]


class Episode(BaseModel):
    """A registered episode.

    Attributes:
        video: What became of its video; `unchecked`: it was touched, and only reading all of it
            would tell.
        runs: How many the registry lists.
        newest_run: The one that was reserved last.
    """

    ep_id: str
    show: str | None
    season: int | None
    episode: int | None
    duration_s: float | None = None
    width_px: int | None = None
    height_px: int | None = None
    codec: str | None = None
    video: Literal["ok", "unchecked", "replaced", "missing", "damaged record"]
    active_run_id: str | None
    runs: int
    newest_run: RunRow | None


class Episodes(BaseModel):
    """A page of episodes in natural order.

    Attributes:
        total: How many there are in all.
        next: `after` of the next page; null on the last one.
    """

    episodes: list[Episode]
    total: int
    next: str | None


class ErrorFacts(BaseModel):
    """What went wrong; `code` is for programs."""

    code: str
    message: str


class StageProgress(BaseModel):
    """How far a stage that runs is."""

    model_config = ConfigDict(extra="allow")

    step: str | None = None
    done: int
    total: int | None
    pct: float | None
    rate_per_s: float | None = None
    message: str | None = None
    updated_at: str | None = None


class Stage(BaseModel):
    """How far a stage is."""

    model_config = ConfigDict(extra="allow")

    status: Literal["not_started", "running", "success", "failed", "blocked", "canceled"]
    attempt: int | None = None
    started_at: str | None = None
    ended_at: str | None = None
    duration_s: float | None = None
    progress: StageProgress | None = None
    artifacts: dict[str, str]
    counts: dict[str, int]
    thresholds: dict[str, Any]
    models: dict[str, Any]
    error: ErrorFacts | None = None
    blocked_reason: str | None = None
    is_derived: bool
    derived_from: list[str]


class Status(BaseModel):
    """episode_status.json of a run; of an earlier pipeline, which had none, `run_id` is null."""

    model_config = ConfigDict(extra="allow")

    schema_version: int
    sequence: int
    episode_id: str
    ep_id: str
    run_id: str | None
    state: Literal["queued", "running", "completed", "failed", "canceled", "unknown"]
    is_derived: bool
    derived_from: list[str]
    stage_plan: list[str]
    stages: dict[str, Stage]
    error: ErrorFacts | None
    dagster_run_ids: list[str]
    git: dict[str, Any]
    environment: dict[str, Any]
    generated_at: str


class EpisodeRun(RunRow):
    """A run of an episode; `active`: it is the one that readers get by default."""

    active: bool


class EpisodeRuns(BaseModel):
    """A page of an episode's runs, the newest first.

    Attributes:
        total: How many there are in all.
        next: `after` of the next page; null on the last one.
    """

    ep_id: str
    runs: list[EpisodeRun]
    total: int
    next: str | None


@router.get("/episodes", responses=problem_responses(422))
def list_episodes(
    service: ServiceDep,
    show: Annotated[str | None, Query(max_length=128, description="Only of this show.")] = None,
    season: Annotated[int | None, Query(ge=0, le=9999, description="Only of this season.")] = None,
    after: Annotated[
        str | None, Query(max_length=128, description="Begin behind this ep_id.")
    ] = None,
    limit: Limit = _DEFAULT_LIMIT,
) -> Episodes:
    """List the episodes that have a registered video, in natural order."""
    seen = registered(service.stores)
    known = list(seen)
    chosen = [n for n in known if _is_of(n, show, season)]
    start = 0
    if after is not None:
        start = bisect_right(chosen, natural_order(EpisodeId.parse(after).text), key=natural_order)
    page = chosen[start : start + limit]
    return Episodes(
        episodes=_episodes(service.stores, {ep_id: seen[ep_id] for ep_id in page}),
        total=len(chosen),
        next=page[-1] if page and start + limit < len(chosen) else None,
    )


@router.get("/episodes/{ep_id}/status", responses=problem_responses(404, 422))
def show_status(
    service: ServiceDep,
    ep_id: EpisodeInPath,
    run_id: Annotated[
        str | None, Query(max_length=200, description="Default: the active run, else the newest.")
    ] = None,
) -> Status:
    """Say how far an episode is, stage by stage."""
    stores, now = service.stores, datetime.now(UTC)
    document = episode_status(stores.storage, stores.runs, stores.ledger, ep_id, run_id, now)
    try:
        return Status.model_validate(document)
    except ValidationError:
        # The file is of another version, or damaged: a view, which the folder can tell as well.
        if document.get("run_id") is None:
            raise
        facts = stores.ledger.facts(ep_id, str(document["run_id"]))
        return Status.model_validate(status_document(facts, now))


@router.get("/episodes/{ep_id}/runs", responses=problem_responses(404, 422))
def list_runs(
    service: ServiceDep,
    ep_id: EpisodeInPath,
    after: Annotated[
        str | None, Query(max_length=200, description="Begin behind this run_id.")
    ] = None,
    limit: Limit = _DEFAULT_LIMIT,
) -> EpisodeRuns:
    """List an episode's runs, the newest first."""
    rows = runs_of(service.stores, ep_id)
    start = 0
    if after is not None:
        behind = known_run(service, ep_id, after).run_id
        start = next((i + 1 for i, row in enumerate(rows) if row.run_id == behind), 0)
    page = rows[start : start + limit]
    active = service.stores.runs.active_run_id(ep_id)
    return EpisodeRuns(
        ep_id=ep_id,
        runs=[EpisodeRun(**row.model_dump(), active=row.run_id == active) for row in page],
        total=len(rows),
        next=page[-1].run_id if page and start + limit < len(rows) else None,
    )


def registered(stores: Stores) -> dict[str, Seen]:
    """Return the episodes that have a registered video, in natural order, with what lies there."""
    seen = survey(stores.storage)
    known = (name for name, it in seen.items() if it.facts and is_path_safe(name))
    return {name: seen[name] for name in sorted(known, key=natural_order)}


def runs_of(stores: Stores, ep_id: str) -> list[RunRow]:
    """Return what the registry lists, and what was only reserved, the newest first.

    Raises:
        RunNotFoundError: Nobody knows the episode.
    """
    rows = {row.run_id: row for row in rows_of(stores, [ep_id]).get(ep_id, ())}
    for record in stores.runs.list_records(ep_id):
        rows.setdefault(record.run_id, row_of_record(record))
    if not rows:
        check_known(stores, ep_id)
    return sorted(rows.values(), key=lambda row: (row.created_at, row.run_id), reverse=True)


def _is_of(ep_id: str, show: str | None, season: int | None) -> bool:
    if show is None and season is None:
        return True
    episode = EpisodeId.parse(ep_id)
    return (show is None or episode.show == show.lower()) and season in (None, episode.season)


def _episodes(stores: Stores, seen: dict[str, Seen]) -> list[Episode]:
    runs = rows_of(stores, seen) if seen else {}
    return [_episode(stores, ep_id, look, runs.get(ep_id, [])) for ep_id, look in seen.items()]


def _episode(stores: Stores, ep_id: str, look: Seen, runs: list[RunRow]) -> Episode:
    parsed = EpisodeId.parse(ep_id)
    return Episode(
        ep_id=ep_id,
        show=parsed.show,
        season=parsed.season,
        episode=parsed.episode,
        active_run_id=stores.runs.active_run_id(ep_id) if runs else None,
        runs=len(runs),
        newest_run=max(runs, key=lambda row: (row.created_at, row.run_id), default=None),
        **_video(stores, ep_id, look),
    )


def _video(stores: Stores, ep_id: str, look: Seen) -> dict[str, Any]:
    try:
        video = recorded_video(stores.storage, ep_id)
    except ArtifactCorruptError:
        return {"video": "damaged record"}  # it hides no other episode
    if video is None or look.video is None:
        state = "missing"
    elif look.is_untouched:
        state = "ok"
    else:
        is_as_long = look.video.size_bytes == video.size_bytes
        state = "unchecked" if is_as_long else "replaced"
    if video is None:
        return {"video": state}
    return {
        "duration_s": video.duration_s,
        "width_px": video.width_px,
        "height_px": video.height_px,
        "codec": video.codec,
        "video": state,
    }
