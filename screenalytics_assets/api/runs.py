"""A run: its index, as seed 002 has it."""

from __future__ import annotations

from typing import Any, Final, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from screenalytics_assets.api.ids import RunDep
from screenalytics_assets.api.problems import problem_responses
from screenalytics_assets.api.service import ServiceDep
from screenalytics_assets.stores import Stores
from screenalytics_core import layout
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.ledger.ledger import DASHBOARD_URL
from screenalytics_core.ledger.run_index import run_index
from screenalytics_core.ledger.view_files import read_view
from screenalytics_core.run_record import RunKey

router = APIRouter(tags=["runs"])
_LOCAL: Final = "file:"


class RunIndex(BaseModel):
    """The run index; artifact keys (`screenTimeKey` ...) and patched keys stand beside these.

    Attributes:
        report_url: Where the report can be opened: by itself, or below the service's address.
        dashboard_url: The run's page, below the service's address.
        invoice: What the run cost, with the markup as its own line.
    """

    model_config = ConfigDict(extra="allow", alias_generator=to_camel, populate_by_name=True)

    project_id: str
    run_id: str
    status: Literal["queued", "running", "completed", "failed", "unknown"]
    created_at: str | None = None
    updated_at: str | None = None
    step: str | None = None
    message: str | None = None
    progress: float | None = Field(default=None, description="0 to 100.")
    error: str | None = None
    sequence: int
    # Callers may patch these, to whatever they like.
    report_url: Any = None
    dashboard_url: Any = None
    pipeline_mode: Any = None
    invoice: Any = None


@router.get(
    "/runs/{ep_id}/{run_id}",
    response_model_exclude_unset=True,
    responses=problem_responses(404, 422),
)
def show_run(service: ServiceDep, run: RunDep) -> RunIndex:
    """Return the run index: status, progress, keys of artifacts, report and invoice."""
    index = _index(service.stores, run)
    if index.dashboard_url is None or str(index.dashboard_url).startswith(DASHBOARD_URL):
        # Where the ledger's writer has Dagster's UI, this server need not have one.
        index.dashboard_url = f"/ui/{run.ep_id}/{run.run_id}"
    if not isinstance(index.report_url, str):
        return index
    if index.report_url.startswith(_LOCAL):
        # A path of the server's disk opens nothing here, and is nobody's business.
        index.report_url = f"/runs/{run.ep_id}/{run.run_id}/report.pdf"
    else:
        fresh = service.stores.artifacts.url(*run, ArtifactKind.REPORT)
        # A signed address ends some hours after it was written; one that was patched in stays.
        if fresh.partition("?")[0] == index.report_url.partition("?")[0]:
            index.report_url = fresh
    return index


def _index(stores: Stores, run: RunKey) -> RunIndex:
    """Return the file, else what it would say: it is a view like any other."""
    held = read_view(stores.storage, layout.run_index_key(*run))
    if held is not None:
        try:
            return RunIndex.model_validate(held)
        except ValidationError:
            pass  # of another version, or damaged
    return RunIndex.model_validate(run_index(stores.ledger.facts(*run), DASHBOARD_URL))
