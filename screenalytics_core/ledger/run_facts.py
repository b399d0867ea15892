"""Everything that a view of one run is rendered from.

The log says what happened, the manifest what there is. Where the log is silent (it was
lost, or the artifacts came along from another run), the manifest alone speaks.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from screenalytics_core.artifact_store import ArtifactStore
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.errors import ArtifactCorruptError, ScreenalyticsError
from screenalytics_core.ledger.attempt_state import StageState
from screenalytics_core.ledger.stage_fold import combined_source, facts_of_entries
from screenalytics_core.ledger.state import RunState
from screenalytics_core.ledger.vocabulary import RunStatus, StageStatus
from screenalytics_core.manifest import Manifest, ManifestEntry
from screenalytics_core.run_record import RunRecord
from screenalytics_core.runs import RunStore
from screenalytics_core.stages import STAGE_ARTIFACTS, STAGE_PLAN, PipelineStage

MANIFEST_FILE: Final = "manifest.json"
# What a whole run leaves behind last.
_FINAL_KINDS: Final = frozenset({ArtifactKind.SCREEN_TIME, ArtifactKind.REPORT})

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KnownStage:
    """A stage as the log, else the manifest, tells it.

    Attributes:
        derived_from: Files that `state` was concluded from because no event tells it;
            empty for what is recorded.
    """

    state: StageState
    derived_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the folder of a run says.

    Attributes:
        state: The folded log; empty for a run whose log is missing.
        record: run.json; None while the run is queued, or when the file is damaged.
        manifest: What is published; empty when nothing is, or when the file is damaged.
        screen_time: The document, if the run has one.
        report_url: Where the report can be opened, if the run has one.
    """

    ep_id: str
    run_id: str
    state: RunState
    record: RunRecord | None
    manifest: Manifest
    screen_time: Mapping[str, Any] | None = None
    report_url: str | None = None

    @property
    def is_derived(self) -> bool:
        """Whether nothing but the manifest tells what happened."""
        return self.state.current is None and bool(self.manifest.entries)

    @property
    def status(self) -> RunStatus | None:
        """Where the run stands; None if nobody says.

        Without events, a run that holds its last artifacts has completed. Any other may
        have failed, been asked for less, or be running where no log is kept.
        """
        if self.is_derived and self.manifest.entries.keys() >= _FINAL_KINDS:
            return RunStatus.COMPLETED
        return self.state.status

    @property
    def stages(self) -> dict[PipelineStage, KnownStage]:
        """Every stage of the plan, in its order."""
        return {stage: self._stage(stage) for stage in STAGE_PLAN}

    def entries_of(self, stage: PipelineStage) -> tuple[ManifestEntry, ...]:
        """Return what the run holds of a stage's artifacts."""
        held = self.manifest.entries
        return tuple(held[kind] for kind in STAGE_ARTIFACTS[stage] if kind in held)

    def _stage(self, stage: PipelineStage) -> KnownStage:
        told = self.state.stages.get(stage, StageState(stage))
        entries = self.entries_of(stage)
        if not entries or told.status is not StageStatus.NOT_STARTED:
            return KnownStage(told)
        held = replace(
            told,
            attempt=entries[-1].attempt or None,
            source=combined_source({entry.source for entry in entries}),
            facts=facts_of_entries(entries),
            notes=tuple(dict.fromkeys(note for entry in entries for note in _notes(entry))),
        )
        if held.source == "inherited":
            # Only what somebody needed came along, so the stage's other kinds may be missing.
            derived_from = (MANIFEST_FILE,) if self.is_derived else ()
            return KnownStage(replace(held, status=StageStatus.SUCCESS), derived_from)
        if len(entries) == len(STAGE_ARTIFACTS[stage]):
            return KnownStage(replace(held, status=StageStatus.SUCCESS), (MANIFEST_FILE,))
        missing = set(STAGE_ARTIFACTS[stage]) - {entry.kind for entry in entries}
        note = f"unfinished, and no event says why: {', '.join(sorted(missing))} not published"
        return KnownStage(replace(held, notes=(*held.notes, note)), (MANIFEST_FILE,))


def _notes(entry: ManifestEntry) -> tuple[str, ...]:
    origin = f"from run {entry.from_run_id}" if entry.from_run_id else ""
    return tuple(note for note in (origin, *entry.notes) if note)


def load_run_facts(
    runs: RunStore, artifacts: ArtifactStore, ep_id: str, run_id: str, state: RunState
) -> RunFacts:
    """Read a run's folder; what is damaged is logged and left out, so that the rest is seen."""
    try:
        record = runs.get(ep_id, run_id)
    except ArtifactCorruptError as error:
        _LOG.warning("views of %s/%s without run.json: %s", ep_id, run_id, error)
        record = None
    try:
        manifest = artifacts.manifest(ep_id, run_id)
    except ArtifactCorruptError as error:
        _LOG.warning("views of %s/%s without its manifest: %s", ep_id, run_id, error)
        manifest = Manifest(ep_id, run_id)
    document = report_url = None
    if ArtifactKind.SCREEN_TIME in manifest.entries:
        document = _screen_time(artifacts, manifest)
    if ArtifactKind.REPORT in manifest.entries:
        report_url = artifacts.url(ep_id, run_id, ArtifactKind.REPORT)
    return RunFacts(ep_id, run_id, state, record, manifest, document, report_url)


def _screen_time(artifacts: ArtifactStore, manifest: Manifest) -> Mapping[str, Any] | None:
    try:
        ref = artifacts.ref_of(manifest, ArtifactKind.SCREEN_TIME)
        document: Mapping[str, Any] | None = ref.read() if ref else None
    except ScreenalyticsError as error:
        _LOG.warning(
            "views of %s/%s without its screen time: %s", manifest.ep_id, manifest.run_id, error
        )
        return None
    return document
