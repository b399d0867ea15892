"""What the first page shows: every episode with the newest of its runs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from screenalytics_assets.api.run_rows import RunRow
from screenalytics_core.report.text import headline

PAGE_ROWS: Final = 50


@dataclass(frozen=True, slots=True)
class Chosen:
    """A page of the episodes in whose id a text is found.

    Attributes:
        page: From 1; the last one if more was asked for.
        found: Episodes that the text is found in.
        known: All episodes.
    """

    ep_ids: tuple[str, ...]
    text: str
    page: int
    pages: int
    found: int
    known: int


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """An episode; `newest` is the run that was reserved last, None without one."""

    ep_id: str
    headline: str
    newest: RunRow | None
    run_count: int


def choose(ep_ids: Sequence[str], text: str, page: int) -> Chosen:
    """Return a page of the episodes whose id holds a text.

    Args:
        ep_ids: Episodes in the order that they are shown in.
        text: Compared without case; empty = all.
        page: From 1.
    """
    wanted = text.strip().lower()
    found = [ep_id for ep_id in ep_ids if wanted in ep_id.lower()]
    pages = max(1, -(-len(found) // PAGE_ROWS))
    page = min(max(page, 1), pages)
    shown = tuple(found[(page - 1) * PAGE_ROWS : page * PAGE_ROWS])
    return Chosen(shown, text.strip(), page, pages, len(found), len(ep_ids))


def episode_rows(
    ep_ids: Sequence[str], runs: Mapping[str, Sequence[RunRow]]
) -> tuple[EpisodeRow, ...]:
    """Return the rows of episodes, in their order.

    Args:
        runs: ep_id -> its runs.
    """
    return tuple(
        EpisodeRow(
            ep_id=ep_id,
            headline=headline(ep_id),
            newest=max(runs.get(ep_id, ()), key=lambda r: (r.created_at, r.run_id), default=None),
            run_count=len(runs.get(ep_id, ())),
        )
        for ep_id in ep_ids
    )
