"""What the server tells of objects, as stamps."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from screenalytics_core.s3_layout import is_log
from screenalytics_core.storage.base import Stamp
from screenalytics_core.storage.s3_bucket import Item

_SECOND_NS: Final = 1_000_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def stamp_of(item: Item) -> Stamp:
    """Return an object's stamp; a listing may tell its time more finely than its head does."""
    start_ns = int((item.modified - _EPOCH).total_seconds()) * _SECOND_NS
    return Stamp(item.size_bytes, start_ns, start_ns + _SECOND_NS - 1, item.etag.strip('"'))


def folder_stamps(
    folder: str, names: tuple[str, ...], found: Iterable[tuple[str, Item]]
) -> dict[str, tuple[Stamp | None, ...]]:
    """Return the stamps of the files `names` in each folder right under `folder`.

    Args:
        found: Everything under `folder`, by key; of two of one key the first counts.
    """
    stamps: dict[str, dict[str, Stamp]] = {}
    for key, item in found:
        name, slash, rest = key[len(folder) + 1 :].partition("/")
        if slash:
            of_folder = stamps.setdefault(name, {})
            if rest in names:
                of_folder.setdefault(rest, stamp_of(item))
    return {name: tuple(stamps[name].get(wanted) for wanted in names) for name in sorted(stamps)}


def stamps_of(found: Iterable[tuple[str, Item]]) -> dict[str, Stamp]:
    """Return the stamps of objects that are files by themselves, sorted by key.

    Args:
        found: By key; of two of one key the first counts.
    """
    stamps: dict[str, Stamp] = {}
    for key, item in found:
        if not is_log(key):  # it is made of parts, which have stamps of their own
            stamps.setdefault(key, stamp_of(item))
    return dict(sorted(stamps.items()))
