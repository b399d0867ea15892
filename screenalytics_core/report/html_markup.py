"""HTML and SVG by hand: every text and every attribute passes an escape in here."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from screenalytics_core.report import text
from screenalytics_core.report.direction import OVERRIDES

# XML and HTML know no such characters, escaped or not; an override of the direction would
# rewrite what stands beside it.
_FORBIDDEN: Final = re.compile(
    rf"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{OVERRIDES}\ud800-\udfff\ufffe\uffff]"
)


def escaped(value: Any) -> str:
    """Return `value` as text that can stand anywhere in a page, in an attribute too."""
    return html.escape(_FORBIDDEN.sub("�", str(value)), quote=True)


def public(value: Any) -> str:
    """Return `value` escaped, and without the folders of the machine that it came from."""
    return escaped(re.sub(r"\S+", lambda word: text.without_folders(word[0]), str(value)))


def tag(name: str, *content: str, **attributes: Any) -> str:
    """Return an element; `content` is markup, attributes are escaped.

    `_` in an attribute's name stands for `-`, a trailing one is dropped (`class_`); an
    attribute that is None is left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{''.join(content)}</{name}>"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], **attributes: Any) -> str:
    """Return a table; cells are markup. A head that starts with `>` aligns its column right."""
    classes = ["num" if head.startswith(">") else None for head in heads]
    head = tag(
        "tr",
        *(
            tag("th", escaped(h.lstrip(">")), class_=c, scope="col")
            for h, c in zip(heads, classes, strict=True)
        ),
    )
    body = "\n".join(
        tag("tr", *(tag("td", cell, class_=c) for cell, c in zip(row, classes, strict=True)))
        for row in rows
    )
    whole = tag("table", tag("thead", head), "\n", tag("tbody", body), **attributes)
    return tag("div", whole, class_="wide")
