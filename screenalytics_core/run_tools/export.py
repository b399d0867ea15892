"""A run as one zip that can tell by itself whether it is whole.

Every file is hashed while it is packed and held against the manifest: what is damaged is
never exported. Equal content gives equal bytes (with one version of zlib).
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO, Final
from uuid import uuid4

from screenalytics_core import layout
from screenalytics_core.artifact_store import ArtifactStore
from screenalytics_core.errors import ArtifactCorruptError, KeyMissingError, RunBusyError
from screenalytics_core.manifest import Manifest
from screenalytics_core.run_record import RunKey, RunRecord
from screenalytics_core.run_tools.bundle_readme import readme
from screenalytics_core.run_tools.bundle_verify import SUMS
from screenalytics_core.runs import RunStore
from screenalytics_core.storage.base import CHUNK_BYTES, Storage
from screenalytics_core.storage.posix import remove, sync_folder, translated

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
# They hold compressed data already.
_STORED: Final = (".zip", ".pdf", ".parquet", ".mp4", ".npy")
_MAIN: Final = b"import sys\n\nfrom verify import main\n\nsys.exit(main())\n"


@dataclass(frozen=True, slots=True)
class Exported:
    """A bundle that was written."""

    ep_id: str
    run_id: str
    path: str
    sha256: str
    size_bytes: int
    files: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Packed:
    """A file to pack: from memory, or from a key whose hash is known."""

    name: str
    content: bytes | None = None
    key: str = ""
    sha256: str | None = None


def export_run(
    storage: Storage,
    runs: RunStore,
    artifacts: ArtifactStore,
    key: RunKey,
    out: Path,
    *,
    with_video: bool = False,
) -> Exported:
    """Write a run's bundle to `out`, in one step.

    Raises:
        RunNotFoundError: There is no such run.
        ArtifactCorruptError: A file is not what was published; there is no bundle.
        ArtifactNotFoundError, KeyMissingError: A file is gone; there is no bundle.
        RunBusyError: The run published something meanwhile.
        DiskSpaceError, StorageError: The bundle cannot be written.
    """
    record = runs.require(*key)
    manifest = artifacts.manifest(*key)
    packed = list(_files(storage, record, manifest, with_video=with_video))
    temp = out.with_name(f".{out.name}.{os.getpid()}-{uuid4().hex[:8]}.tmp")
    try:
        with translated(out):
            out.parent.mkdir(parents=True, exist_ok=True)
            with temp.open("xb") as file:
                _write(storage, file, packed)
                file.flush()
                os.fsync(file.fileno())
        if artifacts.manifest(*key) != manifest:
            raise _changed_meanwhile(key)
        with translated(out):
            with temp.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size_bytes = temp.stat().st_size
            temp.replace(out)
            sync_folder(out.absolute().parent)
    finally:
        remove(temp)
    return Exported(*key, str(out), sha256, size_bytes, len(packed) + 1)


def _files(
    storage: Storage, record: RunRecord, manifest: Manifest, *, with_video: bool
) -> Iterator[_Packed]:
    """Yield what is packed, in order."""
    key = RunKey(record.ep_id, record.run_id)
    yield _Packed("README.txt", readme(record, manifest, with_video=with_video).encode())
    yield _Packed("__main__.py", _MAIN)
    source = files("screenalytics_core.run_tools").joinpath("bundle_verify.py").read_bytes()
    yield _Packed("verify.py", source)
    attempts = storage.list(layout.attempts_prefix(*key))
    records = [
        layout.run_record_key(*key),
        layout.manifest_key(*key),
        layout.events_key(*key),
        layout.status_key(*key),
        *(name for name in attempts if name.endswith(".json")),
    ]
    for name in records:
        if storage.exists(name):
            # They may grow or be replaced: one reading is what is packed and hashed.
            content = storage.read_bytes(name)
            yield _Packed(name.removeprefix(layout.run_prefix(*key) + "/"), content)
    for entry in manifest.entries.values():
        for file in entry.files:
            yield _Packed(file.path, None, layout.artifact_key(*key, file.path), file.sha256)
    if with_video:
        video = layout.video_key(record.ep_id)
        yield _Packed("video/episode.mp4", None, video, str(record.video["sha256"]))


def _write(storage: Storage, file: BinaryIO, packed: list[_Packed]) -> None:
    sums: dict[str, str] = {}
    with zipfile.ZipFile(file, "w") as bundle:
        for one in packed:
            sums[one.name] = _add(storage, bundle, one)
        lines = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(sums.items()))
        _add(storage, bundle, _Packed(SUMS, lines.encode()))


def _add(storage: Storage, bundle: zipfile.ZipFile, one: _Packed) -> str:
    """Pack a file and return its hash; it must be the one that is known."""
    info = zipfile.ZipInfo(one.name, _EPOCH)
    info.create_system, info.external_attr = _UNIX, 0o644 << 16
    is_stored = one.name.endswith(_STORED)
    info.compress_type = zipfile.ZIP_STORED if is_stored else zipfile.ZIP_DEFLATED
    digest = hashlib.sha256()
    with bundle.open(info, "w", force_zip64=True) as target:
        for chunk in _chunks(storage, one):
            digest.update(chunk)
            target.write(chunk)
    found = digest.hexdigest()
    if one.sha256 is not None and found != one.sha256:
        raise ArtifactCorruptError(
            thing=storage.location(one.key),
            reason=f"sha256 is {found}, the run says {one.sha256}",
            way_out="Nothing was exported. See `screenalytics runs verify`; run the stage that "
            "makes it again, or restore the file.",
            found_sha256=found,
            expected_sha256=one.sha256,
        )
    return found


def _chunks(storage: Storage, one: _Packed) -> Iterator[bytes]:
    if one.content is not None:
        yield one.content
        return
    try:
        source = storage.open_read(one.key)
    except KeyMissingError as error:
        raise KeyMissingError(
            thing=storage.location(one.key),
            reason="belongs to the run, but is gone",
            way_out="Nothing was exported. See `screenalytics runs verify`.",
        ) from error
    with source:
        while chunk := source.read(CHUNK_BYTES):
            yield chunk


def _changed_meanwhile(key: RunKey) -> RunBusyError:
    return RunBusyError(
        thing=f"run {key.ep_id}/{key.run_id}",
        reason="published something while it was exported",
        way_out="Nothing was exported; wait until it ends.",
        ep_id=key.ep_id,
        run_id=key.run_id,
    )
