"""The JSON files that views are: how they are encoded, read back, and kept from going back."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from screenalytics_core.errors import ArtifactCorruptError, SchemaMismatchError
from screenalytics_core.records import read_record
from screenalytics_core.storage.base import Storage

_LOG: Final = logging.getLogger(__name__)
_REBUILD: Final = "It counts as missing; `screenalytics runs sync` writes a run's views anew."


def read_view(storage: Storage, key: str) -> dict[str, Any] | None:
    """Return a view's document, or None if it is missing or damaged, which is logged."""
    try:
        return read_record(storage, key, _document, _REBUILD)
    except ArtifactCorruptError as error:
        _LOG.warning("%s", error)
        return None


def write_view(
    storage: Storage,
    key: str,
    document: Mapping[str, Any],
    is_outdated_by: Callable[[Mapping[str, Any]], bool],
    lock_key: str,
) -> bool:
    """Replace a view in one step, unless what stands there must stay.

    Args:
        is_outdated_by: Asked, under the lock, whether the document there is later.
            A missing or damaged one is always replaced.
        lock_key: Whose lock serves for this view and for those that are written with it.

    Returns:
        Whether it was written. What differs in nothing but its `sequence` is not: a marker
        would else be written anew with every event of the run.

    Raises:
        SchemaMismatchError: The document is no JSON.
        StorageError: The file cannot be written, or its lock is not to be had.
    """
    content = encode(key, document)
    # Of a sidecar: a lock on a file that is replaced would be of the old file.
    with storage.lock(lock_key):
        held = read_view(storage, key)
        if held is not None:
            is_same = without_sequence(held) == without_sequence(json.loads(content))
            if is_same or is_outdated_by(held):
                return False
        storage.write_atomic(key, content)
        return True


def encode(key: str, document: Mapping[str, Any]) -> bytes:
    """Return a view as it stands on disk: keys as given, non-ASCII kept, newline at the end.

    Raises:
        SchemaMismatchError: It holds something that JSON has no word for.
    """
    try:
        text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise SchemaMismatchError(spec_name=key, reason=f"is no JSON: {error}") from error
    # A lone surrogate (of a file's name) has no UTF-8, but as `\udc80` it is JSON.
    return (text + "\n").encode(errors="backslashreplace")


def _document(record: Any) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise TypeError("not an object")
    return record


def without_sequence(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a view says; how much of the log it was rendered from is not of it."""
    return {name: value for name, value in document.items() if name != "sequence"}
