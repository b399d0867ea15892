"""The one way for routes to hand in a job: in the turn of its id."""

from __future__ import annotations

from screenalytics_assets.api.idempotency import earlier
from screenalytics_assets.api.launching import Queued, Work
from screenalytics_assets.api.service import Service


def submit(service: Service, work: Work) -> tuple[Queued, bool]:
    """Hand in a job, unless the same request did before; return it, and whether it was there.

    In its turn: what is created and not queued yet is queued by whoever finds it so, and only
    one may.

    Raises:
        IdempotencyError: The id stands for another request.
        ScreenalyticsError: It cannot start.
    """
    with service.turns.of(work.job_id):
        before = earlier(service.instance, work.job_id, work.digest)
        if before is not None:
            return before, True
        return service.launcher.submit(work), False
