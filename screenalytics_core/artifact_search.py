"""Looks for artifacts in the runs of an episode: to reuse them, or to tell if they exist."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from screenalytics_core import layout
from screenalytics_core.artifact_ref import ArtifactRef
from screenalytics_core.artifacts import ARTIFACTS, ArtifactKind
from screenalytics_core.errors import ArtifactCorruptError, ArtifactNotFoundError
from screenalytics_core.file_hashes import sha256_of
from screenalytics_core.manifest import EntryFacts, Manifest, ManifestEntry, read_manifest
from screenalytics_core.runs import RunStore
from screenalytics_core.stages import SEED_STAGE_ARTIFACTS, STAGE_ARTIFACTS, parse_stage
from screenalytics_core.steps.base import FileFacts
from screenalytics_core.storage.base import Storage
from screenalytics_core.storage.local import LocalStorage

_LOG: Final = logging.getLogger(__name__)


class KnownRuns:
    """The runs of an episode beside one, as they were when they were first asked for.

    A run asks for each of its outputs. Bytes are verified before they are taken over, so an old
    look does no harm; a run that was reserved since has nothing to give yet.
    """

    def __init__(self, storage: Storage, runs: RunStore, ep_id: str, own_run_id: str) -> None:
        self._storage = storage
        self._runs = runs
        self._ep_id = ep_id
        self._own_run_id = own_run_id
        self._run_ids: tuple[str, ...] | None = None
        self._manifests: dict[str, Manifest] = {}

    def run_ids(self) -> tuple[str, ...]:
        """Return all of them, the own one too, in the order they were reserved."""
        if self._run_ids is None:
            self._run_ids = self._runs.list_run_ids(self._ep_id)
        return self._run_ids

    def manifest(self, run_id: str) -> Manifest:
        """Return what a run holds, the own one as of now."""
        if run_id == self._own_run_id:
            return read_manifest(self._storage, self._ep_id, run_id)
        if run_id not in self._manifests:
            self._manifests[run_id] = read_manifest(self._storage, self._ep_id, run_id)
        return self._manifests[run_id]


def find_run(
    storage: Storage,
    run_ids: Iterable[str],
    ep_id: str,
    kinds: Iterable[ArtifactKind],
    fits: Callable[[Manifest], bool],
    known: KnownRuns | None = None,
) -> str | None:
    """Return the first run that holds all `kinds`, that `fits`, and whose bytes are intact."""
    wanted = tuple(kinds)
    for run_id in run_ids:
        try:
            manifest = known.manifest(run_id) if known else read_manifest(storage, ep_id, run_id)
        except ArtifactCorruptError as error:
            _LOG.warning("not reused: %s", error)
            continue
        holds_all = all(kind in manifest.entries for kind in wanted)
        if holds_all and fits(manifest) and is_intact(storage, manifest, wanted):
            return run_id
    return None


def newest_first(run_ids: Sequence[str], first: str | None) -> Iterator[str]:
    """Yield `first`, if there is such a run, then the others from the newest to the oldest."""
    if first is not None and first in run_ids:
        yield first
    yield from (run_id for run_id in reversed(run_ids) if run_id != first)


def is_intact(storage: Storage, manifest: Manifest, kinds: Iterable[ArtifactKind]) -> bool:
    """Tell whether the files of `kinds` are there and have their hashes."""
    for kind in kinds:
        entry = manifest.entries[kind]
        if entry.redacted:
            return False
        try:
            ArtifactRef(storage, manifest.ep_id, manifest.run_id, kind, entry).verify()
        except (ArtifactNotFoundError, ArtifactCorruptError) as error:
            _LOG.warning("not reused: %s", error)
            return False
    return True


def legacy_ref(storage: Storage, ep_id: str, kind: ArtifactKind) -> ArtifactRef | None:
    """Return a manifest of the seeds, or None; its hash is taken now, from the file."""
    files = []
    for spec in ARTIFACTS[kind].files:
        key = layout.legacy_artifact_key(ep_id, spec.filename)
        if storage.exists(key):
            with storage.open_read(key) as content:
                sha256 = sha256_of(content)
            files.append(FileFacts(spec.filename, sha256, storage.size(key), None))
    if not files or files[0].path != ARTIFACTS[kind].primary.filename:
        return None
    facts = EntryFacts(fingerprint="legacy", step_version="legacy", note="legacy manifest")
    entry = ManifestEntry.computed(kind, tuple(files), facts, attempt=0)
    return ArtifactRef(storage, ep_id, None, kind, entry)


def check_artifacts_exist(
    ep_id: str, stage: str, run_id: str | None = None, data_root: Path = Path("data")
) -> dict[str, bool]:
    """Tell which artifacts of a stage exist (seed 001).

    Args:
        stage: A stage or one of its aliases.
        run_id: None looks in the active run, then among the legacy manifests.

    Raises:
        SettingsError: There is no such stage.
    """
    storage = LocalStorage(data_root)
    parsed = parse_stage(stage)
    kinds = SEED_STAGE_ARTIFACTS.get(parsed, STAGE_ARTIFACTS[parsed])
    looked_in = run_id or RunStore(storage).active_run_id(ep_id)
    held = read_manifest(storage, ep_id, looked_in).entries if looked_in else {}
    found = {}
    for kind in kinds:
        files = [file.filename for file in ARTIFACTS[kind].files]
        in_run = [layout.artifact_key(ep_id, looked_in, f) for f in files] if looked_in else []
        legacy = layout.legacy_artifact_key(ep_id, files[0])
        found[str(kind)] = (kind in held and all(storage.exists(key) for key in in_run)) or (
            run_id is None and storage.exists(legacy)
        )
    return found
