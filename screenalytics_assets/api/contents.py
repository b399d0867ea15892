"""Artifacts' files opened for readers who were not there when they were written.

What a manifest promises and what lies there are compared before the first byte goes out. A
file that did not change since is not read again for it.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from io import UnsupportedOperation
from typing import Annotated, Any, BinaryIO, Final

from fastapi import Depends, Request

from screenalytics_assets.stores import Stores
from screenalytics_core import layout
from screenalytics_core.artifacts import ARTIFACTS, ArtifactKind, FileSpec
from screenalytics_core.errors import ArtifactCorruptError, ArtifactNotFoundError, KeyMissingError
from screenalytics_core.file_hashes import sha256_of
from screenalytics_core.manifest import ManifestEntry
from screenalytics_core.run_record import RunKey
from screenalytics_core.steps.base import FileFacts

# Whoever takes somebody out of a run replaces its files first and its manifest last: what does
# not fit now fits after a moment.
_TRIES: Final = 4
_PAUSE_S: Final = 0.25
# Files of some hundred runs that people look at.
_MOST_HASHES: Final = 4096
# Tables of contents of some episodes, each some MB.
_MOST_DERIVED: Final = 8


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file of an artifact, open, with the facts that it was compared with."""

    file: BinaryIO
    spec: FileSpec
    facts: FileFacts


@dataclass(slots=True)
class _Memory:
    """The last values by key, the oldest forgotten first; for threads."""

    most: int
    _held: OrderedDict[Any, Any] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        made = make()  # perhaps twice: nobody waits for another's file
        with self._lock:
            self._held[key] = made
            while len(self._held) > self.most:
                self._held.popitem(last=False)
        return made


class Contents:
    """What was learnt of contents; holds nothing that a content does not say itself."""

    def __init__(self) -> None:
        self._hashes = _Memory(_MOST_HASHES)
        self._derived = _Memory(_MOST_DERIVED)

    def open(
        self, stores: Stores, run: RunKey, kind: ArtifactKind, part: str | None = None
    ) -> OpenFile:
        """Open a file of a run's artifact, which the caller closes.

        Raises:
            ArtifactNotFoundError: The run does not hold it.
            ArtifactCorruptError: It holds other bytes than were published.
        """
        for tried in range(1, _TRIES + 1):
            spec, facts = _facts(stores, run, kind, part)
            file = _opened(stores, run, facts)
            try:
                if self._sha256(file) == facts.sha256:
                    file.seek(0)
                    return OpenFile(file, spec, facts)
            except BaseException:
                file.close()
                raise
            file.close()
            if tried < _TRIES:
                time.sleep(_PAUSE_S)
        raise ArtifactCorruptError(
            thing=f"{facts.path} of run {run.ep_id}/{run.run_id}",
            reason="holds other bytes than its manifest says",
            way_out="Run the stage that makes it again in this run, or restore the file.",
        )

    def derived(self, name: str, sha256: str, make: Callable[[], Any]) -> Any:
        """Return what `make` gives for a content, made once for it.

        Args:
            name: Tells apart what is made from one content.
        """
        return self._derived.get((name, sha256), make)

    def _sha256(self, file: BinaryIO) -> str:
        stamp = _stamp(file)
        if stamp is None:
            return sha256_of(file)
        known: str = self._hashes.get(stamp, lambda: sha256_of(file))
        return known


def contents_of(request: Request) -> Contents:
    """Return what the application learnt of contents."""
    state = request.app.state
    if not hasattr(state, "contents"):
        state.contents = Contents()
    contents: Contents = state.contents
    return contents


ContentsDep = Annotated[Contents, Depends(contents_of)]


def entry_of(stores: Stores, run: RunKey, kind: ArtifactKind) -> ManifestEntry:
    """Return what a run's manifest says of an artifact; ArtifactNotFoundError if it has none."""
    return stores.require(run.ep_id, run.run_id, kind).entry


def _facts(
    stores: Stores, run: RunKey, kind: ArtifactKind, part: str | None
) -> tuple[FileSpec, FileFacts]:
    entry = entry_of(stores, run, kind)
    artifact = ARTIFACTS[kind]
    for spec in artifact.files if part is not None else (artifact.primary,):
        for facts in entry.files:
            if part in (None, spec.part) and facts.path == spec.filename:
                return spec, facts
    raise ArtifactNotFoundError(
        thing=f"part {part!r} of artifact {kind} of run {run.ep_id}/{run.run_id}",
        reason="does not exist",
        way_out=f"It has {', '.join(spec.part for spec in artifact.files)}.",
    )


def _opened(stores: Stores, run: RunKey, facts: FileFacts) -> BinaryIO:
    try:
        return stores.storage.open_read(layout.artifact_key(run.ep_id, run.run_id, facts.path))
    except KeyMissingError:
        raise ArtifactNotFoundError(
            thing=f"{facts.path} of run {run.ep_id}/{run.run_id}",
            reason="is listed, but the file is gone",
            way_out="Run the stage that makes it again in this run, or use another run.",
        ) from None


def _stamp(file: BinaryIO) -> tuple[int, ...] | None:
    """Return what changes with a file's content; None for what is no file of this machine."""
    try:
        found = os.fstat(file.fileno())
    except (UnsupportedOperation, AttributeError):
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
