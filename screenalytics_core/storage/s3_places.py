"""Where in a bucket a file of ours may lie, and what of ours lies under a folder.

Run folders have two places: the canonical one, which is written, and the legacy one, which is
read where the first has nothing. Most buckets hold nothing legacy, so that is asked per episode.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from screenalytics_core.errors import KeyMissingError
from screenalytics_core.layout import MANIFESTS
from screenalytics_core.s3_layout import (
    is_parts_folder,
    legacy_folder,
    local_key,
    s3_keys,
    s3_prefixes,
)
from screenalytics_core.storage.clock import boot_s
from screenalytics_core.storage.s3_bucket import Bucket, Item

Found = TypeVar("Found")

# We never write there, so only somebody who copies old runs in changes that.
_LEGACY_ASKED_S: Final = 60.0
_SEASON: Final = re.compile(r"s[0-9]{2,}")
_EPISODE: Final = re.compile(r"e[0-9]{2,}")


class Places:
    """The places of our files under one prefix of a bucket."""

    def __init__(self, bucket: Bucket, prefix: str) -> None:
        self.prefix = prefix
        self._bucket = bucket
        # Legacy folders that held nothing, and when they were asked for.
        self._empty: dict[str, float] = {}

    def of(self, key: str) -> tuple[str, ...]:
        """Return the S3 keys to read `key` from, in this order; it is written to the first."""
        names = s3_keys(key, self.prefix)
        legacy = legacy_folder(key, self.prefix)
        return names[:1] if legacy is not None and self._is_empty(legacy) else names

    def legacy_of(self, key: str) -> str | None:
        """Return the second place of `key`, if something may lie there."""
        return next(iter(self.of(key)[1:]), None)

    def first(self, key: str, look: Callable[[str], Found]) -> Found:
        """Return what `look` finds in the first place that has `key`.

        Raises:
            KeyMissingError: None has it.
        """
        names = self.of(key)
        for name in names[:-1]:
            try:
                return look(name)
            except KeyMissingError:
                continue
        try:
            return look(names[-1])
        except KeyMissingError as error:
            raise KeyMissingError(
                thing=self._bucket.url(names[0]), reason="does not exist"
            ) from error

    def under(self, folder: str) -> Iterator[tuple[str, Item]]:
        """Yield every object under a local folder with the key that it is, or is a part of."""
        for prefix in self._prefixes(folder):
            for item in self._bucket.list(prefix).items:
                key = local_key(item.name, self.prefix)
                # The storage's own objects start with a dot; and prefixes of two may overlap.
                if key.startswith(f"{folder}/") and "/." not in f"/{key}":
                    yield key, item

    def folders(self, folder: str) -> set[str]:
        """Return the names of the folders right under a local folder."""
        if folder == MANIFESTS:
            start = s3_prefixes(folder, self.prefix)
            return self._names(start[0]) | self._episodes(start[1])
        parts = folder.split("/")
        if parts[0] == MANIFESTS and len(parts) == 2:
            own, *runs = s3_prefixes(folder, self.prefix)
            has_runs = any(not self._bucket.is_empty(prefix) for prefix in runs)
            return self._names(own) | ({"runs"} if has_runs else set())
        names = [self._names(prefix) for prefix in self._prefixes(folder)]
        found = set().union(*names)
        # Seasons of a show that is called as a legacy episode are none of its runs.
        is_of_runs = parts[0] == MANIFESTS and len(parts) == 3
        return {n for n in found if not (is_of_runs and _SEASON.fullmatch(n))}

    def _episodes(self, runs: str) -> set[str]:
        found = set()
        for first in self._names(runs):
            names = self._names(f"{runs}{first}/")
            seasons = {name for name in names if _SEASON.fullmatch(name)}
            for season in seasons:
                episodes = self._names(f"{runs}{first}/{season}/")
                found |= {f"{first}-{season}{e}" for e in episodes if _EPISODE.fullmatch(e)}
            if names - seasons:
                found.add(first)
        return found

    def _names(self, prefix: str) -> set[str]:
        folders = self._bucket.list(prefix, delimiter="/").folders
        names = {folder[len(prefix) : -1] for folder in folders}
        return {name for name in names if not name.startswith(".") and not is_parts_folder(name)}

    def _prefixes(self, folder: str) -> tuple[str, ...]:
        prefixes = s3_prefixes(folder, self.prefix)
        legacy = legacy_folder(f"{folder}/any", self.prefix)
        if legacy is None or not self._is_empty(legacy):
            return prefixes
        return tuple(prefix for prefix in prefixes if not prefix.startswith(legacy))

    def _is_empty(self, legacy: str) -> bool:
        asked_s = self._empty.get(legacy)
        if asked_s is not None and boot_s() - asked_s < _LEGACY_ASKED_S:
            return True
        asked_s = boot_s()
        if not self._bucket.is_empty(legacy):
            return False
        self._empty[legacy] = asked_s
        return True
