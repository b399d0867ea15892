"""Publishes and finds artifacts: bytes first, their manifest entry last, under the run's lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from screenalytics_core import layout
from screenalytics_core.artifact_ref import ArtifactRef, artifact_file_key
from screenalytics_core.artifact_search import (
    KnownRuns,
    find_run,
    legacy_ref,
    newest_first,
)
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.attempts import AttemptStore
from screenalytics_core.inheritance import (
    check_not_mixed,
    check_same_origin,
    check_same_version,
    is_made_with,
    is_of_same_origin,
    need_entry,
    other_settings,
    settings_differences,
)
from screenalytics_core.manifest import (
    EntryFacts,
    Manifest,
    ManifestEntry,
    Source,
    read_manifest,
    write_manifest,
)
from screenalytics_core.prepared import PreparedArtifact, stage_artifact
from screenalytics_core.runs import RunRecord, RunStore
from screenalytics_core.steps.base import ArtifactData
from screenalytics_core.storage.base import Storage

__all__ = [
    "ArtifactRef",
    "ArtifactStore",
    "EntryFacts",
    "PreparedArtifact",
]


@dataclass(frozen=True, slots=True)
class _Taking:
    source: Source
    attempt_n: int
    because: str | None


class ArtifactStore:
    """The artifacts of all runs under one data root."""

    def __init__(
        self, storage: Storage, runs: RunStore, attempts: AttemptStore | None = None
    ) -> None:
        self._storage = storage
        self._runs = runs
        self._attempts = attempts or AttemptStore(storage)

    @property
    def runs(self) -> RunStore:
        """The runs whose artifacts these are."""
        return self._runs

    def prepare(
        self, ep_id: str, run_id: str, kind: ArtifactKind, data: ArtifactData
    ) -> PreparedArtifact:
        """Check an artifact's values and write them beside the run's files, not yet visible.

        Raises:
            SchemaMismatchError: A part is missing or unknown, or does not fit its spec;
                nothing is left behind.
            DiskSpaceError: The disk is full.
        """
        return stage_artifact(self._storage, ep_id, run_id, kind, data)

    def discard(self, prepared: PreparedArtifact) -> None:
        """Drop what `prepare` wrote."""
        for staged in prepared.staged:
            self._storage.discard(staged)

    def publish(
        self, prepared: PreparedArtifact, attempt_n: int, facts: EntryFacts
    ) -> ManifestEntry:
        """Make a prepared artifact part of its run.

        Raises:
            AttemptSupersededError: A newer attempt owns the run; nothing was published.
        """
        ep_id, run_id = prepared.ep_id, prepared.run_id
        entry = ManifestEntry.computed(prepared.kind, prepared.files, facts, attempt_n)
        try:
            with self._storage.lock(layout.run_lock_key(ep_id, run_id)):
                self._attempts.check_newest(ep_id, run_id, attempt_n)
                manifest = self._withdraw(self.manifest(ep_id, run_id), entry)
                for staged in prepared.staged:
                    self._storage.commit(staged)
                write_manifest(self._storage, manifest.with_entry(entry))
        finally:
            self.discard(prepared)
        return entry

    def _withdraw(self, manifest: Manifest, entry: ManifestEntry) -> Manifest:
        """Take the entry that other bytes will replace, and all made from it, out.

        A crash between the first renamed file and the new entry then leaves an artifact
        that is missing, which is computed again, and not one that looks corrupt; and old
        faces never stand beside new tracks.
        """
        outdated = manifest.outdated_by(entry)
        if not outdated:
            return manifest
        withdrawn = manifest.without(*outdated)
        write_manifest(self._storage, withdrawn)
        return withdrawn

    def manifest(self, ep_id: str, run_id: str) -> Manifest:
        """Return what a run holds; empty when nothing was published."""
        return read_manifest(self._storage, ep_id, run_id)

    def ref(self, ep_id: str, run_id: str, kind: ArtifactKind) -> ArtifactRef | None:
        """Return a run's artifact, or None if the run does not hold it."""
        return self.ref_of(self.manifest(ep_id, run_id), kind)

    def ref_of(self, manifest: Manifest, kind: ArtifactKind) -> ArtifactRef | None:
        """Return an artifact of a run whose manifest was read, or None if it is not there."""
        entry = manifest.entries.get(kind)
        run = (self._storage, manifest.ep_id, manifest.run_id)
        return None if entry is None else ArtifactRef(*run, kind, entry)

    def legacy_ref(self, ep_id: str, kind: ArtifactKind) -> ArtifactRef | None:
        """Return a manifest of the seeds, or None; its hash is taken now, from the file."""
        return legacy_ref(self._storage, ep_id, kind)

    def location(self, ep_id: str, run_id: str, kind: ArtifactKind, part: str | None = None) -> str:
        """Say where a file of a run's artifact lies or would lie; by default the first."""
        return self._storage.location(artifact_file_key(ep_id, run_id, kind, part))

    def url(self, ep_id: str, run_id: str, kind: ArtifactKind) -> str:
        """Return an address that a browser opens the first file of a run's artifact at."""
        return self._storage.url(artifact_file_key(ep_id, run_id, kind, None))

    def find_reusable(
        self,
        ep_id: str,
        kinds: Sequence[ArtifactKind],
        fingerprint: str,
        prefer_run_id: str | None = None,
        known: KnownRuns | None = None,
    ) -> str | None:
        """Return a run whose `kinds` all have this fingerprint and intact files, or None.

        Args:
            prefer_run_id: Looked at first; then the newest run first.
            known: The episode's runs, of whoever asks for many artifacts.
        """

        def fits(manifest: Manifest) -> bool:
            return all(manifest.entries[kind].fingerprint == fingerprint for kind in kinds)

        listed = known.run_ids() if known else self._runs.list_run_ids(ep_id)
        run_ids = newest_first(listed, prefer_run_id)
        return find_run(self._storage, run_ids, ep_id, kinds, fits, known)

    def find_existing(
        self,
        asking: RunRecord,
        kinds: Sequence[ArtifactKind],
        inputs: Mapping[ArtifactKind, str] | None = None,
        equal_settings: Mapping[str, Any] | None = None,
    ) -> str | None:
        """Return another run that has `kinds` with whatever settings: the active, else newest.

        Only settings may differ: a result of another video or of other models, by itself or
        by anything upstream of it, is passed over.

        Args:
            asking: The run that would take them.
            inputs: made_sha256 of the asking run's inputs; a result that was made from
                other versions of them is passed over, since it would mix track ids.
            equal_settings: Settings that may not differ where a result depends on them.
        """

        def fits(manifest: Manifest) -> bool:
            entries = [manifest.entries[kind] for kind in kinds]
            return is_made_with(entries, inputs or {}, equal_settings or {}) and is_of_same_origin(
                asking, manifest, kinds
            )

        ep_id = asking.ep_id
        listed = newest_first(self._runs.list_run_ids(ep_id), self._runs.active_run_id(ep_id))
        others = (run_id for run_id in listed if run_id != asking.run_id)
        return find_run(self._storage, others, ep_id, kinds, fits)

    def adopt(
        self,
        ep_id: str,
        run_id: str,
        attempt_n: int,
        from_run_id: str,
        kinds: Sequence[ArtifactKind],
        source: Source = "checkpoint",
        because: str | None = None,
        *,
        is_verified: bool = False,
    ) -> list[ManifestEntry]:
        """Take artifacts of another run over, sharing their files where the storage can.

        A `checkpoint` replaces what the run held, as a computed result would; an
        `inherited` input must be what the run holds already, if it holds any.

        Args:
            because: Why they are taken although their settings differ.
            is_verified: `find_reusable` or `find_existing` has just read every byte.

        Raises:
            ArtifactNotFoundError: The other run does not hold one of them.
            ArtifactCorruptError: A file there has other bytes than were published.
            InputConflictError: Versions would be mixed; nothing was taken.
            AttemptSupersededError: A newer attempt owns the run.
        """
        theirs = self.manifest(ep_id, from_run_id)
        is_input = source == "inherited"  # `inherit_upstream` said whether redacted ones will do
        entries = {k: need_entry(theirs, k, allow_redacted=is_input) for k in kinds}
        if from_run_id == run_id:
            return list(entries.values())
        for kind, entry in entries.items() if not is_verified else ():
            ArtifactRef(self._storage, ep_id, from_run_id, kind, entry).verify()
        with self._storage.lock(layout.run_lock_key(ep_id, run_id)):
            self._attempts.check_newest(ep_id, run_id, attempt_n)
            mine = self.manifest(ep_id, run_id)
            check_not_mixed(mine, entries)
            if is_input:
                for entry in entries.values():
                    check_same_version(mine, entry, from_run_id)
            take = _Taking(source, attempt_n, because)
            return self._take(mine, entries.values(), from_run_id, take)

    def _take(
        self, mine: Manifest, theirs: Iterable[ManifestEntry], from_run_id: str, take: _Taking
    ) -> list[ManifestEntry]:
        """Link files and record entries; under the run's lock, all checks done."""
        taken = []
        for entry in theirs:
            held = mine.entries.get(entry.kind)
            if held is not None and take.source == "inherited":
                taken.append(held)  # the same bytes, and what this run says of them stays
                continue
            mine = self._withdraw(mine, entry)
            for file in entry.files:
                self._storage.link_or_copy(
                    layout.artifact_key(mine.ep_id, from_run_id, file.path),
                    layout.artifact_key(mine.ep_id, mine.run_id, file.path),
                )
            taken.append(entry.taken(take.source, from_run_id, take.attempt_n, take.because))
            mine = mine.with_entry(taken[-1])
        write_manifest(self._storage, mine)
        return taken

    def inherit_upstream(
        self,
        ep_id: str,
        run_id: str,
        attempt_n: int,
        from_run_id: str,
        kinds: ArtifactKind | Sequence[ArtifactKind],
        *,
        allow_other_settings: bool = False,
        allow_redacted: bool = False,
    ) -> list[ManifestEntry]:
        """Take inputs from another run, with everything upstream of them in its manifest.

        Args:
            allow_other_settings: Somebody asked for that run, or for reuse.
            allow_redacted: Somebody asked for that run; its entries stay marked here.

        Raises:
            InputConflictError: Versions, videos or models would be mixed, or settings which
                those steps read differ and nobody asked for it.
            ArtifactNotFoundError, ArtifactCorruptError, AttemptSupersededError: As `adopt`.
        """
        wanted = (kinds,) if isinstance(kinds, ArtifactKind) else tuple(kinds)
        theirs = self.manifest(ep_id, from_run_id)
        closure = theirs.upstream(wanted)
        entries = [need_entry(theirs, k, allow_redacted=allow_redacted) for k in closure]
        record = self._runs.require(ep_id, run_id)
        check_same_origin(record, entries)
        differences = settings_differences(record, entries)
        if differences and not allow_other_settings:
            raise other_settings(record, differences)
        because = f"made with other settings: {'; '.join(differences)}" if differences else None
        return self.adopt(ep_id, run_id, attempt_n, from_run_id, closure, "inherited", because)
