"""What every route works with, opened once per server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import dagster as dg
from fastapi import Depends, Request

from screenalytics_assets.api.idempotency import Turns
from screenalytics_assets.api.job_view import JobViews
from screenalytics_assets.api.launching import Launcher
from screenalytics_assets.api.security.rates import Rates
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores


@dataclass(frozen=True, slots=True)
class Service:
    """What every route works with.

    Attributes:
        instance: Dagster's, with connections that stay open.
        launcher: Where jobs are handed in.
        views: What is said of jobs.
        turns: Of requests that are repeated.
        rates: How often each client may launch.
        sign_ins: How often each client may try a token.
    """

    settings: Settings
    stores: Stores
    instance: dg.DagsterInstance
    launcher: Launcher
    views: JobViews
    turns: Turns = field(default_factory=Turns)
    rates: Rates = field(default_factory=Rates)
    sign_ins: Rates = field(default_factory=lambda: Rates("20/minute", "sign-in"))


def service_of(request: Request) -> Service:
    """Return the service that answers a request."""
    service: Service = request.app.state.service
    return service


ServiceDep = Annotated[Service, Depends(service_of)]
