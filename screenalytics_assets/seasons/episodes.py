"""Where each episode of a season stands: read from the stores, no artifact is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from screenalytics_assets.graph import OUTPUTS
from screenalytics_assets.seasons.figures_today import FiguresToday
from screenalytics_assets.stores import Stores
from screenalytics_core import layout
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.episodes import EpisodeId
from screenalytics_core.errors import ScreenalyticsError
from screenalytics_core.ledger.vocabulary import RunStatus
from screenalytics_core.manifest import Manifest
from screenalytics_core.runs import RunRecord
from screenalytics_core.seasons.doubts import unlike_the_others
from screenalytics_core.seasons.keys import episodes_of, season_of
from screenalytics_core.seasons.model import EpisodeInput, EpisodeState

READ_KINDS: Final = (
    ArtifactKind.SHOTS,
    ArtifactKind.TRACKS,
    ArtifactKind.TRACK_REPS,
    ArtifactKind.IDENTITIES,
    ArtifactKind.CAST,
    ArtifactKind.SCREEN_TIME,
)
"""What a season reads of a run."""
_SETTINGS: Final = sorted({name for output in OUTPUTS.values() for name in output.settings})
_ENDED: Final = {
    RunStatus.FAILED: EpisodeState.FAILED,
    RunStatus.CANCELED: EpisodeState.FAILED,
    RunStatus.QUEUED: EpisodeState.RUNNING,
    RunStatus.RUNNING: EpisodeState.RUNNING,
}
_LAST_COUNTED: Final = 999
"""A longer number is a date or a production code: none are missing before it."""


def known_episodes(stores: Stores) -> tuple[str, ...]:
    """Return every ep_id that has a video, or runs of one that is gone."""
    with_runs = stores.storage.list_folders(layout.MANIFESTS)
    return tuple(sorted({*stores.storage.list_folders(layout.VIDEOS), *with_runs}))


def known_seasons(stores: Stores) -> tuple[str, ...]:
    """Return the seasons of all known episodes."""
    return tuple(sorted({s for e in known_episodes(stores) if (s := season_of(e)) is not None}))


def seasons_with_runs(stores: Stores) -> frozenset[str]:
    """Return the seasons of the episodes that have runs; one listing, however many they are."""
    ep_ids = stores.storage.list_folders(layout.MANIFESTS)
    return frozenset(season for e in ep_ids if (season := season_of(e)) is not None)


def season_episodes(stores: Stores, season: str) -> tuple[EpisodeInput, ...]:
    """Return the episodes of a season in their order, with gaps in their numbers."""
    known = episodes_of(season, known_episodes(stores))
    today = FiguresToday(stores)
    inputs = [_episode(stores, ep_id, today) for ep_id in known]
    made_with = {
        e.ep_id: _made_with(record)
        for e in inputs
        if e.run_id is not None and (record := stores.runs.get(e.ep_id, e.run_id)) is not None
    }
    unlike = unlike_the_others(made_with)
    doubted = [replace(e, doubts=(*e.doubts, *unlike.get(e.ep_id, ()))) for e in inputs]
    return tuple(_with_gaps(season, doubted))


def _with_gaps(season: str, inputs: Sequence[EpisodeInput]) -> list[EpisodeInput]:
    """Put the numbers before the last that nobody registered in their places."""
    numbers = {EpisodeId.parse(e.ep_id).episode for e in inputs}
    last = max((n for n in numbers if n is not None and n <= _LAST_COUNTED), default=0)
    gaps = [
        EpisodeInput(f"{season}e{n:02d}", EpisodeState.UNREGISTERED, "nobody registered its video")
        for n in range(1, last)
        if n not in numbers
    ]
    return sorted([*inputs, *gaps], key=lambda e: (EpisodeId.parse(e.ep_id).episode or 0, e.ep_id))


def _episode(stores: Stores, ep_id: str, today: FiguresToday) -> EpisodeInput:
    run_id = stores.runs.active_run_id(ep_id)
    try:
        manifest = stores.artifacts.manifest(ep_id, run_id) if run_id is not None else None
        if run_id is None or manifest is None or not _holds_all(manifest):
            return _without_figures(stores, ep_id)
        return _with_figures(stores, stores.runs.require(ep_id, run_id), manifest, today)
    except ScreenalyticsError as error:
        return EpisodeInput(ep_id, EpisodeState.FAILED, str(error))


def _holds_all(manifest: Manifest) -> bool:
    # Who was taken out of a file on purpose is not in it; the others' figures still count.
    return all(kind in manifest.entries for kind in READ_KINDS)


def _with_figures(
    stores: Stores, record: RunRecord, manifest: Manifest, today: FiguresToday
) -> EpisodeInput:
    reason = today.why_stale(record, manifest)
    return EpisodeInput(
        record.ep_id,
        EpisodeState.STALE if reason else EpisodeState.DONE,
        reason,
        record.run_id,
        {str(kind): manifest.entries[kind].content_sha256 for kind in READ_KINDS},
        tuple(_later_runs(stores, record)),
    )


def _without_figures(stores: Stores, ep_id: str) -> EpisodeInput:
    run_ids = stores.runs.list_run_ids(ep_id)
    if not run_ids:
        has_video = stores.storage.exists(layout.video_facts_key(ep_id))
        reason = "no run yet" if has_video else "no video and no run"
        return EpisodeInput(ep_id, EpisodeState.MISSING, reason)
    newest = run_ids[-1]
    state = stores.ledger.log.state(ep_id, newest)
    if state.status not in _ENDED:
        reason = f"run {newest} did not come to its screen time"
        return EpisodeInput(ep_id, EpisodeState.MISSING, reason)
    why = f": {state.error.message}" if state.error else ""
    return EpisodeInput(ep_id, _ENDED[state.status], f"run {newest} is {state.status.value}{why}")


def _later_runs(stores: Stores, record: RunRecord) -> list[str]:
    """Say of runs that were begun later why the episode's figures are not theirs."""
    told = []
    for other in stores.runs.list_records(record.ep_id):
        if other.order > record.order:
            state = stores.ledger.log.state(record.ep_id, other.run_id)
            if state.status is RunStatus.FAILED:
                why = f": {state.error.message}" if state.error else ""
                told.append(f"run {other.run_id}, begun later, failed{why}")
    return told


def _made_with(record: RunRecord) -> dict[str, Any]:
    """Return what the figures of a run depend on: settings that steps read, and models."""
    made: dict[str, Any] = {name: record.settings.get(name) for name in _SETTINGS}
    return made | {role: sha256[:12] for role, sha256 in record.model_sha256s.items()}
