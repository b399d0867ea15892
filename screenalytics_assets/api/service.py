"""What every route works with, opened once per server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import dagster as dg
from fastapi import Depends, Request

from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores


@dataclass(frozen=True, slots=True)
class Service:
    """What every route works with.

    Attributes:
        instance: Dagster's, with connections that stay open.
    """

    settings: Settings
    stores: Stores
    instance: dg.DagsterInstance


def service_of(request: Request) -> Service:
    """Return the service that answers a request."""
    service: Service = request.app.state.service
    return service


ServiceDep = Annotated[Service, Depends(service_of)]
