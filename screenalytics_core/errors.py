"""Every error that a user can meet: it names the thing, the reason and the way out.

Errors carry their fields, so that code can act on them, and survive pickling, so that
they cross process boundaries intact.
"""

from __future__ import annotations

from typing import Any


class ScreenalyticsError(Exception):
    """Base of all our errors.

    Subclasses take keyword fields only and build their message from them in
    `describe`; `code` is the stable name that status files and APIs show.
    """

    code = "screenalytics_error"

    def __init__(self, **fields: Any) -> None:
        self.fields = fields
        super().__init__(self.describe())

    def describe(self) -> str:
        """Return the message: the thing, the reason, the way out."""
        return "{thing}: {reason}. {way_out}".format(
            **{"thing": "screenalytics", "reason": "failed", "way_out": "", **self.fields}
        ).strip()

    def __getattr__(self, name: str) -> Any:
        """Give a field by name."""
        fields = self.__dict__.get("fields", {})
        if name in fields:
            return fields[name]
        raise AttributeError(f"{type(self).__name__} has no field {name!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.fields))


def _rebuild(error_type: type[ScreenalyticsError], fields: dict[str, Any]) -> ScreenalyticsError:
    return error_type(**fields)


class _ThingError(ScreenalyticsError):
    """An error described by `thing`, `reason` and `way_out`.

    A field `over_http` is the way out of those who ask the job API, where it is another one.
    """

    def __init__(self, *, thing: str, reason: str, way_out: str = "", **fields: Any) -> None:
        super().__init__(thing=thing, reason=reason, way_out=way_out, **fields)


class InvalidIdError(_ThingError):
    """An ep_id or run_id that must not become a path."""

    code = "invalid_id"


class SettingsError(_ThingError):
    """A settings value out of range, or a name that does not exist."""

    code = "settings_invalid"


class SchemaMismatchError(ScreenalyticsError):
    """Rows that do not fit their artifact's spec; fields: spec_name, reason."""

    code = "schema_mismatch"

    def describe(self) -> str:
        return f"artifact {self.fields['spec_name']}: {self.fields['reason']}"


class VideoError(_ThingError):
    """A video that cannot be used: unreadable, truncated, without frames or pictures."""

    code = "video_unusable"


class VideoChangedError(VideoError):
    """The video file was replaced or edited while a run was reading it."""

    code = "video_changed"


class EpisodeVideoConflictError(VideoError):
    """Another video is already registered under this ep_id."""

    code = "episode_video_conflict"


class TruthError(_ThingError):
    """A truth file with a wrong field, or one of another video."""

    code = "truth_unusable"


class ModelError(_ThingError):
    """A model file that is missing, corrupted, or not what its role needs."""

    code = "model_unusable"


class ModelInstallError(ModelError):
    """A pack could not be fetched or built."""

    code = "model_install_failed"


class GalleryError(_ThingError):
    """A cast member or picture that a gallery cannot take, or one that it does not have."""

    code = "gallery_refused"


class DecisionError(_ThingError):
    """A decision about somebody or something that is not there."""

    code = "decision_invalid"


class ArtifactNotFoundError(_ThingError):
    """An artifact that a step or a reader needs is not there."""

    code = "artifact_missing"


class ArtifactCorruptError(_ThingError):
    """A file whose bytes do not match the manifest's sha256."""

    code = "artifact_corrupt"


class InputConflictError(_ThingError):
    """Inputs from another run that would mix versions or settings in this run."""

    code = "input_conflict"


class RunSettingsConflictError(_ThingError):
    """A launch into a run that is bound to other settings, video or models."""

    code = "run_settings_conflict"


class RunBusyError(_ThingError):
    """Another attempt of the same run is alive."""

    code = "run_busy"


class RunDoneError(RunBusyError):
    """The run is to be made once, and somebody has made it."""

    code = "run_done"


class RunExistsError(_ThingError):
    """The run_id is already reserved for this episode."""

    code = "run_exists"


class RunNotFoundError(_ThingError):
    """No such run."""

    code = "run_not_found"


class BackfillNotFoundError(_ThingError):
    """No such backfill."""

    code = "backfill_not_found"


class ScheduleError(_ThingError):
    """schedules.yaml holds what is no schedule; the line and the field are named."""

    code = "schedule_invalid"


class DaemonMissingError(_ThingError):
    """Nobody takes runs from the queue of this DAGSTER_HOME."""

    code = "daemon_missing"


class ServerRunningError(_ThingError):
    """Another server works over the same folders already."""

    code = "server_running"


class JobNotFoundError(_ThingError):
    """No such job."""

    code = "job_not_found"


class JobEndedError(_ThingError):
    """The job has ended, so that nothing can be done about it any more."""

    code = "job_ended"


class IdempotencyError(_ThingError):
    """An idempotency key that was used for another request."""

    code = "idempotency_key_reused"


class ApiError(_ThingError):
    """A job API that cannot be reached, or that refused or failed a request."""

    code = "api_failed"


class AttemptSupersededError(_ThingError):
    """A newer attempt owns the run; this one may not publish."""

    code = "attempt_superseded"


class DiskSpaceError(_ThingError):
    """The disk is full, or too small for what is about to be written."""

    code = "disk_space"


class StorageError(_ThingError):
    """The storage backend failed or refused."""

    code = "storage_failed"


class KeyMissingError(StorageError):
    """A key that was to be read does not exist in the storage."""

    code = "storage_key_missing"


class RateLimitedError(_ThingError):
    """Somebody asks too often; field: retry_after_s."""

    code = "rate_limited"
