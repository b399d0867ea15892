"""The HTTP application: assembly only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Security
from fastapi.security import HTTPBearer

from screenalytics_assets.api import (
    artifacts,
    cast,
    costs,
    deciding,
    episodes,
    faces,
    health,
    identities,
    jobs,
    runs,
    uploads,
)
from screenalytics_assets.api.following import Following
from screenalytics_assets.api.idempotency import Turns
from screenalytics_assets.api.job_view import JobViews
from screenalytics_assets.api.launching import DagsterLauncher, Launcher
from screenalytics_assets.api.pages import sign_in
from screenalytics_assets.api.pages.routes import add_pages
from screenalytics_assets.api.problems import add_problem_handlers, problem_responses
from screenalytics_assets.api.progress import routes as progress
from screenalytics_assets.api.security.guard import add_security
from screenalytics_assets.api.security.rates import Rates
from screenalytics_assets.api.service import Service
from screenalytics_assets.instance import open_instance
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores

# One line per router; the order is that of the document.
ROUTERS: tuple[APIRouter, ...] = (
    jobs.router,
    progress.router,
    health.router,
    episodes.router,
    uploads.router,
    runs.router,
    artifacts.router,
    identities.router,
    deciding.router,
    cast.router,
    faces.router,
    costs.router,
)


def create_app(settings: Settings, launcher: Launcher | None = None) -> FastAPI:
    """Return the application over the folders of `settings`; nothing is opened yet.

    Args:
        launcher: Where jobs are handed in; None = Dagster's queue.
    """
    rates = Rates(settings.api.launch_rate)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with open_instance(settings.dagster_home) as instance:
            stores = Stores.open(settings.data_root)
            views = JobViews(instance, stores)
            queue = launcher or DagsterLauncher(settings, stores, instance)
            turns = Turns()
            app.state.service = Service(settings, stores, instance, queue, views, turns, rates)
            with Following(instance, stores, views, turns):
                yield

    app = FastAPI(
        title="Screenalytics",
        version="1",
        lifespan=lifespan,
        # The framework's own pages of the document load their script from elsewhere.
        docs_url=None,
        redoc_url=None,
        # What the guard answers, which no route sees, and how the server itself may fail; the
        # scheme is for the document alone.
        responses=problem_responses(401, 403, 413, 421, 500, 503),
        dependencies=[Security(HTTPBearer(auto_error=False))],
    )
    add_security(app, settings.api)
    add_problem_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    app.include_router(sign_in.router)
    add_pages(app)
    return app
