"""`{show}-s{SS}`: what names a season, in paths and as a partition."""

from __future__ import annotations

from collections.abc import Iterable

from screenalytics_core.episodes import EpisodeId, is_path_safe
from screenalytics_core.errors import InvalidIdError


def parse_season_key(raw: str) -> str:
    """Return a season's key in its canonical spelling.

    Raises:
        InvalidIdError: `raw` is not `{show}-s{SS}`.

    Example:
        >>> parse_season_key("RHOBH-s05")
        'rhobh-s05'
    """
    # A season is what stands before the number of any of its episodes.
    text = f"{raw}e01"
    key = EpisodeId.parse(text).season_key if is_path_safe(text) else None
    if key is None or key != raw.lower():
        raise InvalidIdError(
            thing=f"season {raw!r}",
            reason="is not of the form show-s01",
            way_out="Name it as in its episodes' ids, e.g. rhobh-s05.",
            value=raw,
        )
    return key


def season_of(ep_id: str) -> str | None:
    """Return the season of an episode; None for an id that tells none."""
    return EpisodeId.parse(ep_id).season_key if is_path_safe(ep_id) else None


def episodes_of(season: str, ep_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the episodes of a season in their order, each once."""
    # Most of many ids differ in their first letters: they need no parsing.
    likely = {ep_id for ep_id in ep_ids if ep_id.startswith(f"{season}e")}
    found = [EpisodeId.parse(ep_id) for ep_id in likely if season_of(ep_id) == season]
    return tuple(e.text for e in sorted(found, key=lambda e: (e.episode or 0, e.text)))
