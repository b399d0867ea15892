"""Seconds per person and episode, added up over a season. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum
from typing import Any, Final, NamedTuple

from screenalytics_core.seasons.model import EpisodeInput
from screenalytics_core.seasons.specs import SEASON_SCREEN_TIME
from screenalytics_core.vision.intervals import total_s

Row = Mapping[str, Any]
UNKNOWN: Final = "(unknown)"
"""The person_id of faces without an identity; no cast member's slug looks like it."""
_DECIMALS: Final = 6
_SUMMED: Final = ("total_s", "low_s", "high_s", "face_s", "body_only_s")


class Who(NamedTuple):
    """A person of the season."""

    person_id: str
    kind: str
    cast_id: str | None = None
    link_id: str | None = None


@dataclass(slots=True)
class _Person:
    """A person while their rows are gathered: ep_id -> rows of screen_time's people."""

    who: Who
    label: str | None = None
    rows: dict[str, list[Row]] = field(default_factory=dict)


def roll_up(
    season: str,
    episodes: Sequence[EpisodeInput],
    screen_times: Mapping[str, Row],
    season_cast: Row,
) -> dict[str, Any]:
    """Return the document of `specs.SEASON_SCREEN_TIME`.

    Args:
        episodes: All of the season, in its order.
        screen_times: ep_id -> the document of `artifacts.SCREEN_TIME` of those with figures.
        season_cast: The document of `specs.SEASON_CAST`, of the same runs.
    """
    people = _gathered(episodes, screen_times, season_cast)
    of_person = [list(_figures_of(season, p, episodes, screen_times)) for p in people]
    figures = [row for rows in of_person for row in rows]
    figures += [_unknown_figure(season, e, screen_times.get(e.ep_id)) for e in episodes]
    order = {e.ep_id: i for i, e in enumerate(episodes)}
    counted_s = _sum(t["counted_s"] for t in screen_times.values())
    proposals = _Proposals.of(season_cast)
    rows = [
        _total(person, own, counted_s, proposals)
        for person, own in zip(people, of_person, strict=True)
    ]
    rows.sort(key=lambda row: (-row["total_s"], row["person_id"]))
    rank = {row["person_id"]: i for i, row in enumerate(rows)}
    figures.sort(key=lambda f: (order[f["ep_id"]], rank.get(f["person_id"], len(rank))))
    return SEASON_SCREEN_TIME.conform(
        {
            "season": season,
            "episodes_total": len(episodes),
            "episodes_counted": len(screen_times),
            "counted_s": counted_s,
            **{
                name: _sum(t[name] for t in screen_times.values())
                for name in ("duration_s", "covered_s", "unknown_s")
            },
            "notes": list(season_cast["notes"]),
            "people": [_with_proposed(row, rows) for row in rows],
            "episodes": [_episode_row(e, screen_times.get(e.ep_id)) for e in episodes],
            "figures": figures,
        }
    )


@dataclass(frozen=True, slots=True)
class _Proposals:
    """link_id -> (cast_id, label) that it proposes for its unnamed members."""

    names: Mapping[str, tuple[str, str]]

    @classmethod
    def of(cls, season_cast: Row) -> _Proposals:
        """Read them from the document of `specs.SEASON_CAST`."""
        rows = [row for row in season_cast["links"] if row["status"] == "proposal"]
        return cls({row["link_id"]: (row["cast_id"], row["label"]) for row in rows})


def _gathered(
    episodes: Sequence[EpisodeInput], screen_times: Mapping[str, Row], season_cast: Row
) -> list[_Person]:
    """Put the people of all episodes together: by name, else by link, else each alone."""
    link_of = {
        (m["ep_id"], m["person_id"]): m["link_id"]
        for m in season_cast["members"]
        if m["cast_id"] is None
    }
    people: dict[str, _Person] = {}
    for episode in episodes:
        for row in screen_times.get(episode.ep_id, {}).get("people", ()):
            who = _who(episode.ep_id, row, link_of)
            person = people.setdefault(who.person_id, _Person(who))
            person.label = row["label"] or person.label
            person.rows.setdefault(episode.ep_id, []).append(row)
    return list(people.values())


def _who(ep_id: str, row: Row, link_of: Mapping[tuple[str, str], str]) -> Who:
    if row["cast_id"] is not None:
        return Who(row["cast_id"], "cast", cast_id=row["cast_id"])
    link_id = link_of.get((ep_id, row["identity_id"]))
    if link_id is not None:
        return Who(link_id, "link", link_id=link_id)
    return Who(f"{ep_id}/{row['identity_id']}", "identity")


def _figures_of(
    season: str,
    person: _Person,
    episodes: Sequence[EpisodeInput],
    screen_times: Mapping[str, Row],
) -> Iterable[dict[str, Any]]:
    """Yield a person's row for every episode; of one who is in no link, for theirs alone."""
    for episode in episodes:
        rows = person.rows.get(episode.ep_id)
        if rows is None and person.who.kind == "identity":
            continue
        yield {
            **_place(season, episode),
            **person.who._asdict(),
            "label": person.label,
            **_seconds(rows or (), screen_times.get(episode.ep_id)),
        }


def _place(season: str, episode: EpisodeInput) -> dict[str, Any]:
    return {
        "season": season,
        "ep_id": episode.ep_id,
        "run_id": episode.run_id,
        "state": episode.state.value,
    }


def _seconds(rows: Sequence[Row], screen_time: Row | None) -> dict[str, float | None]:
    """Return the seconds of the rows that are one person in an episode.

    Of several, what overlaps counts once; what is sure of one of them is sure of the person,
    and all that may be one of them may be the person.
    """
    if screen_time is None:
        return dict.fromkeys((*_SUMMED, "share"))
    counted_s = screen_time["counted_s"]
    if len(rows) == 1:
        found = {name: rows[0][name] for name in (*_SUMMED, "share")}
    else:
        body_only_s = [row["body_only_s"] for row in rows if row["body_only_s"] is not None]
        segments = [(s["start_s"], s["end_s"], s["source"]) for r in rows for s in r["segments"]]
        whole_s = _round(total_s((start, end) for start, end, _ in segments))
        face_s = _round(total_s((s, e) for s, e, source in segments if source == "face"))
        high_s = min(counted_s, _sum(row["high_s"] for row in rows))
        found = {
            "total_s": whole_s,
            "low_s": min(whole_s, max((row["low_s"] for row in rows), default=0.0)),
            "high_s": max(whole_s, high_s),
            "face_s": face_s,
            "body_only_s": _round(whole_s - face_s) if body_only_s or screen_time["has_bodies"]
            else None,
            "share": min(1.0, whole_s / counted_s) if counted_s else 0.0,
        }  # fmt: skip
    return found


def _unknown_figure(season: str, episode: EpisodeInput, screen_time: Row | None) -> dict[str, Any]:
    """Return the row of faces without an identity: so every episode has one, whatever it says."""
    seconds: dict[str, float | None] = {}
    if screen_time is not None:
        counted_s, unknown_s = screen_time["counted_s"], screen_time["unknown_s"]
        share = min(1.0, unknown_s / counted_s) if counted_s else 0.0
        seconds = {"total_s": unknown_s, "face_s": unknown_s, "share": share}
    return {
        **_place(season, episode),
        **Who(UNKNOWN, "unknown")._asdict(),
        "label": None,
        **seconds,
    }


def _total(
    person: _Person, figures: Iterable[Row], counted_s: float, proposals: _Proposals
) -> dict[str, Any]:
    """Add up a person's figures; `figures` are theirs, in the season's order."""
    own = [f for f in figures if f["total_s"] is not None]
    sums: dict[str, float | None] = {
        name: _sum(f[name] for f in own if f[name] is not None) for name in _SUMMED
    }
    if all(f["body_only_s"] is None for f in own):
        sums["body_only_s"] = None
    whole_s = sums["total_s"] or 0.0
    seen = [f["ep_id"] for f in own if f["total_s"] > 0]
    maybe_cast_id, maybe_label = proposals.names.get(person.who.link_id or "", (None, None))
    return {
        **person.who._asdict(),
        "label": person.label,
        "maybe_cast_id": maybe_cast_id,
        "maybe_label": maybe_label,
        **sums,
        "share": min(1.0, whole_s / counted_s) if counted_s else 0.0,
        "episode_count": len(seen),
        "first_ep_id": seen[0] if seen else None,
        "last_ep_id": seen[-1] if seen else None,
    }


def _with_proposed(row: dict[str, Any], rows: Iterable[Row]) -> dict[str, Any]:
    """Add what a cast member would have more if the links that propose them hold."""
    mine = [
        r["total_s"]
        for r in rows
        if row["cast_id"] is not None and r["maybe_cast_id"] == row["cast_id"]
    ]
    return {**row, "proposed_s": _sum(mine)}


def _episode_row(episode: EpisodeInput, screen_time: Row | None) -> dict[str, Any]:
    told = screen_time or {}
    return {
        "ep_id": episode.ep_id,
        "run_id": episode.run_id,
        "state": episode.state.value,
        "reason": episode.reason or None,
        "doubts": list(episode.doubts),
        **{name: told.get(name) for name in ("duration_s", "counted_s", "covered_s", "unknown_s")},
        "people": None if screen_time is None else len(screen_time["people"]),
    }


def _sum(values: Iterable[float]) -> float:
    return _round(fsum(values))


def _round(value: float) -> float:
    # Sums of floating-point seconds end in noise.
    return round(value, _DECIMALS)
