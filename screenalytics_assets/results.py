"""What a launch returns: plain data, for code, `--json` and the API alike."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class StageResult:
    """One stage of a launch.

    Attributes:
        runtime_sec: Wall time from its first step's start to its last one's end.
        compute_sec: The part of it spent in the steps themselves.
        source: computed, or checkpoint when all was reused; None when nothing was published.
    """

    stage: str
    success: bool
    runtime_sec: float
    compute_sec: float
    source: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class EpisodeRunResult:
    """One launch of a run, with the seed's flat keys first."""

    episode_id: str
    success: bool
    tracks_count: int
    faces_count: int
    identities_count: int
    runtime_sec: float
    stages: tuple[StageResult, ...]
    error: str | None
    run_id: str
    dagster_run_id: str
    error_code: str | None = None
    artifacts: dict[str, str] = field(default_factory=dict)
    screen_time: dict[str, Any] | None = None

    @property
    def ep_id(self) -> str:
        """The episode, under the name used everywhere else."""
        return self.episode_id

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        return {**asdict(self), "stages": [asdict(s) for s in self.stages], "ep_id": self.ep_id}

    def to_json(self) -> str:
        """Return `to_dict` as JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2)
