"""Requests that are made twice: the key decides the job's id, so that Dagster keeps them apart."""

from __future__ import annotations

import hashlib
import json
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Final

import dagster as dg
from fastapi import Header

from screenalytics_assets.api.launching import REQUEST_TAG, Queued, submit_run
from screenalytics_assets.mirror import run_key_of
from screenalytics_core.errors import IdempotencyError

# Any UUID would do; another one would forget the keys of before.
_NAMESPACE: Final = uuid.UUID("6d0f3f0c-6f0b-5e43-9a3c-6f5a1f3f9b1e")
REPLAYED: Final = "Idempotency-Replayed"
"""Header of an answer to a request that was answered before."""

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="A request that is repeated with its key gives what it gave first.",
    ),
]


def job_id_of(key: str | None) -> str:
    """Return the id of the job that a key stands for; without a key, one of its own."""
    return str(uuid.uuid4() if key is None else uuid.uuid5(_NAMESPACE, key))


def digest_of(job_type: str, body: Mapping[str, Any]) -> str:
    """Return what tells one request from another: the sha256 of what it asks for."""
    canonical = json.dumps([job_type, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def earlier(instance: dg.DagsterInstance, job_id: str, digest: str) -> Queued | None:
    """Return the job that the same request made before; None if it is the first.

    One that was created and could not be queued is queued; the caller holds the turn of its id.

    Raises:
        IdempotencyError: Another request used the key.
    """
    run = instance.get_run_by_id(job_id)
    key = run_key_of(run) if run is not None else None
    if run is None or key is None:
        return None
    if run.tags.get(REQUEST_TAG) != digest:
        raise key_reused(f"which made job {job_id}")
    if run.status is dg.DagsterRunStatus.NOT_STARTED:
        submit_run(instance, job_id)
    return Queued(job_id, key.ep_id, key.run_id)


def key_reused(what: str) -> IdempotencyError:
    """Build the error for a key that stands for another request; `what` came of that one."""
    return IdempotencyError(
        thing="Idempotency-Key",
        reason=f"was used for another request, {what}",
        way_out="Use a new key for each request, and the same one only to repeat it.",
    )


class Turns:
    """Lets requests of equal id pass one after the other, and others beside them.

    Who holds a turn may take it again.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, threading.RLock] = {}
        self._users: Counter[str] = Counter()

    @contextmanager
    def of(self, job_id: str) -> Iterator[None]:
        """Wait for, and hold, the turn of an id."""
        with self._guard:
            lock = self._locks.setdefault(job_id, threading.RLock())
            self._users[job_id] += 1
        try:
            with lock:
                yield
        finally:
            with self._guard:
                self._users[job_id] -= 1
                if not self._users[job_id]:
                    del self._locks[job_id], self._users[job_id]
