"""Is a run still what it was when it was published? Every byte is read again, none is kept.

A damaged file is one result among others: it stops neither the run's other files nor other
runs. Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from screenalytics_core import layout
from screenalytics_core.artifact_store import ArtifactStore
from screenalytics_core.attempts import AttemptStore
from screenalytics_core.config import LAUNCH_FIELDS, settings_hash
from screenalytics_core.errors import KeyMissingError, ScreenalyticsError, StorageError
from screenalytics_core.manifest import Manifest, ManifestEntry
from screenalytics_core.run_record import RunKey, RunRecord
from screenalytics_core.run_tools.file_content import Content, read_content
from screenalytics_core.run_tools.log_check import LogCheck, check_log, check_status
from screenalytics_core.run_tools.removal_record import removal_key
from screenalytics_core.run_tools.strays import stray_files
from screenalytics_core.run_tools.video_check import VideoCheck
from screenalytics_core.runs import RunStore
from screenalytics_core.steps.base import FileFacts
from screenalytics_core.storage.base import Storage


class FileStatus(StrEnum):
    """What became of a file."""

    OK = "ok"
    MISSING = "missing"
    CHANGED = "changed"
    """Readable, but not the bytes that were published."""
    DAMAGED = "damaged"
    """Not what its format says, or in contradiction to the rest of the run."""
    REDACTED = "redacted"
    """Somebody was taken out of it on purpose; it is what that left."""

    @property
    def is_fine(self) -> bool:
        """Whether nobody has to do anything."""
        return self in {FileStatus.OK, FileStatus.REDACTED}


@dataclass(frozen=True, slots=True)
class FileResult:
    """One file of a run; `path` is relative to the run's folder, or a key outside it."""

    path: str
    status: FileStatus
    detail: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        return asdict(self)


class RunVerifier:
    """Verifies runs of one data root; the video of an episode is read once."""

    def __init__(
        self,
        storage: Storage,
        runs: RunStore,
        attempts: AttemptStore,
        artifacts: ArtifactStore,
        on_bytes: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._storage = storage
        self._runs = runs
        self._attempts = attempts
        self._artifacts = artifacts
        self._on_bytes = on_bytes
        self._videos = VideoCheck(storage, on_bytes)

    def verify(self, key: RunKey) -> Iterator[FileResult]:
        """Yield a result for every file of a run, as soon as it was read."""
        if self._storage.exists(removal_key(*key)):
            detail = "half removed; `screenalytics runs gc --yes` finishes it"
            yield FileResult("removal.json", FileStatus.DAMAGED, detail)
            return
        log = check_log(self._storage, key)
        record, record_result = self._record(key)
        manifest, manifest_result = self._manifest(key, is_expected=log.publishes)
        yield from (result for result in (record_result, manifest_result) if result)
        for entry in manifest.entries.values():
            for file in entry.files:
                yield self._artifact(key, entry, file)
        yield from self._attempt_files(key)
        yield from self._log(key, log)
        for path in stray_files(self._storage, self._attempts, key):
            yield FileResult(path, FileStatus.DAMAGED, "a temporary file that nobody writes")
        if record is not None:
            yield from self._video(record)

    def _record(self, key: RunKey) -> tuple[RunRecord | None, FileResult | None]:
        path = "run.json"
        try:
            record = self._runs.get(*key)
        except ScreenalyticsError as error:
            return None, FileResult(path, FileStatus.DAMAGED, str(error))
        if record is None:
            # A run that was launched from the UI is bound at its first claim only.
            is_bound = self._storage.exists(layout.manifest_key(*key)) or self._storage.list(
                layout.attempts_prefix(*key)
            )
            detail = "nothing says what the run was made with"
            return None, FileResult(path, FileStatus.MISSING, detail) if is_bound else None
        bound = {k: v for k, v in record.settings.items() if k not in LAUNCH_FIELDS}
        if settings_hash(bound) != record.settings_hash:
            detail = "its settings are not those that its settings_hash is of"
            return record, FileResult(path, FileStatus.CHANGED, detail)
        return record, FileResult(path, FileStatus.OK)

    def _manifest(self, key: RunKey, *, is_expected: bool) -> tuple[Manifest, FileResult | None]:
        path = "manifest.json"
        try:
            manifest = self._artifacts.manifest(*key)
        except ScreenalyticsError as error:
            return Manifest(*key), FileResult(path, FileStatus.DAMAGED, str(error))
        if not self._storage.exists(layout.manifest_key(*key)):
            detail = "the log says that artifacts were published"
            missing = FileResult(path, FileStatus.MISSING, detail)
            return manifest, missing if is_expected else None
        stale = ", ".join(manifest.stale())
        if stale:
            detail = f"{stale}: made from another version of an input than the run holds"
            return manifest, FileResult(path, FileStatus.DAMAGED, detail)
        return manifest, FileResult(path, FileStatus.OK)

    def _artifact(self, key: RunKey, entry: ManifestEntry, file: FileFacts) -> FileResult:
        try:
            content = read_content(
                self._storage, layout.artifact_key(*key, file.path), self._on_bytes
            )
        except KeyMissingError:
            return FileResult(file.path, FileStatus.MISSING, f"{entry.kind} lists it")
        except StorageError as error:
            return FileResult(file.path, FileStatus.DAMAGED, str(error))
        result = _compared(file, content)
        if entry.redacted and result.status is FileStatus.OK:
            return FileResult(file.path, FileStatus.REDACTED, entry.note or "")
        return result

    def _attempt_files(self, key: RunKey) -> Iterator[FileResult]:
        for name in self._storage.list(layout.attempts_prefix(*key)):
            path = name.removeprefix(layout.run_prefix(*key) + "/")
            number = path.removeprefix("attempts/").removesuffix(".json")
            if not number.isdigit():
                continue  # a heartbeat, which anything may interrupt
            try:
                self._attempts.get(*key, int(number))
            except ScreenalyticsError as error:
                yield FileResult(path, FileStatus.DAMAGED, str(error))
            else:
                yield FileResult(path, FileStatus.OK)

    def _log(self, key: RunKey, log: LogCheck) -> Iterator[FileResult]:
        if log.exists:
            status = FileStatus.DAMAGED if log.problem else FileStatus.OK
            yield FileResult("events.jsonl", status, log.problem)
        is_there, problem = check_status(self._storage, key, log.lines)
        if is_there:
            status = FileStatus.DAMAGED if problem else FileStatus.OK
            yield FileResult("episode_status.json", status, problem)
        elif log.lines:
            detail = "`screenalytics runs sync` writes it anew"
            yield FileResult("episode_status.json", FileStatus.MISSING, detail)

    def _video(self, record: RunRecord) -> Iterator[FileResult]:
        problem = self._videos.problem_of(record)
        if problem is None:
            return
        status = FileStatus.CHANGED if problem else FileStatus.OK
        yield FileResult(layout.video_key(record.ep_id), status, problem)


def _compared(file: FileFacts, content: Content) -> FileResult:
    if content.sha256 != file.sha256:
        detail = f"sha256 is {content.sha256}, the manifest says {file.sha256}"
        return FileResult(file.path, FileStatus.CHANGED, detail)
    if content.size_bytes != file.size_bytes:
        detail = f"{content.size_bytes} bytes, the manifest says {file.size_bytes}"
        return FileResult(file.path, FileStatus.DAMAGED, detail)
    if content.rows is not None and file.rows is not None and content.rows != file.rows:
        detail = f"{content.rows} rows, the manifest says {file.rows}"
        return FileResult(file.path, FileStatus.DAMAGED, detail)
    return FileResult(file.path, FileStatus.OK)
