"""The faces of a page: each stands in it once, small, and is shown wherever it is named."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping

from screenalytics_core.report.html_markup import escaped, tag
from screenalytics_core.report.thumbnails import SIDE_PX, thumbnail


class Pictures:
    """Numbered pictures; a name that has none, or a broken one, gets an empty frame."""

    def __init__(self, jpegs: Mapping[str, bytes], names: Iterable[str]) -> None:
        """Take those of `jpegs` that are named, numbered in the order of `names`."""
        self._small: dict[str, bytes] = {}
        for name in names:
            small = thumbnail(jpegs.get(name))
            if small is not None:
                self._small.setdefault(name, small)
        self._number_of = {name: number for number, name in enumerate(self._small, 1)}

    def __contains__(self, name: object) -> bool:
        return name in self._small

    def id_of(self, name: str | None) -> str | None:
        """Return the id of a picture's `<symbol>`, None if there is no such picture."""
        number = self._number_of.get(name) if name is not None else None
        return None if number is None else f"p{number}"

    def face(self, name: str | None, label: str | None = None) -> str:
        """Return a picture as markup; without a `label` it only repeats a name beside it."""
        picture = self.id_of(name)
        if picture is None:
            return tag("span", class_="face", aria_hidden="true")
        use = tag("use", href=f"#{picture}")
        if label is None:
            return tag("svg", use, class_="face", aria_hidden="true")
        return tag("svg", tag("title", escaped(label)), use, class_="face", role="img")

    def symbols(self) -> str:
        """Return the definitions, to stand in one `<defs>`."""
        return "\n".join(
            tag(
                "symbol",
                tag(
                    "image",
                    href=f"data:image/jpeg;base64,{b64encode(jpeg).decode()}",
                    width=SIDE_PX,
                    height=SIDE_PX,
                ),
                id=self.id_of(name),
                viewBox=f"0 0 {SIDE_PX} {SIDE_PX}",
            )
            for name, jpeg in self._small.items()
        )
