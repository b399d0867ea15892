"""Which episodes a text means: one, a range, a season, a show, or a file of such texts.

Seasons are expanded to explicit keys, so that a launch says what it launches.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import Final

from screenalytics_core.episodes import EpisodeId
from screenalytics_core.errors import InvalidIdError, SettingsError

_NUMBERS: Final = re.compile(r"(\d+)")
# One digit is enough here: an id has two, but rhobh-s5 can mean nothing else.
_EPISODE: Final = re.compile(
    r"(?P<show>[a-z0-9][a-z0-9-]*)-s(?P<season>\d{1,9})e(?P<episode>\d{1,9})"
)
_SEASON: Final = re.compile(r"(?P<show>[a-z0-9][a-z0-9-]*)-s(?P<season>\d{1,9})")
_RANGE_END: Final = re.compile(r"e(?P<episode>\d{1,9})")
_TOLD: Final = 3
# Of a range up to e99999 that somebody mistyped.
_MOST_GAPS: Final = 100
_ADD: Final = "Add some: screenalytics episodes add FOLDER --show SHOW --dry-run."


def natural_order(ep_id: str) -> tuple[tuple[tuple[str, int], ...], str]:
    """Return a key that sorts ids as people count: e2 before e10, e99 before e100."""
    parts = _NUMBERS.split(ep_id)
    texts, numbers = parts[0::2], [*map(int, parts[1::2]), -1]
    return tuple(zip(texts, numbers, strict=True)), ep_id


def expand(texts: Iterable[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return the known episodes that `texts` mean, in their order, each once.

    Args:
        texts: Each one of: an ep_id; `rhobh-s05e01..e08` or `rhobh-s05e01..rhobh-s05e08`,
            both ends included, of the known ones; `rhobh-s05`; `rhobh`; `@FILE` with one of
            these a line, and comments after `#`. Upper case is folded. What is an ep_id is
            always that episode. Seasons, shows and ranges give natural order.
        known: The registered ep_ids.

    Raises:
        SettingsError: Something is unknown (the nearest known is named), a range is reversed,
            a text can mean two things, a file cannot be read, or nothing was named.
    """
    library = _Library.of(known)
    wanted: dict[str, None] = {}
    unknown: list[str] = []
    for text in _lines(texts):
        found = library.find(text)
        wanted.update(dict.fromkeys(found))
        if not found:
            unknown.append(text)
    if unknown:
        raise _unknown(unknown, library)
    if not wanted:
        raise SettingsError(
            thing="selection of episodes",
            reason="names none",
            way_out="Name an episode (rhobh-s05e14), a range (rhobh-s05e01..e08), a season "
            "(rhobh-s05), a show (rhobh) or a file of them (@FILE).",
        )
    return tuple(wanted)


def known_of(texts: Iterable[str], known: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return those of `texts` that mean a known episode, and those that mean none.

    Raises:
        SettingsError: A text is wrong in itself, whatever is known; see `expand`.
    """
    library = _Library.of(known)
    lines = tuple(_lines(texts))
    found = tuple(text for text in lines if library.find(text))
    return found, tuple(text for text in lines if text not in found)


def gaps(texts: Iterable[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return what seasons and ranges pass over since it is not known, at most a hundred.

    Of a season, what lies between its first and last known episode.

    Args:
        texts: As those of `expand`.
    """
    library = _Library.of(known)
    found = (gap for text in _lines(texts) for gap in library.gaps(text))
    return tuple(dict.fromkeys(islice(found, _MOST_GAPS)))


@dataclass(frozen=True, slots=True)
class _Library:
    """The known episodes, by show and season, each in natural order."""

    ids: frozenset[str]
    shows: dict[str, list[EpisodeId]] = field(default_factory=dict)
    seasons: dict[tuple[str, int], list[EpisodeId]] = field(default_factory=dict)

    @classmethod
    def of(cls, known: Sequence[str]) -> _Library:
        library = cls(frozenset(known))
        for ep_id in sorted(library.ids, key=natural_order):
            episode = EpisodeId.parse(ep_id)
            if episode.show is not None and episode.season is not None:
                library.shows.setdefault(episode.show, []).append(episode)
                library.seasons.setdefault((episode.show, episode.season), []).append(episode)
        return library

    def names(self) -> list[str]:
        """Return everything that a text can be."""
        return [
            *sorted(self.ids),
            *(f"{show}-s{n:02d}" for show, n in sorted(self.seasons)),
            *sorted(self.shows),
        ]

    def find(self, text: str) -> list[str]:
        """Return what one text means; empty if it is unknown."""
        if text in self.ids:
            return [text]
        first, dots, last = text.lower().partition("..")
        if dots:
            return self._range(text, first.strip(), last.strip())
        one = _EPISODE.fullmatch(first)
        if one is not None:
            place = int(one["season"]), int(one["episode"])
            return [e.text for e in self.shows.get(one["show"], []) if _place(e) == place]
        return self._season_or_show(first)

    def gaps(self, text: str) -> Iterator[str]:
        """Yield the unknown episodes between the first and the last that one text means."""
        found = [EpisodeId.parse(ep_id) for ep_id in self.find(text)]
        ends = _ends_within_season(text)
        for (show, season), own in groupby(found, lambda e: (e.show, e.season)):
            numbers = {episode.episode or 0 for episode in own}
            low, high = ends or (min(numbers), max(numbers))
            for number in range(low, high + 1) if show and season is not None else ():
                if number not in numbers:
                    yield f"{show}-s{season:02d}e{number:02d}"

    def _season_or_show(self, text: str) -> list[str]:
        named = _SEASON.fullmatch(text)
        season = self.seasons.get((named["show"], int(named["season"])), []) if named else []
        show = self.shows.get(text, [])
        if season and show:
            raise SettingsError(
                thing=f"episodes {text!r}",
                reason="is both a season and a show",
                way_out=f"Name the show's seasons ({show[0].season_key}), or a range of the "
                f"season's episodes ({season[0]}..{season[-1]}).",
            )
        return [e.text for e in season or show]

    def _range(self, text: str, first: str, last: str) -> list[str]:
        start = _EPISODE.fullmatch(first)
        end = _EPISODE.fullmatch(last) or _RANGE_END.fullmatch(last)
        if start is None or end is None:
            raise _refused(text, "is no range of episodes")
        given = end.groupdict()
        low = int(start["season"]), int(start["episode"])
        high = int(given.get("season") or start["season"]), int(end["episode"])
        if given.get("show", start["show"]) != start["show"]:
            raise _refused(text, "goes from one show to another")
        if high < low:
            raise _refused(text, "is reversed")
        return [e.text for e in self.shows.get(start["show"], []) if low <= _place(e) <= high]


def _ends_within_season(text: str) -> tuple[int, int] | None:
    """Return the first and the last number of a range of one season; None of anything else."""
    first, _, last = text.lower().partition("..")
    start = _EPISODE.fullmatch(first.strip())
    end = _EPISODE.fullmatch(last.strip()) or _RANGE_END.fullmatch(last.strip())
    if start is None or end is None:
        return None
    if int(end.groupdict().get("season") or start["season"]) != int(start["season"]):
        return None
    return int(start["episode"]), int(end["episode"])


def _place(episode: EpisodeId) -> tuple[int, int]:
    return episode.season or 0, episode.episode or 0


def _lines(texts: Iterable[str]) -> Iterable[str]:
    """Yield what was named, the lines of files among it."""
    for text in texts:
        if text.strip().startswith("@"):
            yield from _read(Path(text.strip()[1:]))
        elif text.strip():
            yield text.strip()


def _read(path: Path) -> list[str]:
    try:
        # A byte order mark is what Windows' editors begin with.
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
        raise SettingsError(
            thing=f"file of episodes {str(path)!r}",
            reason=said or str(error),
            way_out="Write one episode, range, season or show a line; # begins a comment.",
        ) from error
    found = [line.partition("#")[0].strip() for line in lines]
    nested = [line for line in found if line.startswith("@")]
    if nested:
        raise _refused(nested[0], f"stands in {path}: a file cannot name another")
    return [line for line in found if line]


def _refused(text: str, reason: str) -> SettingsError:
    return SettingsError(
        thing=f"episodes {text!r}",
        reason=reason,
        way_out="Write rhobh-s05e01..e08, or rhobh-s05e01..rhobh-s06e03.",
    )


def _unknown(texts: Sequence[str], library: _Library) -> SettingsError:
    """Name what is unknown, the first few with what is nearest."""
    names = library.names()
    if not names:
        return SettingsError(
            thing=f"episodes {texts[0]!r}", reason="no episode is registered", way_out=_ADD
        )
    more = len(texts) - _TOLD
    return SettingsError(
        thing="episodes",
        reason="; ".join(_say_unknown(text, names) for text in texts[:_TOLD])
        + (f"; and {more} more" if more > 0 else ""),
        way_out="See `screenalytics episodes list`, or add what is missing.",
        unknown=list(texts),
    )


def _say_unknown(text: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(text.lower(), names, n=1)
    hint = f" (nearest: {close[0]})" if close else ""
    try:
        EpisodeId.parse(text)
    except InvalidIdError:
        what = "is no episode" if ".." not in text else "holds no registered episode"
        return f"{text!r} {what}{hint}"
    return f"{text!r} is not registered{hint}"
