"""The launches of each client are counted where a route launches."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Depends, Request

from screenalytics_assets.api.service import ServiceDep


def _count_launch(service: ServiceDep, request: Request) -> None:
    service.rates.count(request.client.host if request.client else "unknown")


COUNTED: Final[Any] = Depends(_count_launch)
"""Dependency of a route that launches: its client is counted."""
