"""The one way to launch: an episode through the asset graph, with a persistent instance.

The command line, the API and Python callers all come through here. Whatever can be said
before a run exists (bad ids, settings, video, models, disk) is raised as an error; what
happens inside the run is in the returned `EpisodeRunResult` and in Dagster's event log.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import dagster as dg

from screenalytics_assets.assets.video import video_observation
from screenalytics_assets.beta import without_beta_warnings
from screenalytics_assets.binding import Bound, Tell, bind_inputs, check_disk, silent
from screenalytics_assets.definitions import build_definitions
from screenalytics_assets.follower import Follower
from screenalytics_assets.graph import assets_of_stages
from screenalytics_assets.instance import home_errors, open_instance
from screenalytics_assets.jobs import EPISODE_JOB
from screenalytics_assets.liveness import attempt_is_alive, process_tag, sweep
from screenalytics_assets.mirror import mirror_runs
from screenalytics_assets.outcome import Outcome, outcome_of
from screenalytics_assets.partitions import add_episode
from screenalytics_assets.resources import Listener, settings_run_config
from screenalytics_assets.results import EpisodeRunResult
from screenalytics_assets.reuse import check_fresh
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_assets.tags import RUN_ID_TAG, launch_tags, wants_fresh
from screenalytics_core.artifact_ref import ArtifactRef
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.attempts import busy
from screenalytics_core.config import DEFAULT_PROFILE, EpisodeRunConfig
from screenalytics_core.episode_registry import register_video
from screenalytics_core.episodes import EpisodeId
from screenalytics_core.errors import ScreenalyticsError, SettingsError
from screenalytics_core.processes import ProcessIdentity
from screenalytics_core.run_ids import normalize_run_id
from screenalytics_core.runs import RunRecord, Scheme
from screenalytics_core.stages import STAGE_PLAN, PipelineStage, parse_stage
from screenalytics_core.vision.decode import probe_video

__all__ = [
    "EpisodeRunConfig",
    "EpisodeRunResult",
    "Launch",
    "PipelineStage",
    "run_cluster",
    "run_detect_track",
    "run_episode",
    "run_faces_embed",
    "run_stage",
]

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Launch:
    """How to launch, beside what to run; every field may be left out.

    Attributes:
        run_id: Resumes that run, or gives a new one its name; None mints one.
        run_id_scheme: timestamp, attempt or hex, for a minted one.
        upstream_run_id: Where inputs that this run lacks are taken from.
        parent_run_id: The run that this one repeats; for the record only.
        fresh: Compute everything anew: no result of another run is reused.
        replace_video: Another video may take the place of the registered one.
        listener: Told of progress, in this process.
        tell: Told lines for people, such as a pack being installed.
    """

    run_id: str | None = None
    run_id_scheme: Scheme = "timestamp"
    upstream_run_id: str | None = None
    parent_run_id: str | None = None
    fresh: bool = False
    replace_video: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    listener: Listener | None = None
    tell: Tell = silent


def run_episode(
    ep_id: str,
    video_path: str | Path | None = None,
    config: EpisodeRunConfig | None = None,
    *,
    stages: tuple[PipelineStage, ...] = STAGE_PLAN,
    settings: Settings | None = None,
    launch: Launch | None = None,
) -> EpisodeRunResult:
    """Run `stages` of an episode and wait for the end.

    Args:
        ep_id: `show-s01e02`, or any path-safe id.
        video_path: Registered under `ep_id` first; None when it already is.
        config: Settings; None = the profile `balanced`.
        stages: Stages to materialise; inputs of a partial run come from earlier runs.
        settings: Folders; None = from the environment.

    Raises:
        ScreenalyticsError: Something is wrong before a run can start; nothing was changed
            but, possibly, the video's registration.
    """
    launch = launch or Launch()
    settings = settings or Settings.from_env()
    config = config or EpisodeRunConfig.from_mapping({}, profile=DEFAULT_PROFILE)
    ep_id = EpisodeId.parse(ep_id).text
    assets = assets_to_run(stages)
    if launch.run_id is not None:
        normalize_run_id(launch.run_id)
    tags = launch_tags(
        launch.tags,
        upstream_run_id=launch.upstream_run_id,
        parent_run_id=launch.parent_run_id,
        is_fresh=launch.fresh,
        trace_id=settings.trace_id,
    )
    check_fresh(config, is_fresh=wants_fresh(tags))
    stores = Stores.open(settings.data_root)
    if video_path is not None:
        register_video(
            stores.storage, ep_id, Path(video_path), probe=probe_video, replace=launch.replace_video
        )
    bound = bind_inputs(settings, stores, ep_id, config, launch.tell)
    check_disk(stores, bound)
    home = settings.dagster_home
    with home_errors(home), open_instance(home) as instance:
        here = ProcessIdentity.current()
        mirror_runs(instance, stores, sweep(instance, stores.attempts, here))
        record = prepare_run(instance, stores, ep_id, bound, launch)
        return _execute(instance, settings, stores, record, config, assets, tags, launch.listener)


def run_stage(
    ep_id: str,
    video_path: str | Path | None,
    config: EpisodeRunConfig | None,
    stage: PipelineStage | str,
    *,
    settings: Settings | None = None,
    launch: Launch | None = None,
) -> EpisodeRunResult:
    """Run one stage; its inputs come from this run, else from an earlier one."""
    stages = (parse_stage(str(stage)),)
    return run_episode(ep_id, video_path, config, stages=stages, settings=settings, launch=launch)


def _stage_runner(stage: PipelineStage) -> Callable[..., EpisodeRunResult]:
    def run(
        ep_id: str,
        video_path: str | Path | None = None,
        config: EpisodeRunConfig | None = None,
        *,
        settings: Settings | None = None,
        launch: Launch | None = None,
    ) -> EpisodeRunResult:
        return run_stage(ep_id, video_path, config, stage, settings=settings, launch=launch)

    run.__doc__ = f"Run the stage `{stage}`; see `run_stage`."
    return run


run_detect_track: Final = _stage_runner(PipelineStage.DETECT_TRACK)
run_faces_embed: Final = _stage_runner(PipelineStage.FACES_EMBED)
run_cluster: Final = _stage_runner(PipelineStage.CLUSTER)


def assets_to_run(stages: tuple[PipelineStage, ...]) -> tuple[str, ...]:
    """Return the assets of `stages`; Dagster would take an empty selection for everything.

    Raises:
        SettingsError: No stage is named.
    """
    if not stages:
        raise SettingsError(
            thing="selection of stages",
            reason="is empty",
            way_out=f"Name some of {', '.join(STAGE_PLAN)}, or leave it out to run all.",
        )
    return assets_of_stages(stages)


def prepare_run(
    instance: dg.DagsterInstance, stores: Stores, ep_id: str, bound: Bound, launch: Launch
) -> RunRecord:
    """Make sure that nobody else runs this run, announce its video, reserve it.

    Raises:
        RunBusyError: An attempt of the run is alive.
        RunSettingsConflictError: The run is bound to something else.
    """
    run_id = launch.run_id
    if run_id is not None:
        here = ProcessIdentity.current()
        newest = stores.attempts.newest(ep_id, run_id)
        if newest is not None and attempt_is_alive(instance, newest, stores.attempts, here):
            raise busy(newest)
    # First: an episode that is announced twice is one, a run that is reserved for nothing waits
    # for ever.
    add_episode(instance, ep_id)
    sha256 = bound.binding.video["sha256"]
    instance.report_runless_asset_event(video_observation(ep_id, sha256))
    if run_id is not None:
        return stores.runs.bind(ep_id, run_id, bound.binding)
    return stores.runs.reserve(ep_id, bound.binding, scheme=launch.run_id_scheme)


def _execute(
    instance: dg.DagsterInstance,
    settings: Settings,
    stores: Stores,
    record: RunRecord,
    config: EpisodeRunConfig,
    assets: tuple[str, ...],
    tags: dict[str, str],
    listener: Listener | None,
) -> EpisodeRunResult:
    with without_beta_warnings():
        job = build_definitions(settings, listener).resolve_job_def(EPISODE_JOB)
    process = process_tag(ProcessIdentity.current())
    dagster_run_id = str(uuid.uuid4())
    started_s = time.perf_counter()
    try:
        with without_beta_warnings(), Follower(instance, stores, dagster_run_id):
            job.execute_in_process(
                run_config=_run_config(config),
                instance=instance,
                partition_key=record.ep_id,
                raise_on_error=False,
                asset_selection=[dg.AssetKey(a) for a in assets],
                run_id=dagster_run_id,
                tags={**tags, **process, RUN_ID_TAG: record.run_id},
            )
    except dg.DagsterExecutionInterruptedError as error:
        _LOG.info("run %s/%s was interrupted: %s", record.ep_id, record.run_id, error)
    outcome = outcome_of(instance, dagster_run_id)
    return result_of(stores, record, dagster_run_id, outcome, time.perf_counter() - started_s)


def _run_config(config: EpisodeRunConfig) -> dict[str, Any]:
    return {
        **settings_run_config(config),
        # Errors reach the caller in the result; the console belongs to the command line.
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }


def result_of(
    stores: Stores, record: RunRecord, dagster_run_id: str, outcome: Outcome, runtime_s: float
) -> EpisodeRunResult:
    """Return the result of a Dagster run from its outcome and what the run's folder now holds.

    Args:
        runtime_s: Wall time of the launch.
    """
    manifest = stores.artifacts.manifest(record.ep_id, record.run_id)
    entries = manifest.entries

    def rows(kind: ArtifactKind) -> int:
        return (entries[kind].files[0].rows or 0) if kind in entries else 0

    screen_time = stores.artifacts.ref_of(manifest, ArtifactKind.SCREEN_TIME)
    return EpisodeRunResult(
        episode_id=record.ep_id,
        success=outcome.success,
        tracks_count=rows(ArtifactKind.TRACKS),
        faces_count=rows(ArtifactKind.FACES_EMBEDDINGS),
        identities_count=rows(ArtifactKind.IDENTITIES),
        runtime_sec=runtime_s,
        stages=outcome.stages,
        error=outcome.error,
        error_code=outcome.error_code,
        run_id=record.run_id,
        dagster_run_id=dagster_run_id,
        artifacts={
            kind.value: stores.artifacts.location(record.ep_id, record.run_id, kind)
            for kind in entries
        },
        screen_time=_read_screen_time(screen_time) if screen_time else None,
    )


def _read_screen_time(ref: ArtifactRef) -> dict[str, Any] | None:
    """Return the document, or None if it is damaged: the run itself ended as it ended."""
    try:
        document: dict[str, Any] = ref.read()
    except ScreenalyticsError as error:
        _LOG.warning("screen time of %s/%s: %s", ref.ep_id, ref.run_id, error)
        return None
    return document
