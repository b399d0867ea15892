"""`EpisodeId`: the partition key, path-safe by construction.

`{show}-s{SS}e{EE}` parses into show, season and episode. Other path-safe ids still
work (they have no season and take the legacy S3 layout); anything else is refused
before any path is built.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from screenalytics_core.errors import InvalidIdError

_CANONICAL: Final = re.compile(
    r"(?P<show>[a-z0-9][a-z0-9-]*)-s(?P<season>\d{2,})e(?P<episode>\d{2,})"
)
_PATH_SAFE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def is_path_safe(text: str) -> bool:
    """Tell whether `text` can be a folder name: letters, digits, `._-`, no `..`, at most 128."""
    return _PATH_SAFE.fullmatch(text) is not None and ".." not in text


@dataclass(frozen=True, slots=True)
class EpisodeId:
    """One episode; `text` is the canonical spelling used in every path and key."""

    text: str
    show: str | None = None
    season: int | None = None
    episode: int | None = None

    @classmethod
    def parse(cls, raw: str) -> EpisodeId:
        """Parse and canonicalise an id; upper case is folded when the result is canonical.

        Raises:
            InvalidIdError: `raw` is not path-safe.
        """
        if not isinstance(raw, str) or not is_path_safe(raw):
            raise InvalidIdError(
                thing=f"ep_id {raw!r}",
                reason="must be 1-128 letters, digits, '.', '_' or '-', start with a letter or "
                "digit and hold no '..'",
                way_out="Use the form show-s01e02, e.g. rhobh-s05e14.",
                value=raw,
            )
        match = _CANONICAL.fullmatch(raw.lower())
        if match is None:
            return cls(raw)
        return cls(raw.lower(), match["show"], int(match["season"]), int(match["episode"]))

    @property
    def is_canonical(self) -> bool:
        """True when show, season and episode are known."""
        return self.show is not None

    @property
    def season_key(self) -> str | None:
        """`{show}-s{SS}`, the key of the season this episode belongs to."""
        return None if self.show is None else f"{self.show}-s{self.season:02d}"

    def __str__(self) -> str:
        return self.text
