"""A service over a data root of the test: the routes that read and decide, no pipeline behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient

from screenalytics_assets.api.problems import add_problem_handlers
from screenalytics_assets.api.service import Service
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores


def settings_of(root: Path) -> Settings:
    return Settings(
        data_root=root,
        dagster_home=root / ".dagster",
        models_dir=root / "models",
        insightface_root=root / "insightface",
    )


@contextmanager
def client_of(root: Path, routers: Iterable[APIRouter]) -> Iterator[TestClient]:
    """Serve some routers over a data root; an error that nobody expected is a 500."""
    app = FastAPI()
    add_problem_handlers(app)
    for router in routers:
        app.include_router(router)
    settings = settings_of(root)
    with dg.DagsterInstance.ephemeral() as instance:
        app.state.service = Service(settings, Stores.open(root), instance)
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client
