"""The HTTP application: assembly only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from screenalytics_assets.api import health
from screenalytics_assets.api.problems import add_problem_handlers
from screenalytics_assets.api.service import Service
from screenalytics_assets.instance import open_instance
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores

# One line per router; the order is that of the document.
ROUTERS: tuple[APIRouter, ...] = (health.router,)


def create_app(settings: Settings) -> FastAPI:
    """Return the application over the folders of `settings`; nothing is opened yet."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with open_instance(settings.dagster_home) as instance:
            app.state.service = Service(settings, Stores.open(settings.data_root), instance)
            yield

    app = FastAPI(title="Screenalytics", version="1", lifespan=lifespan)
    add_problem_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    return app
