"""Reads a page as a browser would: its elements, attributes and visible text."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "input"}
UNSEEN = {"style", "script"}
Attributes = dict[str, str | None]


class Page(HTMLParser):
    """A page whose elements are closed in the order that they were opened, or an assertion."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, Attributes]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), f"an attribute of <{tag}> stands twice"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in UNSEEN:
            self.words.append(data)

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]

    @property
    def attributes(self) -> list[tuple[str, str | None]]:
        return [pair for _, attributes in self.elements for pair in attributes.items()]

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def all(self, tag: str, class_: str = "") -> list[Attributes]:
        """Return the attributes of every such element."""
        return [
            attributes
            for name, attributes in self.elements
            if name == tag and (not class_ or class_ in (attributes.get("class") or "").split())
        ]
