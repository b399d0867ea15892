"""Small JSON records beside the artifacts: read well-formed, or refused by their name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, TypeVar

from screenalytics_core.errors import ArtifactCorruptError, InvalidIdError, KeyMissingError
from screenalytics_core.storage.base import Storage

Record = TypeVar("Record")
# A file of brackets is JSON too, but too deep to be read.
_NOT_ONE: Final = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RecursionError,
    InvalidIdError,
)


def read_record(
    storage: Storage, key: str, build: Callable[[Any], Record], way_out: str
) -> Record | None:
    """Return what `build` makes of the JSON under `key`, or None if nothing is there.

    Raises:
        ArtifactCorruptError: It is no JSON, or not what `build` takes.
    """
    try:
        raw = storage.read_bytes(key)
    except KeyMissingError:
        return None
    try:
        return build(json.loads(raw))
    except _NOT_ONE as error:
        raise ArtifactCorruptError(
            thing=str(storage.local_path(key)),
            reason=f"is damaged ({type(error).__name__}: {error})",
            way_out=way_out,
        ) from error
