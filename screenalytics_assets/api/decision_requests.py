"""A decision that is asked for twice: the line that records it says what asked for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel

from screenalytics_assets.api.idempotency import digest_of, job_id_of, key_reused
from screenalytics_core.decisions.records import Decision


@dataclass(frozen=True, slots=True)
class Asked:
    """A request about an episode's people.

    Attributes:
        job_id: Of the job that carries it out; the same for the same key of the episode.
        digest: Of who asks for what.
        is_keyed: It may be repeated.
    """

    ep_id: str
    job_id: str
    digest: str
    is_keyed: bool

    @classmethod
    def of(cls, ep_id: str, body: BaseModel, key: str | None, by: str | None = None) -> Self:
        """Name a request; keys are the episode's own."""
        job_id = job_id_of(None if key is None else f"{ep_id}/identities {key}")
        said = {"by": by, "ep_id": ep_id, **body.model_dump(mode="json")}
        return cls(ep_id, job_id, digest_of(type(body).__name__, said), key is not None)

    @property
    def mark(self) -> str | None:
        """What its decision's line bears; None if it cannot be repeated."""
        return f"{self.job_id}/{self.digest}" if self.is_keyed else None

    def found(self, decisions: Iterable[Decision]) -> Decision | None:
        """Return the decision that the same request made before.

        Raises:
            IdempotencyError: Another request with its key made one.
        """
        if not self.is_keyed:
            return None
        for decision in decisions:
            if (decision.request or "").partition("/")[0] != self.job_id:
                continue
            if decision.request == self.mark:
                return decision
            raise key_reused(f"which made decision {decision.sequence} of {self.ep_id}")
        return None
