"""Names as text formats can hold them: on one line, without what no parser allows."""

from __future__ import annotations

import unicodedata
from typing import Final

# Control characters and lone surrogates are no part of XML 1.0, nor are two non-characters;
# overrides of the direction turn around what stands beside them.
_UNSAFE: Final = frozenset({"Cc", "Cs"})
_UNWANTED: Final = frozenset("\ufffe\uffff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def on_one_line(text: str) -> str:
    """Return `text` with every run of blanks as one, and without characters that are unsafe."""
    return " ".join("".join(c for c in text if c.isspace() or _is_safe(c)).split())


def _is_safe(character: str) -> bool:
    return unicodedata.category(character) not in _UNSAFE and character not in _UNWANTED


def in_ascii(text: str, otherwise: str) -> str:
    """Return `text` in printable ASCII: accents go, other letters become `?`.

    Args:
        otherwise: Given if no letter or digit is left.
    """
    parts = unicodedata.normalize("NFKD", on_one_line(text))
    kept = "".join(c for c in parts if not unicodedata.combining(c))
    plain = "".join(c if " " <= c <= "~" else "?" for c in kept)
    return plain if any(c.isalnum() for c in plain) else otherwise
