"""Who asks, as records name them."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Header

from screenalytics_core.errors import SettingsError

_NOBODY: Final = "api"
_LONGEST: Final = 100


def _caller(
    said: Annotated[
        str | None,
        Header(alias="X-Screenalytics-By", description="Who decides, as records name them."),
    ] = None,
) -> str:
    """Return who a request says that it comes from.

    Raises:
        SettingsError: It cannot be written down.
    """
    if said is None:
        return _NOBODY
    # Headers are Latin-1 on the wire; what clients send in them is UTF-8.
    text = said.encode("latin-1", errors="replace").decode(errors="replace").strip()
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise SettingsError(
            thing="header X-Screenalytics-By",
            reason=f"must be 1 to {_LONGEST} printable characters",
            way_out="Say a name, such as anna@desk, or leave it out.",
        )
    return text


CallerDep = Annotated[str, Depends(_caller)]
"""Who decides: what the header says, else `api`."""
