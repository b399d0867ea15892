"""Everything that a view of one run is rendered from."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from screenalytics_core.artifact_store import ArtifactStore
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.errors import ArtifactCorruptError, ScreenalyticsError
from screenalytics_core.ledger.state import RunState
from screenalytics_core.manifest import Manifest
from screenalytics_core.run_record import RunRecord
from screenalytics_core.runs import RunStore

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the folder of a run says.

    Attributes:
        state: The folded log; empty for a run whose log is missing.
        record: run.json; None while the run is queued, or when the file is damaged.
        manifest: What is published; empty when nothing is, or when the file is damaged.
        screen_time: The document, if the run has one.
    """

    ep_id: str
    run_id: str
    state: RunState
    record: RunRecord | None
    manifest: Manifest
    screen_time: Mapping[str, Any] | None = None


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
    document = None
    if ArtifactKind.SCREEN_TIME in manifest.entries:
        document = _screen_time(artifacts, ep_id, run_id)
    return RunFacts(ep_id, run_id, state, record, manifest, document)


def _screen_time(artifacts: ArtifactStore, ep_id: str, run_id: str) -> Mapping[str, Any] | None:
    try:
        ref = artifacts.ref(ep_id, run_id, ArtifactKind.SCREEN_TIME)
        document: Mapping[str, Any] | None = ref.read() if ref else None
    except ScreenalyticsError as error:
        _LOG.warning("views of %s/%s without its screen time: %s", ep_id, run_id, error)
        return None
    return document
