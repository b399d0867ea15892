"""What a plan knows of each episode: its video, its runs, and what of its results is outdated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from screenalytics_core.ledger.attempt_state import ErrorFacts
from screenalytics_core.ledger.vocabulary import RunStatus

# The codes of runs that were ended from outside: nothing is wrong with the episode.
_ENDED_FROM_OUTSIDE: Final = frozenset({"process_died", "interrupted", "canceled"})


@dataclass(frozen=True, slots=True)
class RunSeen:
    """One run of an episode.

    Attributes:
        busy: Who works on it, or that it is queued, in words; None if nobody does.
        is_whole: It holds every artifact.
        fits: It is bound to what a run would be bound to now, so it can be resumed.
        error: Why it did not complete.
    """

    run_id: str
    status: RunStatus | None = None
    busy: str | None = None
    is_whole: bool = False
    fits: bool = False
    error: ErrorFacts | None = None

    @property
    def has_failed(self) -> bool:
        """Whether it ended with an error of its own, not because somebody ended it."""
        if self.status is not RunStatus.FAILED:
            return False
        return self.error is None or self.error.code not in _ENDED_FROM_OUTSIDE


@dataclass(frozen=True, slots=True)
class Outdated:
    """An output that a run would make anew now; `because` names what differs."""

    output: str
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EpisodeSeen:
    """One episode of the selection.

    Attributes:
        problem: Why its video cannot be used; None if it can.
        runs: Oldest first; those that are only queued last.
        active_run_id: The run that readers get by default.
        outdated: Of the run that its results are in.
        is_redacted: Somebody was taken out of its results; a run from the start would bring
            them back.
        video_s: Length of the video in seconds; None where nothing says.
    """

    ep_id: str
    runs: tuple[RunSeen, ...] = ()
    active_run_id: str | None = None
    outdated: tuple[Outdated, ...] = ()
    is_redacted: bool = False
    problem: str | None = None
    video_s: float | None = None


def results_of(runs: tuple[RunSeen, ...], active_run_id: str | None) -> int | None:
    """Return the place of the run that holds the episode's results; None if none is whole.

    It is the active one, or, if that is not whole, the newest that is.
    """
    whole = [place for place, run in enumerate(runs) if run.is_whole]
    active = [place for place in whole if runs[place].run_id == active_run_id]
    places = active or whole[-1:]
    return places[0] if places else None
