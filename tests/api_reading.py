"""A service over a data root of the test: the routes that read and decide, no pipeline behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient

from screenalytics_assets.api.job_view import JobViews
from screenalytics_assets.api.launching import Queued, Work
from screenalytics_assets.api.problems import add_problem_handlers
from screenalytics_assets.api.security.guard import add_security
from screenalytics_assets.api.service import Service
from screenalytics_assets.settings import ApiSettings, Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.errors import ScreenalyticsError
from tests.check_samples import sound_run
from tests.run_samples import write_log
from tests.stores import Stores as Written


@dataclass
class KeptLauncher:
    """A queue that nobody takes from; it refuses what `error` says."""

    submitted: list[Work] = field(default_factory=list)
    error: ScreenalyticsError | None = None

    def submit(self, work: Work) -> Queued:
        if self.error is not None:
            raise self.error
        self.submitted.append(work)
        return Queued(f"job-{len(self.submitted)}", work.ep_id, f"run-{len(self.submitted)}")

    def cancel(self, job_id: str) -> None:
        raise NotImplementedError


def seen_run(stores: Written, run_id: str) -> None:
    """Publish a small whole run: three people in two shots, each with two tracks."""
    stores.run(run_id)
    for kind, parts in sound_run().items():
        stores.publish(run_id, kind, parts)
    pdf = {"pdf": b"%PDF-1.7", "html": b"<p>report</p>"}
    stores.publish(run_id, ArtifactKind.REPORT, pdf)
    write_log(stores, run_id)
    Stores.open(stores.root).ledger.render("rhobh-s05e14", run_id)


def settings_of(root: Path, **api: Any) -> Settings:
    return Settings(
        api=ApiSettings(**api),
        data_root=root,
        dagster_home=root / ".dagster",
        models_dir=root / "models",
        insightface_root=root / "insightface",
    )


@contextmanager
def client_of(
    root: Path,
    routers: Iterable[APIRouter],
    launcher: KeptLauncher | None = None,
    *,
    is_guarded: bool = False,
    **api: Any,
) -> Iterator[TestClient]:
    """Serve some routers over a data root; an error that nobody expected is a 500.

    Args:
        is_guarded: Who is let in is asked first, as the whole service does.
        api: Fields of `ApiSettings`.
    """
    app = FastAPI()
    add_problem_handlers(app)
    for router in routers:
        app.include_router(router)
    settings, stores = settings_of(root, **api), Stores.open(root)
    if is_guarded:
        add_security(app, settings.api)
    with dg.DagsterInstance.ephemeral() as instance:
        queue, views = launcher or KeptLauncher(), JobViews(instance, stores)
        app.state.service = Service(settings, stores, instance, queue, views)
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client
