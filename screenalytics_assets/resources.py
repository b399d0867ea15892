"""Dagster resources: a run's settings, and the session that its steps share."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Final, Literal, Optional, Union, get_args, get_origin

import dagster as dg
from pydantic import Field, create_model

from screenalytics_assets.binding import bind_inputs, check_disk, silent
from screenalytics_assets.graph import KINDS_OF_ASSET
from screenalytics_assets.heartbeat import Heartbeat
from screenalytics_assets.liveness import attempt_is_alive
from screenalytics_assets.reuse import check_fresh
from screenalytics_assets.session import RunSession
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_assets.tags import UPSTREAM_RUN_ID_TAG, run_id_of, wants_fresh, wants_once
from screenalytics_core import layout
from screenalytics_core.attempts import AttemptRecord
from screenalytics_core.config import DEFAULT_PROFILE, EpisodeRunConfig
from screenalytics_core.errors import RunBusyError, RunDoneError
from screenalytics_core.processes import ProcessIdentity

Listener = Callable[[str, int, int, str], None]
"""(step, done, total, message), for the process that launched the run."""


class SettingsResource(dg.ConfigurableResource["SettingsResource"]):
    """What every settings resource can do; its fields are generated below."""

    def to_config(self) -> EpisodeRunConfig:
        """Return the run's settings: fields given > profile > default.

        Raises:
            SettingsError: A value is out of range, or the profile does not exist.
        """
        given = {
            name: value
            for name in EpisodeRunConfig.model_fields
            if (value := getattr(self, name)) is not None
        }
        return EpisodeRunConfig.from_mapping(given, profile=getattr(self, "profile", None))


def _config_type(annotation: Any) -> Any:
    """Map a field's type to one that Dagster's config takes: no Literal, no Optional of one."""
    if get_origin(annotation) is Literal:
        return str
    if get_origin(annotation) is Union or type(None) in get_args(annotation):
        inner = next(a for a in get_args(annotation) if a is not type(None))
        return _config_type(inner)
    return annotation


def _settings_fields() -> dict[str, Any]:
    fields: dict[str, Any] = {
        "profile": (str, Field(DEFAULT_PROFILE, description="starting point of the settings"))
    }
    for name, field in EpisodeRunConfig.model_fields.items():
        kind: Any = Optional[_config_type(field.annotation)]  # noqa: UP045 - a runtime type
        fields[name] = (kind, Field(None, description=f"{field.description}; empty = profile's"))
    return fields


EpisodeSettings: Final[Any] = create_model(
    "EpisodeSettings", __base__=SettingsResource, __module__=__name__, **_settings_fields()
)


def settings_run_config(config: EpisodeRunConfig) -> dict[str, Any]:
    """Return the run config of a Dagster run with these settings."""
    given = {name: value for name, value in config.model_dump().items() if value is not None}
    return {"resources": {"settings": {"config": given}}}


class Pipeline:
    """Opens the session of the Dagster run that this process executes, once."""

    def __init__(
        self,
        settings: Settings,
        instance: dg.DagsterInstance,
        run: dg.DagsterRun,
        listener: Listener | None,
    ) -> None:
        self.settings = settings
        self._instance = instance
        self.stores = Stores.open(settings.data_root)
        self.listener = listener
        self._run = run
        self._session: RunSession | None = None
        self._heartbeat: Heartbeat | None = None
        self._owned = ExitStack()

    def session(self, ep_id: str, config: EpisodeRunConfig) -> RunSession:
        """Return this run's session; the first call binds and claims the run.

        Raises:
            RunSettingsConflictError: The run is bound to other settings, video or models.
            RunBusyError: Another attempt of the run is alive, or, of a run that is to be made
                once, has made it.
        """
        if self._session is None:
            try:
                self._session = self._open(ep_id, config)
            except RunBusyError as error:
                # Only a run that is being canceled ends canceled; else it would count as failed.
                self._instance.report_run_canceling(self._run, str(error))
                raise
        return self._session

    def close(self) -> None:
        """Stop the heartbeat."""
        self._owned.close()
        if self._heartbeat is not None:
            self._heartbeat.stop()

    def _open(self, ep_id: str, config: EpisodeRunConfig) -> RunSession:
        tags = self._run.tags
        run_id = run_id_of(tags, self._run.run_id)
        is_fresh = wants_fresh(tags)
        check_fresh(config, is_fresh=is_fresh)  # the UI launches without the engine's checks
        bound = bind_inputs(self.settings, self.stores, ep_id, config, silent)
        check_disk(self.stores, bound)
        record = self.stores.runs.bind(ep_id, run_id, bound.binding)
        here = ProcessIdentity.current()
        attempt = self.stores.attempts.claim(
            ep_id,
            run_id,
            self._run.run_id,
            here,
            lambda other: self._is_taken(other, here),
        )
        self._heartbeat = Heartbeat(self.stores.attempts, attempt)
        self._heartbeat.start()
        # What other processes of this attempt publish meanwhile, no step of this one needs.
        key = (ep_id, run_id)
        own = (layout.run_record_key(*key), layout.manifest_key(*key))
        self._owned.enter_context(self.stores.storage.owning(own))
        upstream_run_id = tags.get(UPSTREAM_RUN_ID_TAG)
        return RunSession(self.stores, bound, record, attempt, upstream_run_id, is_fresh=is_fresh)

    def _is_taken(self, other: AttemptRecord, here: ProcessIdentity) -> bool:
        """Tell whether another attempt works on the run; asked under the run's lock.

        Raises:
            RunDoneError: It has ended, and left nothing to do for a run that is to be made once.
        """
        if attempt_is_alive(self._instance, other, self.stores.attempts, here):
            return True
        # Looked at after the attempt has ended: whatever it published is in the manifest by now.
        if wants_once(self._run.tags) and self._is_whole(other):
            raise RunDoneError(
                thing=f"run {other.ep_id}/{other.run_id}",
                reason=f"was made by attempt {other.n} (Dagster run {other.dagster_run_id}, "
                f"process {other.process.pid} on {other.process.host}) meanwhile",
                way_out="Nothing is left to do; launch another run to make it anew.",
            )
        return False

    def _is_whole(self, attempt: AttemptRecord) -> bool:
        held = self.stores.artifacts.manifest(attempt.ep_id, attempt.run_id).entries
        selected = self._run.asset_selection
        assets = [key.to_user_string() for key in selected] if selected else KINDS_OF_ASSET
        return all(kind in held for asset in assets for kind in KINDS_OF_ASSET.get(asset, ()))


def pipeline_resource(settings: Settings, listener: Listener | None) -> dg.ResourceDefinition:
    """Return the resource that gives each Dagster run its `Pipeline`."""

    @dg.resource(description="The run's stores, models and attempt.")
    def pipeline(context: dg.InitResourceContext) -> Iterator[Pipeline]:
        if context.instance is None or context.run is None:
            raise dg.DagsterInvariantViolationError("a Pipeline belongs to a run")
        opened = Pipeline(settings, context.instance, context.run, listener)
        try:
            yield opened
        finally:
            opened.close()

    return pipeline


class ProgressThrottle:
    """Passes progress on to the launcher at once, and to Dagster at most every 2 s.

    One observation costs Dagster some 24 ms, so a step that reports every frame must not
    write one each time.
    """

    PERIOD_S: Final = 2.0

    def __init__(
        self, step: str, listener: Listener | None, observe: Callable[[int, int, str], None]
    ) -> None:
        self._step = step
        self._listener = listener
        self._observe = observe
        self._last_s = time.monotonic()

    def __call__(self, done: int, total: int, message: str) -> None:
        """Take one report."""
        if self._listener is not None:
            self._listener(self._step, done, total, message)
        now_s = time.monotonic()
        if now_s - self._last_s >= self.PERIOD_S:
            self._last_s = now_s
            self._observe(done, total, message)
