"""What the page of the API shows: its own document, for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_METHODS = ("get", "post", "put", "delete")


@dataclass(frozen=True, slots=True)
class Operation:
    """A route.

    Attributes:
        parameters: Name, where it stands, and what it means.
        body: Name and description of each field of its body.
        statuses: Status and what it says.
    """

    method: str
    path: str
    summary: str
    parameters: tuple[tuple[str, str, str], ...]
    body: tuple[tuple[str, str], ...]
    statuses: tuple[tuple[str, str], ...]

    @property
    def anchor(self) -> str:
        """Name of its place in the page."""
        return f"{self.method}{self.path}".replace("/", "-").replace("{", "").replace("}", "")


def operations_by_tag(document: Mapping[str, Any]) -> dict[str, tuple[Operation, ...]]:
    """Return the operations of an OpenAPI document under their first tag, in its order."""
    found: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                operation = methods[method]
                tag = (operation.get("tags") or ["other"])[0]
                found.setdefault(tag, []).append(_operation(document, method, path, operation))
    return {tag: tuple(operations) for tag, operations in found.items()}


def _operation(
    document: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]
) -> Operation:
    return Operation(
        method=method.upper(),
        path=path,
        summary=operation.get("description") or operation.get("summary", ""),
        parameters=tuple(
            (p["name"], p["in"], p.get("description", "")) for p in operation.get("parameters", ())
        ),
        body=_fields(document, operation.get("requestBody", {})),
        statuses=tuple((s, r["description"]) for s, r in operation["responses"].items()),
    )


def _fields(document: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    content = body.get("content", {}).get("application/json", {})
    reference = content.get("schema", {}).get("$ref", "")
    schema = document.get("components", {}).get("schemas", {}).get(reference.rpartition("/")[2], {})
    required = set(schema.get("required", ()))
    return tuple(
        (name, f"{'required. ' if name in required else ''}{field.get('description', '')}")
        for name, field in schema.get("properties", {}).items()
    )
