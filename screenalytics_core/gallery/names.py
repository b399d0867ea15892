"""What cast members and shows are called in paths."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

from screenalytics_core.episodes import EpisodeId
from screenalytics_core.errors import InvalidIdError

_SHOW: Final = re.compile(r"[a-z0-9][a-z0-9-]*")
_LONGEST: Final = 64
_LONGEST_LABEL: Final = 100


def cast_id_of(label: str) -> str:
    """Return the slug of a display name: "Zoë Kravitz" is `zoe-kravitz`.

    A name without a Latin letter or digit gets a slug from its hash.

    Raises:
        InvalidIdError: The name is empty, too long or holds control characters.
    """
    name = unicodedata.normalize("NFC", label)
    if not name.strip() or len(name) > _LONGEST_LABEL or not name.isprintable():
        raise InvalidIdError(
            thing=f"name {label[:_LONGEST_LABEL]!r}",
            reason=f"must be 1 to {_LONGEST_LABEL} printable characters",
            value=label,
        )
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")[:_LONGEST].strip("-")
    return slug or f"cast-{hashlib.sha256(name.strip().encode()).hexdigest()[:8]}"


def folded(text: str) -> str:
    """Return a name as it is compared: case, and how its letters are coded, do not matter."""
    return unicodedata.normalize("NFC", text).strip().casefold()


def show_of(text: str) -> str:
    """Return a show's slug, folded to lower case, as it stands in its episodes' ids.

    Raises:
        InvalidIdError: No episode can be of a show of that name.
    """
    show = text.lower()
    # Two numbers more, and it must read as an episode of this very show.
    is_show = _SHOW.fullmatch(show) is not None and len(show) <= _LONGEST
    if not is_show or EpisodeId.parse(f"{show}-s01e01").show != show:
        raise InvalidIdError(
            thing=f"show {text[:_LONGEST]!r}",
            reason=f"must be 1 to {_LONGEST} lower-case letters, digits or '-', and start with "
            "a letter or digit",
            way_out="Use the part before -s01e02 of its episodes, e.g. rhobh.",
            value=text,
        )
    return show
