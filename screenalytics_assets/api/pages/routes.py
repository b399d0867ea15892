"""Routes of the pages: what is shown, and what their forms ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final, get_args

from fastapi import APIRouter, FastAPI, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import ValidationError

from screenalytics_assets.api.callers import CallerDep
from screenalytics_assets.api.counting import COUNTED
from screenalytics_assets.api.deciding import carry_out, decide
from screenalytics_assets.api.decision_bodies import ApplyRequest, LabelRequest, UndoRequest
from screenalytics_assets.api.episodes import registered, runs_of
from screenalytics_assets.api.identities import DecisionRow, decision_rows
from screenalytics_assets.api.ids import EpisodeInPath, RunDep
from screenalytics_assets.api.launching import Work
from screenalytics_assets.api.pages.api_view import operations_by_tag
from screenalytics_assets.api.pages.episodes_view import choose, episode_rows
from screenalytics_assets.api.pages.rendering import PageRoute
from screenalytics_assets.api.pages.rendering import page as render
from screenalytics_assets.api.pages.run_view import decided_until, run_view
from screenalytics_assets.api.problems import status_of, told_of
from screenalytics_assets.api.run_rows import rows_of
from screenalytics_assets.api.service import Service, ServiceDep
from screenalytics_assets.api.submitting import submit
from screenalytics_assets.api.video_paths import allowed_video
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.config import DEFAULT_PROFILE, EpisodeRunConfig, Profile
from screenalytics_core.episodes import EpisodeId
from screenalytics_core.errors import ScreenalyticsError, SettingsError
from screenalytics_core.ledger.status import status_document
from screenalytics_core.report.text import headline
from screenalytics_core.run_record import RunKey

# For people, not for programs: the document of the API leaves them out.
router = APIRouter(include_in_schema=False, route_class=PageRoute)
_PROFILES: Final = get_args(Profile)
_EMPTY_FORM: Final = {
    "ep_id": "",
    "video_path": "",
    "profile": DEFAULT_PROFILE,
    "body_tracking": True,
    "open": False,
}


@router.get("/")
def episodes_page(
    service: ServiceDep,
    q: Annotated[str, Query(max_length=128)] = "",
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    """Show the episodes."""
    return _episodes(service, q, page)


@router.get("/ui/{ep_id}")
def episode_page(service: ServiceDep, ep_id: EpisodeInPath) -> Response:
    """Show an episode's runs."""
    stores = service.stores
    rows = runs_of(stores, ep_id)
    return render(
        "episode.html",
        ep_id=ep_id,
        headline=headline(ep_id),
        runs=rows,
        active=stores.runs.active_run_id(ep_id) if rows else None,
        profiles=_PROFILES,
    )


@router.get("/ui/{ep_id}/{run_id}")
def run_page(service: ServiceDep, run: RunDep) -> Response:
    """Show a run: its stages while it is at work, its people once they are known."""
    return _run(service, run)


@router.get("/docs")
def api_page(request: Request) -> Response:
    """Show what programs may ask for."""
    return render("api.html", groups=operations_by_tag(request.app.openapi()))


@router.post("/launch", dependencies=[COUNTED])
def launch(
    service: ServiceDep,
    ep_id: Annotated[str, Form(max_length=128)],
    profile: Annotated[Profile, Form()] = DEFAULT_PROFILE,
    video_path: Annotated[str, Form(max_length=4096)] = "",
    body_tracking: Annotated[bool, Form()] = False,
) -> Response:
    """Queue a run of an episode, then show it."""
    try:
        given = {} if body_tracking else {"body_tracking": False}
        work = Work(
            ep_id=ep_id.strip(),
            config=EpisodeRunConfig.from_mapping(given, profile=profile),
            video_path=allowed_video(service.settings, video_path.strip())
            if video_path.strip()
            else None,
        )
        queued, _ = submit(service, work)
    except ScreenalyticsError as error:
        form = {
            "ep_id": ep_id,
            "video_path": video_path,
            "profile": profile,
            "body_tracking": body_tracking,
            "open": True,
        }
        return _episodes(service, form=form, told=error)
    return _to_run(RunKey(queued.ep_id, queued.run_id))


@router.post("/ui/{ep_id}/{run_id}/cancel")
def cancel(service: ServiceDep, run: RunDep) -> Response:
    """End a run before its time."""
    current = service.stores.ledger.log.state(*run).current
    try:
        if current is not None:
            service.launcher.cancel(current.dagster_run_id)
    except ScreenalyticsError as error:
        return _run(service, run, told=error)
    return _to_run(run)


@router.post("/ui/{ep_id}/{run_id}/name")
def name(
    service: ServiceDep,
    run: RunDep,
    by: CallerDep,
    identity: Annotated[str, Form(max_length=200)],
    name: Annotated[str, Form(max_length=200)],
    enrol: Annotated[bool, Form()] = False,
) -> Response:
    """Say who an identity is; several may be named before their run is asked for."""

    def call_them() -> None:
        asked = LabelRequest(
            person=identity, name=name.strip(), run_id=run.run_id, enrol=enrol, apply=False
        )
        decide(service, run.ep_id, asked, by)

    return _decided(service, run, call_them)


@router.post("/ui/{ep_id}/{run_id}/undo")
def undo_decision(
    service: ServiceDep, run: RunDep, by: CallerDep, sequence: Annotated[int, Form(ge=1)]
) -> Response:
    """Take a decision back."""
    asked = UndoRequest(sequence=sequence, run_id=run.run_id, apply=False)
    return _decided(service, run, lambda: decide(service, run.ep_id, asked, by))


@router.post("/ui/{ep_id}/{run_id}/apply", dependencies=[COUNTED])
def apply_decisions(service: ServiceDep, run: RunDep) -> Response:
    """Queue the run that carries out what was decided, then show it."""
    try:
        applied, _ = carry_out(service, run.ep_id, ApplyRequest(run_id=run.run_id))
    except ScreenalyticsError as error:
        return _run(service, run, told=error)
    return _to_run(RunKey(run.ep_id, applied.job.run_id))


def _decided(service: Service, run: RunKey, decide: Callable[[], object]) -> Response:
    try:
        decide()
    except ScreenalyticsError as error:
        return _run(service, run, told=error)
    except ValidationError:
        wrong = SettingsError(thing="name", reason="is empty", way_out="Write who it is.")
        return _run(service, run, told=wrong)
    return _to_run(run)


def _episodes(
    service: Service,
    text: str = "",
    page: int = 1,
    form: dict[str, Any] | None = None,
    told: ScreenalyticsError | None = None,
) -> Response:
    view = choose(list(registered(service.stores)), text, page)
    return render(
        "episodes.html",
        _status(told),
        told=told_of(told) if told else "",
        view=view,
        rows=episode_rows(view.ep_ids, rows_of(service.stores, view.ep_ids)),
        form=form or _EMPTY_FORM,
        profiles=_PROFILES,
    )


def _run(service: Service, run: RunKey, told: ScreenalyticsError | None = None) -> Response:
    stores = service.stores
    status = status_document(stores.ledger.facts(*run), datetime.now(UTC))
    report = stores.artifacts.ref(*run, ArtifactKind.REPORT)
    decisions = decision_rows(stores.decisions.read(run.ep_id))
    since = decided_since(decisions, decided_until(status))
    view = run_view(
        status,
        stores.read_if_there(*run, ArtifactKind.SCREEN_TIME),
        stores.read_if_there(*run, ArtifactKind.IDENTITIES),
        stores.read_if_there(*run, ArtifactKind.CAST),
        stores.read_if_there(*run, ArtifactKind.SHOTS),
        () if report is None else _FORMS,
        {i: d.label for d in since if d.label for i in d.identity_ids},
    )
    show = EpisodeId.parse(run.ep_id).show
    return render(
        "run.html",
        _status(told),
        told=told_of(told) if told else "",
        view=view,
        cast_labels=[m.label for m in stores.gallery.members(show)] if show else [],
        decisions=decisions,
        since=len(since),
    )


_FORMS: Final = ("pdf", "html")


def add_pages(app: FastAPI) -> None:
    """Serve the pages with their style and script."""
    app.include_router(router)
    app.mount("/static", StaticFiles(packages=[("screenalytics_assets.api.pages", "static")]))


def decided_since(decisions: Sequence[DecisionRow], at: str) -> list[DecisionRow]:
    """Return the decisions that hold and are not in the figures of a run that read them at `at`.

    What was decided and taken back since is neither.
    """
    later = {d.sequence for d in decisions if d.at > at}
    return [d for d in decisions if d.sequence in later and d.holds and d.undoes not in later]


def _status(told: ScreenalyticsError | None) -> HTTPStatus:
    return HTTPStatus.OK if told is None else status_of(told)


def _to_run(run: RunKey) -> RedirectResponse:
    return RedirectResponse(f"/ui/{run.ep_id}/{run.run_id}", HTTPStatus.SEE_OTHER)
