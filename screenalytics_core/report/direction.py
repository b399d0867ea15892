"""Which way a name runs: what is drawn goes from left to right, whatever its script.

reportlab and Pillow's basic layout set letters in the order in which they are stored. A
browser orders and joins them by itself, so nothing of this is for the HTML.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from bidi import get_display
from bidi.mirror import MIRRORED

if TYPE_CHECKING:
    from arabic_reshaper import ArabicReshaper

OVERRIDES: Final = r"\u202a-\u202e\u2066-\u2069"
"""Embeddings, overrides and isolates, as a part of a regular expression's set."""
_CONTROLS: Final = re.compile(rf"[{OVERRIDES}\u200e\u200f\u061c]")
# Hebrew to Arabic Extended-A, and the forms that letters take beside each other.
_RIGHT_TO_LEFT: Final = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe]")

# Of the class of accents: it goes where the bracket before it goes, and behind that one in
# reading order. Which side it ends up on tells which way the bracket runs.
_BEHIND: Final = "\N{VARIATION SELECTOR-1}"
_BRACKET: Final = re.compile(f"[{re.escape(''.join(sorted(MIRRORED)))}]")
_MARKED: Final = re.compile(f"({_BRACKET.pattern}){_BEHIND}|{_BEHIND}({_BRACKET.pattern})")


def one_line(text: str) -> str:
    """Return `text` on one line, without what would turn the letters beside it around."""
    return " ".join(_CONTROLS.sub("", text).split())


def visual(text: str) -> str:
    """Return a line as it is drawn: Arabic letters joined, all of it from left to right.

    The direction of the whole is that of its first letter (rules P2 and P3 of Unicode's
    annex 9). Measure and cut before: the end of what this returns may be the beginning, and
    joined letters are narrower. Applied twice it undoes itself.
    """
    if _RIGHT_TO_LEFT.search(text) is None:
        return text
    joined = _reshaper().reshape(text.replace(_BEHIND, ""))
    # `get_display` leaves rule L4 to the reader: a bracket that runs to the left opens there.
    ordered = get_display(_BRACKET.sub(rf"\g<0>{_BEHIND}", joined))
    return _MARKED.sub(lambda found: found[1] or MIRRORED[found[2]], str(ordered))


@cache
def _reshaper() -> ArabicReshaper:
    # It brings font tools along, which take long to import.
    from arabic_reshaper import ArabicReshaper
    from arabic_reshaper.reshaper_config import default_config

    # Every value is given, since the rest would come from a file that the environment names.
    # The one word that it joins into one letter is not in the font.
    return ArabicReshaper(configuration={**default_config, "ARABIC LIGATURE ALLAH": False})
