"""Jobs into Dagster's queue, and out of it again."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import dagster as dg

from screenalytics_assets.api.canceling import cancel_run
from screenalytics_assets.api.code_server import CodeServer
from screenalytics_assets.api.model_choice import check_installed
from screenalytics_assets.api.waiting import WaitingRoom
from screenalytics_assets.backfill_queue import check_daemon
from screenalytics_assets.binding import bind_inputs, check_disk, silent
from screenalytics_assets.code_ref import current_code_ref
from screenalytics_assets.engine import Launch, assets_to_run, prepare_run
from screenalytics_assets.jobs import EPISODE_JOB
from screenalytics_assets.kept_storage import events_together
from screenalytics_assets.mirror import mirror_runs
from screenalytics_assets.resources import settings_run_config
from screenalytics_assets.reuse import check_fresh
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_assets.tags import PARTITION_TAG, RUN_ID_TAG, launch_tags, wants_fresh
from screenalytics_core.config import DEFAULT_PROFILE, EpisodeRunConfig
from screenalytics_core.episode_registry import register_video
from screenalytics_core.episodes import EpisodeId
from screenalytics_core.errors import DaemonMissingError
from screenalytics_core.run_ids import normalize_run_id
from screenalytics_core.runs import RunRecord
from screenalytics_core.stages import STAGE_PLAN, PipelineStage
from screenalytics_core.vision.decode import probe_video

REQUEST_TAG: Final = "screenalytics/request"
"""On every run that the API queued: the digest of what was asked for."""

# A daemon that was started with the server beats within seconds.
_PATIENCE_S: Final = 20.0
_POLL_S: Final = 0.25


def _balanced() -> EpisodeRunConfig:
    return EpisodeRunConfig.from_mapping({}, profile=DEFAULT_PROFILE)


@dataclass(frozen=True, slots=True)
class Work:
    """What a job is to do.

    Attributes:
        video_path: Registered under `ep_id` first; None when the episode has its video.
        job_id: A UUID.
        digest: Of the request that asked for it.
    """

    ep_id: str
    config: EpisodeRunConfig = field(default_factory=_balanced)
    stages: tuple[PipelineStage, ...] = STAGE_PLAN
    video_path: Path | None = None
    launch: Launch = field(default_factory=Launch)
    job_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Queued:
    """A job that waits, or that did when it was asked about."""

    job_id: str
    ep_id: str
    run_id: str


class Launcher(Protocol):
    """Where jobs are handed in. Any thread may use it."""

    def submit(self, work: Work) -> Queued:
        """Reserve the run of a job and put it into the queue; the caller holds its id's turn.

        Raises:
            ScreenalyticsError: It cannot start; nothing was changed but, possibly, the
                registration of its video.
        """
        ...

    def cancel(self, job_id: str) -> None:
        """Take a job out of the queue, or end its run; it ends a little later.

        Raises:
            JobNotFoundError: There is no such job.
            JobEndedError: It completed, or failed, before.
        """
        ...


class DagsterLauncher:
    """Jobs as Dagster's runs: there is no other record of them."""

    def __init__(self, settings: Settings, stores: Stores, instance: dg.DagsterInstance) -> None:
        self._settings = settings
        self._stores = stores
        self._instance = instance
        self._waiting = WaitingRoom("request for a job")
        self._code = CodeServer(instance, settings.dagster_home, self._waiting)
        self._creating = threading.Lock()
        # Now, while what is checked out is what this process has loaded.
        current_code_ref()

    def submit(self, work: Work) -> Queued:
        assets = assets_to_run(work.stages)
        ep_id = EpisodeId.parse(work.ep_id).text
        if work.launch.run_id is not None:
            normalize_run_id(work.launch.run_id)
        tags = self._tags(work)
        check_fresh(work.config, is_fresh=wants_fresh(tags))
        run_config = _run_config(work.config)
        check_installed(self._settings, work.config)
        self._code.planned(assets, run_config)
        self._await_daemon()
        if work.video_path is not None:
            replace = work.launch.replace_video
            register_video(
                self._stores.storage, ep_id, work.video_path, probe=probe_video, replace=replace
            )
        bound = bind_inputs(self._settings, self._stores, ep_id, work.config, silent)
        check_disk(self._stores, bound)
        record = prepare_run(self._instance, self._stores, ep_id, bound, work.launch)
        job_id = work.job_id
        with self._given_back(record if work.launch.run_id is None else None, job_id):
            self._create(record, work.config, assets, tags, job_id)
        # From here on there is a job: should it not come into the queue now, `Following` sees
        # to it.
        submit_run(self._instance, job_id)
        mirror_runs(self._instance, self._stores, [job_id])
        return Queued(job_id, record.ep_id, record.run_id)

    def cancel(self, job_id: str) -> None:
        cancel_run(self._instance, self._stores, job_id)

    @contextmanager
    def _given_back(self, minted: RunRecord | None, job_id: str) -> Iterator[None]:
        """Release a minted run that no job came of: else it would seem to wait for ever."""
        try:
            yield
        except BaseException:
            if minted is not None and not self._instance.has_run(job_id):
                self._stores.runs.release(minted)
            raise

    def _tags(self, work: Work) -> dict[str, str]:
        tags = launch_tags(
            work.launch.tags,
            upstream_run_id=work.launch.upstream_run_id,
            parent_run_id=work.launch.parent_run_id,
            is_fresh=work.launch.fresh,
            trace_id=self._settings.trace_id,
        )
        return {**tags, REQUEST_TAG: work.digest}

    def _await_daemon(self) -> None:
        if self._has_daemon(is_last=False):
            return
        deadline_s = time.monotonic() + _PATIENCE_S
        with self._waiting.place():
            while not self._has_daemon(is_last=time.monotonic() > deadline_s):
                time.sleep(_POLL_S)

    def _has_daemon(self, *, is_last: bool) -> bool:
        try:
            check_daemon(self._instance, time.time())
        except DaemonMissingError:
            if is_last:
                raise
            return False
        return True

    def _create(
        self,
        record: RunRecord,
        config: EpisodeRunConfig,
        assets: tuple[str, ...],
        tags: dict[str, str],
        job_id: str,
    ) -> None:
        run_config = _run_config(config)
        planned = self._code.planned(assets, run_config)
        plan = planned.plan.execution_plan_snapshot
        # SQLite has one writer: the others wait here, fairly, and not in its busy loop.
        with self._creating, events_together(self._instance):
            self._instance.create_run(
                job_name=EPISODE_JOB,
                run_id=job_id,
                run_config=run_config,
                resolved_op_selection=planned.job.resolved_op_selection,
                step_keys_to_execute=plan.step_keys_to_execute,
                op_selection=None,
                status=None,
                root_run_id=None,
                parent_run_id=None,
                tags={
                    **planned.job.tags,
                    **tags,
                    RUN_ID_TAG: record.run_id,
                    PARTITION_TAG: record.ep_id,
                },
                job_snapshot=planned.job.job_snapshot,
                execution_plan_snapshot=plan,
                parent_job_snapshot=planned.job.parent_job_snapshot,
                remote_job_origin=planned.job.get_remote_origin(),
                job_code_origin=planned.job.get_python_origin(),
                asset_selection={dg.AssetKey(name) for name in assets},
                asset_check_selection=None,
                asset_graph=planned.graph,
            )


def _run_config(config: EpisodeRunConfig) -> dict[str, Any]:
    # What Dagster tells of each step stands in its event log; the code server's own log is for
    # what goes wrong.
    quiet = {"console": {"config": {"log_level": "WARNING"}}}
    return {**settings_run_config(config), "loggers": quiet}


def submit_run(instance: dg.DagsterInstance, job_id: str) -> None:
    """Put a run that was created into the queue; nothing happens if it was put there before."""
    # The queue of Dagster needs no workspace: its daemon has one.
    instance.submit_run(job_id, workspace=None)  # type: ignore[arg-type]
