"""Checks a record against a schema file, before it is written and after it is read.

The schemas are JSON Schema in YAML; of its words these are known: type, enum, const,
pattern, minimum, required, properties, additionalProperties (true, false or a schema),
items, and $ref into `definitions`. An unknown word is an error, so that no rule is
silently ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list, tuple),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_CHECKED: Final = {"type", "enum", "const", "pattern", "minimum", "required", "items", "$ref"}
_WORDS: Final = _CHECKED | {"properties", "additionalProperties", "definitions", "description"}


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Return a schema file of this package; `name` is its path below the package's folder."""
    import yaml  # takes longer than all that a reader of the registry does without it

    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    schema: dict[str, Any] = yaml.safe_load(text)
    return schema


def violations(value: Any, schema: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with `value`, each as `path: reason`; empty when it conforms."""
    return [f"{path or 'record'}: {reason}" for path, reason in _check(value, schema, schema, "")]


Found = Iterator[tuple[str, str]]


def _check(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], path: str) -> Found:
    unknown = sorted(set(schema) - _WORDS)
    if unknown:
        raise ValueError(f"schema words {unknown} are not known")
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix("#/definitions/")
        yield from _check(value, root["definitions"][name], root, path)
        return
    if "type" in schema and not _has_type(value, schema["type"]):
        yield path, f"{value!r} is not of type {schema['type']}"
        return
    yield from _check_value(value, schema, path)
    if isinstance(value, Mapping):
        yield from _check_object(value, schema, root, path)
    if isinstance(value, list | tuple) and "items" in schema:
        for i, item in enumerate(value):
            yield from _check(item, schema["items"], root, f"{path}[{i}]")


def _check_value(value: Any, schema: Mapping[str, Any], path: str) -> Found:
    if "const" in schema and value != schema["const"]:
        yield path, f"{value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield path, f"{value!r} is none of {schema['enum']}"
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        yield path, f"{value!r} does not match {schema['pattern']}"
    if "minimum" in schema and isinstance(value, int | float) and value < schema["minimum"]:
        yield path, f"{value!r} is below {schema['minimum']}"


def _check_object(
    value: Mapping[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any], path: str
) -> Found:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield path, f"{name} is missing"
    others = schema.get("additionalProperties", True)
    for name, item in value.items():
        where = f"{path}.{name}" if path else str(name)
        if name in known:
            yield from _check(item, known[name], root, where)
        elif others is False:
            yield where, "is unknown"
        elif isinstance(others, Mapping):
            yield from _check(item, others, root, where)


def _has_type(value: Any, wanted: str | list[str]) -> bool:
    names = [wanted] if isinstance(wanted, str) else wanted
    # bool is an int in Python, not in JSON.
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, _TYPES[name]) for name in names)
