"""What the report of a season says, before it is laid out: one model for PDF and HTML. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any, Final

from screenalytics_core.episodes import EpisodeId
from screenalytics_core.report.direction import one_line

Row = Mapping[str, Any]
_MOST_LINKED: Final = 40
_MOST_ALONE: Final = 10
_MOST_TRENDS: Final = 12
_MOST_TOLD: Final = 4
_MOST_LINKS: Final = 50


@dataclass(frozen=True, slots=True)
class SeasonCell:
    """A person in an episode; seconds are None where nothing is known of the episode."""

    total_s: float | None
    low_s: float | None = None
    high_s: float | None = None


@dataclass(frozen=True, slots=True)
class SeasonPerson:
    """A row of the table.

    Attributes:
        note: Who it may be, or where they were seen; empty for a cast member with nothing open.
        cells: One for each episode, in their order.
    """

    name: str
    note: str
    is_named: bool
    total_s: float
    low_s: float
    high_s: float
    share: float
    episode_count: int
    cells: tuple[SeasonCell, ...]


@dataclass(frozen=True, slots=True)
class SeasonEpisode:
    """An episode; figures are None where it has none.

    Attributes:
        short: `e04`.
        remarks: Why it has no figures, why they are not those of today, why they may not
            compare.
    """

    ep_id: str
    short: str
    state: str
    run_id: str | None
    remarks: tuple[str, ...]
    counted_s: float | None
    covered_s: float | None
    unknown_s: float | None
    people: int | None

    @property
    def is_counted(self) -> bool:
        """Whether it has figures."""
        return self.counted_s is not None


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A link that waits for somebody to decide."""

    link_id: str
    status: str
    says: str
    members: str
    similarity: float
    threshold: float


@dataclass(frozen=True, slots=True)
class SeasonReport:
    """A season as its report shows it.

    Attributes:
        headline: `rhobh · season 5`.
        people: Those with a name, those linked over episodes, and some of the others.
        trends: Whose seconds are drawn over the episodes.
        left_out: People of one episode alone who are not in the table, and their seconds.
        links: Those with a name first, and not more than are read.
        open_links: How many there are.
    """

    season: str
    headline: str
    duration_s: float
    counted_s: float
    covered_s: float
    unknown_s: float
    named: int
    notes: tuple[str, ...]
    episodes: tuple[SeasonEpisode, ...]
    people: tuple[SeasonPerson, ...]
    left_out: tuple[int, float]
    links: tuple[OpenLink, ...]
    open_links: int

    @property
    def trends(self) -> tuple[SeasonPerson, ...]:
        """Return the people whose seconds are drawn: those with most, of several episodes."""
        several = [p for p in self.people if p.episode_count > 1 or p.is_named]
        return tuple(several[:_MOST_TRENDS])

    @property
    def counted_episodes(self) -> int:
        """How many episodes have figures."""
        return sum(e.is_counted for e in self.episodes)

    @property
    def remarked(self) -> tuple[SeasonEpisode, ...]:
        """Return the episodes about which something is to be said."""
        return tuple(e for e in self.episodes if e.remarks)


def season_report(screen_time: Row, season_cast: Row) -> SeasonReport:
    """Return the report of a season.

    Args:
        screen_time: The document of `seasons.specs.SEASON_SCREEN_TIME`.
        season_cast: The document of `seasons.specs.SEASON_CAST` that it was made with.
    """
    ep_ids = [e["ep_id"] for e in screen_time["episodes"]]
    figures = {(f["person_id"], f["ep_id"]): f for f in screen_time["figures"]}
    shown, hidden = _shown(screen_time["people"])
    open_ = [row for row in season_cast["links"] if row["status"] != "agreed"]
    open_.sort(key=lambda row: not row["names"])
    return SeasonReport(
        season=screen_time["season"],
        headline=headline(screen_time["season"]),
        duration_s=screen_time["duration_s"],
        counted_s=screen_time["counted_s"],
        covered_s=screen_time["covered_s"],
        unknown_s=screen_time["unknown_s"],
        named=sum(p["kind"] == "cast" for p in screen_time["people"]),
        notes=tuple(screen_time["notes"]),
        episodes=tuple(map(_episode, screen_time["episodes"])),
        people=tuple(_person(p, ep_ids, figures, season_cast) for p in shown),
        left_out=(len(hidden), fsum(p["total_s"] for p in hidden)),
        links=tuple(_link(row, season_cast["members"]) for row in open_[:_MOST_LINKS]),
        open_links=len(open_),
    )


def headline(season: str) -> str:
    """Say `rhobh · season 5`."""
    parsed = EpisodeId.parse(f"{season}e01")
    return season if parsed.show is None else f"{parsed.show} · season {parsed.season}"


def short_of(ep_id: str) -> str:
    """Return `e04` of an episode's id."""
    return f"e{ep_id.rpartition('e')[2]}"


def _shown(people: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return who is in the table, and who is not; all of them come by their seconds."""
    room = {"cast": len(people), "link": _MOST_LINKED, "identity": _MOST_ALONE}
    shown: list[Row] = []
    hidden: list[Row] = []
    for person in people:
        room[person["kind"]] -= 1
        (shown if room[person["kind"]] >= 0 else hidden).append(person)
    order = {"cast": 0, "link": 1, "identity": 2}
    return sorted(shown, key=lambda p: order[p["kind"]]), hidden


def _person(
    row: Row, ep_ids: Sequence[str], figures: Mapping[tuple[str, str], Row], season_cast: Row
) -> SeasonPerson:
    return SeasonPerson(
        name=_name(row),
        note=_note(row, season_cast),
        is_named=row["kind"] == "cast",
        total_s=row["total_s"],
        low_s=row["low_s"],
        high_s=row["high_s"],
        share=row["share"],
        episode_count=row["episode_count"],
        cells=tuple(
            _cell(figures.get((row["person_id"], ep_id)), figures[_UNKNOWN, ep_id])
            for ep_id in ep_ids
        ),
    )


_UNKNOWN: Final = "(unknown)"


def _cell(figure: Row | None, of_episode: Row) -> SeasonCell:
    if figure is not None:
        return SeasonCell(figure["total_s"], figure["low_s"], figure["high_s"])
    # Who was seen in one episode alone has no rows for the others.
    known = of_episode["total_s"] is not None
    return SeasonCell(0.0, 0.0, 0.0) if known else SeasonCell(None)


def _name(row: Row) -> str:
    if row["kind"] == "cast":
        label = row["label"]
        return label if label and one_line(label) else str(row["cast_id"])
    if row["kind"] == "link":
        return f"unnamed {row['link_id']}"
    ep_id, _, identity_id = row["person_id"].partition("/")
    return f"unnamed {short_of(ep_id)} {identity_id}"


def _note(row: Row, season_cast: Row) -> str:
    if row["maybe_label"]:
        return f"may be {row['maybe_label']}"
    if row["proposed_s"]:
        return f"{row['proposed_s']:,.1f} s more if open links hold"
    if row["kind"] == "link":
        return _where(row, season_cast)
    return ""


def _where(row: Row, season_cast: Row) -> str:
    """Say which identities a link joins, so that they can be looked up."""
    own = [m for m in season_cast["members"] if m["link_id"] == row["link_id"]]
    told = [f"{short_of(m['ep_id'])} {m['person_id']}" for m in own if m["cast_id"] is None]
    shown = told if len(told) <= _MOST_TOLD else told[: _MOST_TOLD // 2]
    more = f" and {len(told) - len(shown)} more" if len(told) > len(shown) else ""
    status = next(k["status"] for k in season_cast["links"] if k["link_id"] == row["link_id"])
    look = "like two named people: " if status == "conflict" else "alike: "
    return look + ", ".join(shown) + more


def _episode(row: Row) -> SeasonEpisode:
    return SeasonEpisode(
        ep_id=row["ep_id"],
        short=short_of(row["ep_id"]),
        state=row["state"],
        run_id=row["run_id"],
        remarks=tuple(filter(None, (row["reason"], *row["doubts"]))),
        counted_s=row["counted_s"],
        covered_s=row["covered_s"],
        unknown_s=row["unknown_s"],
        people=row["people"],
    )


def _link(row: Row, members: Sequence[Row]) -> OpenLink:
    own = [m for m in members if m["link_id"] == row["link_id"]]
    names = " and ".join(row["names"])
    says = {
        "proposal": f"may all be {names}",
        "unnamed": "may be one person; nobody has a name",
        "conflict": f"look like one person, but are named {names}",
    }[row["status"]]
    told = [
        f"{short_of(m['ep_id'])} {m['label'] or m['person_id']} ({m['total_s']:,.1f} s)"
        for m in own
    ]
    return OpenLink(
        row["link_id"], row["status"], says, ", ".join(told), row["similarity"], row["threshold"]
    )
