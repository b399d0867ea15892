"""Which episode a file is, told by its name: the usual ways to write it, or a pattern. Pure."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from screenalytics_core.episodes import EpisodeId, is_path_safe
from screenalytics_core.errors import SettingsError

_SHOW: Final = re.compile(r"[a-z0-9][a-z0-9-]*")
_END: Final = r"(?![0-9a-z])"
_BEGIN: Final = r"(?<![0-9a-z])"
# S05E14, s5.e14, S05 E14, s05_ep14, "Season 5 Episode 14", 5x14; not 1920x1080.
_BOTH: Final = re.compile(
    rf"{_BEGIN}(?:s(?:eason)?[ ._-]*(?P<season>\d{{1,4}})[ ._-]*(?:e|ep|episode)[ ._-]*"
    rf"(?P<episode>\d{{1,4}})|(?P<season_x>\d{{1,2}})x(?P<episode_x>\d{{2,3}})){_END}"
)
# S05E01E02, S05E01-E02, S05E01-02, 5x01-02: what follows a first episode when there is another.
_SECOND: Final = re.compile(
    rf"(?:[ ._-]*ep?\d{{1,4}}|x\d{{2,3}}|(?<=-)\d{{1,2}}x\d{{2,3}}|(?<=-)\d{{2,3}}){_END}"
)
_FIRST_OF_MORE: Final = re.compile(
    rf"{_BEGIN}(?:s\d{{1,4}}[ ._-]*e(?:p)?\d{{1,4}}|\d{{1,2}}x\d{{2,3}})-?"
)
_EPISODE_ONLY: Final = re.compile(rf"{_BEGIN}(?:e|ep|episode)[ ._-]*(\d{{1,4}}){_END}")
_SEASON_FOLDER: Final = re.compile(rf"{_BEGIN}s(?:eason|eries)?[ ._-]*(\d{{1,4}}){_END}")
# "01 - Pilot", "14": only where the season is known otherwise.
_LEADING_NUMBER: Final = re.compile(rf"(\d{{1,3}}){_END}")
_FIELDS: Final = ("show", "season", "episode")
# That of any id; see `episodes`.
_MOST_LETTERS: Final = 128


@dataclass(frozen=True, slots=True)
class Named:
    """What a name says; `why_not` says why it is no episode, and is empty if it is."""

    ep_id: str | None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class EpisodeNames:
    """How the files of a folder are named.

    Attributes:
        show: The show they belong to, e.g. `rhobh`; None: `pattern` finds it, else the files
            are called by their ids.
        season: The season they belong to; None: each name says it.
        pattern: None recognises the usual names. See `compile_pattern`.
        ep_id: The episode that any file is; None: its name says it.
    """

    show: str | None = None
    season: int | None = None
    pattern: re.Pattern[str] | None = None
    ep_id: str | None = None

    @classmethod
    def only(cls, ep_id: str) -> EpisodeNames:
        """Return what recognises this episode in whatever name; InvalidIdError if it is none."""
        return cls(ep_id=EpisodeId.parse(ep_id).text)

    @classmethod
    def of(
        cls, show: str | None = None, season: int | None = None, pattern: str | None = None
    ) -> EpisodeNames:
        """Check what was asked for.

        Raises:
            SettingsError: The show is no name of one, the pattern cannot be read, or show,
                season or episode could be known of no file.
        """
        compiled = None if pattern is None else compile_pattern(pattern)
        found = set(compiled.groupindex) if compiled else set[str]()
        if show is not None and _SHOW.fullmatch(show.lower()) is None:
            raise SettingsError(
                thing=f"--show {show!r}",
                reason="must be letters, digits and '-', and start with a letter or digit",
                way_out="Write --show rhobh: episodes are then called rhobh-s05e14.",
            )
        given = {"show": show, "season": season, "episode": None}
        for name, value in given.items() if compiled else ():
            if value is None and name not in found:
                raise SettingsError(
                    thing="episodes add",
                    reason=f"does not know the {name}",
                    way_out="Put {episode} into --pattern."
                    if name == "episode"
                    else f"Give --{name}, or put {{{name}}} into --pattern.",
                )
        return cls(None if show is None else show.lower(), season, compiled)

    def recognise(self, path: PurePosixPath) -> Named:
        """Return the episode of a file; `path` is relative to the folder that was named."""
        if self.ep_id is not None:
            return Named(self.ep_id)
        if self.pattern is not None:
            text = path.as_posix() if "/" in self.pattern.pattern else path.name
            match = self.pattern.search(text)
            if match is None:
                return Named(None, "does not fit the pattern")
            return self._named({k: v for k, v in match.groupdict().items() if v})
        return self._own_id(path) if self.show is None else self._usual(path)

    def _own_id(self, path: PurePosixPath) -> Named:
        """Without a show, only a file that is called by its id says which episode it is."""
        parsed = EpisodeId.parse(path.stem) if is_path_safe(path.stem) else None
        if parsed is None or not parsed.is_canonical:
            return Named(None, "says no show, which --show would")
        if self.season not in (None, parsed.season):
            return Named(None, f"is of season {parsed.season}, not {self.season}")
        return Named(parsed.text)

    def _usual(self, path: PurePosixPath) -> Named:
        """The file's own name says more than its folders', the inner ones more than the outer."""
        names = [path.stem.lower(), *(p.lower() for p in reversed(path.parent.parts))]
        for name in names:
            first = _FIRST_OF_MORE.search(name)
            if first is not None and _SECOND.match(name, first.end()):
                return Named(None, "holds more than one episode")
            both = _BOTH.search(name)
            if both is not None:
                season = both["season"] or both["season_x"]
                return self._named({"season": season, "episode": both["episode"] or both[4]})
        return self._in_season_folder(names)

    def _in_season_folder(self, names: Sequence[str]) -> Named:
        seasons = [m[1] for name in names[1:] if (m := _SEASON_FOLDER.search(name))]
        season = seasons[0] if seasons else self.season
        if season is None:
            return Named(None, "says no season and episode")
        for name in names:
            episode = _EPISODE_ONLY.search(name)
            if episode is not None:
                return self._named({"season": season, "episode": episode[1]})
        number = _LEADING_NUMBER.match(names[0])
        if number is None:
            return Named(None, "says no episode")
        return self._named({"season": season, "episode": number[1]})

    def _named(self, found: dict[str, str | int]) -> Named:
        """Put an id together; what a name says must agree with what was asked for."""
        show = _slug(str(found.get("show", self.show or "")))
        if self.show is not None and show != self.show:
            return Named(None, f"is of the show {show!r}, not {self.show!r}")
        try:
            episode = int(found.get("episode", ""))
            season = int(found.get("season", "" if self.season is None else self.season))
        except ValueError:
            return Named(None, "says no number of season and episode")
        if self.season is not None and season != self.season:
            return Named(None, f"is of season {season}, not {self.season}")
        parsed = f"{show}-s{season:02d}e{episode:02d}"
        if _SHOW.fullmatch(show) is None or len(parsed) > _MOST_LETTERS:
            return Named(None, f"names no show that an id can hold: {show!r}")
        return Named(EpisodeId.parse(parsed).text)


def compile_pattern(text: str) -> re.Pattern[str]:
    r"""Return a pattern as a regular expression with groups show, season and episode.

    Args:
        text: A regular expression if it holds `(?P<`, searched for as it is; else a template
            for the whole name: `{show}`, `{season}` and `{episode}`, numbers also with a
            width (`{season:02d}`: at least two digits), `*` any letters, `?` one. Templates
            tell no upper from lower case. Where a `/` stands in it, it is held against the
            path below the folder, else against the file's name.

    Raises:
        SettingsError: It is neither.
    """
    try:
        if "(?P<" in text:
            compiled = re.compile(text)
        else:
            compiled = re.compile(_template(text), re.IGNORECASE)
    except (ValueError, re.error) as error:
        raise _refused_pattern(text, str(error)) from error
    unknown = [name for name in compiled.groupindex if name not in _FIELDS]
    if unknown:
        raise _refused_pattern(text, f"knows no field {unknown[0]!r}")
    return compiled


def _template(text: str) -> str:
    """Translate a template; ValueError says what is wrong with it."""
    parts = [r"(?<![^/])"]
    seen: set[str] = set()
    for literal, name, width, conversion in string.Formatter().parse(text):
        parts.append(_with_wildcards(literal))
        if name is None:
            continue
        if name not in _FIELDS or conversion:
            raise ValueError(f"knows no field {name or '{}'!r}")
        if name in seen:
            parts.append(f"(?P={name})")
        else:
            parts.append(f"(?P<{name}>{_letters(name, width or '')})")
        seen.add(name)
    return "".join([*parts, r"\Z"])


def _letters(name: str, width: str) -> str:
    if name == "show":
        if width:
            raise ValueError("{show} takes no width")
        return "[^/]+?"
    found = re.fullmatch(r"0?(\d?)d?", width)
    if found is None:
        raise ValueError(f"{{{name}:{width}}} is no width: write {{{name}:02d}}")
    return rf"[0-9]{{{found[1] or 1},9}}"


def _with_wildcards(literal: str) -> str:
    return re.escape(literal).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")


def _slug(show: str) -> str:
    """Return a show's name as ids hold it: `The.Office (US)` -> `the-office-us`."""
    return re.sub(r"[^a-z0-9]+", "-", show.lower()).strip("-")


def _refused_pattern(text: str, reason: str) -> SettingsError:
    return SettingsError(
        thing=f"--pattern {text!r}",
        reason=reason,
        way_out="Write a template, '{show}.S{season:02d}E{episode:02d}.*.mp4', or a regular "
        "expression with the groups (?P<season>...) and (?P<episode>...).",
    )
