"""What the page of a run shows: how far it is, then who was on screen when. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from screenalytics_assets.api.pages.axis import Axis, axis_of
from screenalytics_core.ledger.vocabulary import RunStatus
from screenalytics_core.report.people import name_of
from screenalytics_core.report.text import clock, headline, percent, seconds

Document = Mapping[str, Any]
_ENDED: Final = frozenset(status.value for status in RunStatus if status.is_terminal)
_FULL: Final = 100.0
_WORDS: Final = {"not_started": "waiting", "success": "done"}


@dataclass(frozen=True, slots=True)
class StageRow:
    """A stage of the plan.

    Attributes:
        percent: 0 to 100.
        took: Seconds for people; empty while it is not done.
    """

    stage: str
    status: str
    word: str
    percent: float
    message: str
    took: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of a person: where it begins and how long it is, percent of the episode."""

    x: float
    width: float
    source: str
    title: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A cast member that the gallery proposes for an identity."""

    identity_id: str
    label: str
    reason: str


@dataclass(frozen=True, slots=True)
class PersonLane:
    """A person with the stretches in which they are seen.

    Attributes:
        identity_ids: Identities of this run that the person is.
        face_id: The face that stands for the person; None without one.
        to_be: What somebody named them since; empty where the figures say it already.
    """

    name: str
    is_named: bool
    identity_ids: tuple[str, ...]
    face_id: int | None
    total: str
    bounds: str
    share: str
    bars: tuple[Bar, ...]
    suggestions: tuple[Suggestion, ...]
    to_be: str


@dataclass(frozen=True, slots=True)
class RunView:
    """A run.

    Attributes:
        is_ended: Nothing more is to come of this attempt.
        job_id: The Dagster run that speaks for it; None if none does.
        ticks: Place in percent and label of marks along the episode.
    """

    ep_id: str
    run_id: str
    headline: str
    state: str
    is_ended: bool
    error: str | None
    job_id: str | None
    stages: tuple[StageRow, ...]
    people: tuple[PersonLane, ...]
    has_screen_time: bool
    summary: str
    ticks: tuple[tuple[float, str], ...]
    reports: tuple[str, ...]


def run_view(
    status: Document,
    screen_time: Document | None,
    identities: Document | None,
    cast: Document | None,
    shots: Document | None = None,
    reports: Iterable[str] = (),
    named_since: Mapping[str, str] | None = None,
) -> RunView:
    """Return what is shown of a run.

    Args:
        status: episode_status.json.
        screen_time: The document of `artifacts.SCREEN_TIME`; None while there is none.
        identities: Of `artifacts.IDENTITIES`.
        cast: Of `artifacts.CAST`.
        shots: Of `artifacts.SHOTS`.
        reports: Forms that the report is there in, `pdf` and `html`.
        named_since: identity_id -> name that was decided after the run.
    """
    error = status["error"]
    jobs = status["dagster_run_ids"]
    axis = axis_of(screen_time, shots) if screen_time else None
    return RunView(
        ep_id=status["ep_id"],
        run_id=status["run_id"],
        headline=headline(status["ep_id"]),
        state=status["state"],
        is_ended=status["state"] in _ENDED,
        error=error["message"] if error else None,
        job_id=jobs[-1] if jobs else None,
        stages=tuple(_stage(name, stage) for name, stage in status["stages"].items()),
        people=_people(screen_time, identities, cast, axis, named_since or {}),
        has_screen_time=screen_time is not None,
        summary=_summary(screen_time),
        ticks=axis.ticks() if axis else (),
        reports=tuple(reports),
    )


def decided_until(status: Document) -> str:
    """Return when a run read what was decided: what is later is not in its figures.

    Args:
        status: episode_status.json; times in it and in decisions are of one form, and sort.
    """
    stages = status["stages"]
    began = [s["started_at"] for s in stages.values() if s["started_at"]]
    # A run that took who is who over from another one read nothing itself; of one that nobody
    # logged, no decision is known to be in its figures.
    return str(stages["cluster"]["started_at"] or min(began, default=""))


def _stage(name: str, stage: Document) -> StageRow:
    status, progress = stage["status"], stage["progress"] or {}
    is_done = status == "success"
    reused = stage["source"] not in (None, "computed")
    error = stage["error"]
    return StageRow(
        stage=name,
        status=status,
        word="taken over" if is_done and reused else _WORDS.get(status, str(status)),
        percent=_FULL if is_done else float(progress.get("pct") or 0.0),
        message=error["message"] if error else stage["blocked_reason"] or progress.get("message")
        or "",
        took=seconds(stage["duration_s"]) if stage["duration_s"] is not None and is_done else "",
    )  # fmt: skip


def _people(
    screen_time: Document | None,
    identities: Document | None,
    cast: Document | None,
    axis: Axis | None,
    named_since: Mapping[str, str],
) -> tuple[PersonLane, ...]:
    if screen_time is None or identities is None or cast is None or axis is None:
        return ()
    faces = {i["identity_id"]: i["representative_face_id"] for i in identities["identities"]}
    of_cast: dict[str, list[str]] = {}
    for row in cast["people"]:
        if row["cast_id"] and row["identity_id"]:
            of_cast.setdefault(row["cast_id"], []).append(row["identity_id"])
    proposed: dict[str, list[Suggestion]] = {}
    for row in cast["suggestions"]:
        shown = Suggestion(row["identity_id"], row["label"], row["reason"])
        proposed.setdefault(row["identity_id"], []).append(shown)
    lanes = []
    for person in sorted(screen_time["people"], key=lambda p: -p["total_s"]):
        own = [person["identity_id"]] if person["identity_id"] else of_cast.get(person["cast_id"])
        lane = _lane(person, tuple(own or ()), faces, proposed, axis)
        to_be = next((named_since[i] for i in lane.identity_ids if i in named_since), "")
        lanes.append(replace(lane, to_be="" if to_be == lane.name else to_be))
    return tuple(lanes)


def _lane(
    person: Document,
    identity_ids: tuple[str, ...],
    faces: Mapping[str, int | None],
    proposed: Mapping[str, list[Suggestion]],
    axis: Axis,
) -> PersonLane:
    known = (faces.get(identity_id) for identity_id in identity_ids)
    return PersonLane(
        name=name_of(person),
        is_named=person["cast_id"] is not None,
        identity_ids=identity_ids,
        face_id=next((face for face in known if face is not None), None),
        total=seconds(person["total_s"]),
        bounds=f"{seconds(person['low_s'])} to {seconds(person['high_s'])}",
        share=percent(person["share"]),
        bars=tuple(_bar(segment, axis) for segment in person["segments"]),
        suggestions=tuple(s for i in identity_ids for s in proposed.get(i, ())),
        to_be="",
    )


def _bar(segment: Document, axis: Axis) -> Bar:
    start_s, end_s = segment["start_s"], segment["end_s"]
    title = f"{segment['source']} {clock(start_s)} to {clock(end_s)} ({seconds(end_s - start_s)})"
    x = axis.place(start_s)
    return Bar(x, round(axis.place(end_s) - x, 4), segment["source"], title)


def _summary(screen_time: Document | None) -> str:
    if screen_time is None:
        return ""
    return (
        f"{seconds(screen_time['counted_s'])} counted, somebody known in "
        f"{seconds(screen_time['covered_s'])}, somebody unknown in "
        f"{seconds(screen_time['unknown_s'])}"
    )
