"""Whether an episode is run, resumed or left alone, with the reason for people. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from screenalytics_core.backfills.facts import EpisodeSeen, Outdated, RunSeen, results_of

_MOST_NAMED: Final = 3
_REDACTED: Final = (
    "somebody was taken out of it: `screenalytics identities apply {ep_id}` carries names out; "
    "--all computes it anew, and they with it"
)


class Which(StrEnum):
    """What a backfill is asked to run."""

    MISSING = "missing"
    FAILED = "failed"
    STALE = "stale"
    ALL = "all"


DEFAULT_WHICH: Final = (Which.MISSING, Which.FAILED)


class Skip(StrEnum):
    """Why an episode of the selection is left alone."""

    FRESH = "fresh"
    RUNNING = "running"
    NO_VIDEO = "no video"
    REDACTED = "somebody was forgotten"
    NOT_ASKED = "not asked for"
    NOT_REGISTERED = "not registered"


@dataclass(frozen=True, slots=True)
class Chosen:
    """An episode to run.

    Attributes:
        reason: In words, e.g. which setting made it stale.
        resumes: The unfinished run that goes on; None for a new one.
    """

    ep_id: str
    why: Which
    reason: str
    resumes: str | None = None
    video_s: float | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """An episode that is left alone."""

    ep_id: str
    why: Skip
    reason: str


def choose(seen: EpisodeSeen, which: Collection[Which]) -> Chosen | Skipped:
    """Decide for one episode.

    An episode that somebody works on is never started beside it. A run that was only ended
    from outside has not failed: its episode is missing, or whatever its results are. One that
    somebody was taken out of changed by that alone, and is left so unless all are asked for.
    """
    if seen.problem is not None:
        return Skipped(seen.ep_id, Skip.NO_VIDEO, seen.problem)
    busy = next((run for run in reversed(seen.runs) if run.busy is not None), None)
    if busy is not None:
        return Skipped(seen.ep_id, Skip.RUNNING, f"run {busy.run_id} {busy.busy}")
    if seen.is_redacted and Which.ALL not in which:
        return Skipped(seen.ep_id, Skip.REDACTED, _REDACTED.format(ep_id=seen.ep_id))
    applies = _what_applies(seen)
    wanted = [why for why in applies if why in which]
    if not wanted and Which.ALL in which:
        wanted, applies = [Which.ALL], {**applies, Which.ALL: "asked for"}
    if wanted:
        resumes = _unfinished(seen)
        reason = applies[wanted[0]]
        if resumes is not None:
            reason += f"; run {resumes.run_id} goes on where it stopped"
        return Chosen(
            seen.ep_id, wanted[0], reason, resumes.run_id if resumes else None, seen.video_s
        )
    if applies:
        why, reason = next(iter(applies.items()))
        return Skipped(seen.ep_id, Skip.NOT_ASKED, f"{why}: {reason}")
    place = results_of(seen.runs, seen.active_run_id)
    held = seen.runs[place].run_id if place is not None else None
    return Skipped(seen.ep_id, Skip.FRESH, f"run {held} is as it would be made now")


def _what_applies(seen: EpisodeSeen) -> Mapping[Which, str]:
    """Return what is to be said of an episode, each with its reason, most telling first."""
    place = results_of(seen.runs, seen.active_run_id)
    newest = seen.runs[-1] if seen.runs else None
    found: dict[Which, str] = {}
    if newest is not None and newest.has_failed and place != len(seen.runs) - 1:
        found[Which.FAILED] = f"run {newest.run_id} failed: {_error(newest)}"
    elif place is None:
        found[Which.MISSING] = _why_missing(newest)
    if seen.outdated and place is not None:
        found[Which.STALE] = told(seen.outdated)
    return found


def _why_missing(newest: RunSeen | None) -> str:
    if newest is None:
        return "no run yet"
    state = newest.status.value if newest.status else "in an unknown state"
    return f"not finished: run {newest.run_id} is {_STATES.get(state, state)}"


_STATES: Final = {
    "completed": "without all artifacts",
    "failed": "ended from outside",
    "running": "without a process",
    "queued": "not begun",
}


def _error(run: RunSeen) -> str:
    return f"{run.error.code}: {run.error.message}" if run.error else "nobody says why"


def _unfinished(seen: EpisodeSeen) -> RunSeen | None:
    """Return the run to resume: the newest unfinished one since the results that fits."""
    place = results_of(seen.runs, seen.active_run_id)
    later = seen.runs[place + 1 :] if place is not None else seen.runs
    return next((run for run in reversed(later) if run.fits and not run.is_whole), None)


def told(outdated: Collection[Outdated]) -> str:
    """Say what made outputs outdated: each difference once, with the outputs it is about."""
    by_reason: dict[str, list[str]] = {}
    for one in outdated:
        for reason in one.because:
            by_reason.setdefault(reason, []).append(one.output)
    said = [f"{reason} ({', '.join(names)})" for reason, names in by_reason.items()]
    more = len(said) - _MOST_NAMED
    return "; ".join(said[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
