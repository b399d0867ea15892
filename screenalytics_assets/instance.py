"""DAGSTER_HOME: prepared once, opened by the engine, the UI and the tests alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import dagster as dg
import yaml
from dagster._core.instance.ref import InstanceRef
from filelock import FileLock
from sqlalchemy.exc import SQLAlchemyError

from screenalytics_assets.compute_logs import (
    compute_logs_in,
    goes_to_a_bucket,
    no_compute_logs,
)
from screenalytics_assets.kept_storage import KeptEventLogStorage, KeptRunStorage
from screenalytics_core.errors import StorageError
from screenalytics_core.storage.data_root import DataRoot, S3Root

# Telemetry and the community pop-up are off; where output goes says `compute_logs`. Dagster's own
# monitoring ends what no sweep of ours can judge: a run that never came to its start event.
#
# What waits in the queue: of all backfills one run at a time, so that a single request finds a
# free place at once, and no more than two runs with models beside each other, since one keeps
# the cores, or the GPU, nearly busy. The pool is held by runs, not by steps: a step that waits
# for a slot spins, and hears no signal. `screenalytics run` waits in no queue. Failed runs are
# not repeated, only steps, and those only where the error may pass (see `failures`). The queue
# is looked at each second, since somebody waits for a job; while the code server is being
# restarted, a run goes back into the queue, for a minute in all, and does not fail.
_DAGSTER_YAML: Final = """\
telemetry:
  enabled: false
run_monitoring:
  enabled: true
  start_timeout_seconds: 300
  cancel_timeout_seconds: 180
nux:
  enabled: false
run_queue:
  dequeue_interval_seconds: 1
  max_user_code_failure_retries: 12
  user_code_failure_retry_delay: 5
concurrency:
  runs:
    tag_concurrency_limits:
      - key: screenalytics/backfill_id
        limit: 1
  pools:
    granularity: run
    default_limit: 2
run_retries:
  enabled: false
"""


def prepare_dagster_home(home: Path, data_root: DataRoot | None = None) -> Path:
    """Create `home` with our `dagster.yaml` and an initialised database; keep what exists.

    The first opening creates SQLite tables; two processes doing that at once fail with
    "more than one alembic head", so it happens once, under a lock.

    Args:
        data_root: For homes that a daemon runs over: with a bucket, what its runs print goes
            there. A `dagster.yaml` that somebody changed stays as it is.
    """
    with _named(home):
        instance = _prepare(home, data_root)
    if instance is not None:
        instance.dispose()
    return home


def open_instance(home: Path) -> dg.DagsterInstance:
    """Open the persistent instance of `home`, preparing it first if needed."""
    # Opening costs a second the first time, so the instance that prepared is handed on.
    with _named(home):
        return _prepare(home) or _open(home)


def _prepare(home: Path, data_root: DataRoot | None = None) -> dg.DagsterInstance | None:
    """Prepare `home`; return the instance that did it, None if there was nothing to do."""
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / ".prepare.lock"):
        config, usual = home / "dagster.yaml", _DAGSTER_YAML + no_compute_logs()
        if not config.exists():
            config.write_text(usual)
        if isinstance(data_root, S3Root) and config.read_text() == usual:
            config.write_text(_DAGSTER_YAML + compute_logs_in(data_root, home))
        ready = home / ".ready"
        if ready.exists():
            return None
        instance = _open(home)
        instance.get_runs(limit=1)
        instance.get_dynamic_partitions("ep_id")
        ready.touch()
        return instance


def _open(home: Path) -> dg.DagsterInstance:
    """Open `home` with connections that stay open, unless it says where to keep its runs."""
    given = yaml.safe_load((home / "dagster.yaml").read_text()) or {}
    overrides = {} if _STORAGES & set(given) else _kept_storages(home)
    if goes_to_a_bucket(given):
        # What this process prints belongs to whoever started it; a daemon's runs have nobody.
        overrides |= yaml.safe_load(no_compute_logs())
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides=overrides))


# What a `dagster.yaml` may say of storage; Dagster's default is SQLite in its home.
_STORAGES: Final = {"storage", "run_storage", "event_log_storage", "schedule_storage"}


def _kept_storages(home: Path) -> dict[str, Any]:
    """Return the classes for Dagster's own files; what is written to disk names none of them."""
    history = home / "history"
    return {
        "run_storage": _configured(KeptRunStorage, history),
        "event_log_storage": _configured(KeptEventLogStorage, history / "runs"),
    }


def _configured(storage: type, folder: Path) -> dict[str, Any]:
    return {
        "module": storage.__module__,
        "class": storage.__name__,
        "config": {"base_dir": str(folder)},
    }


@contextmanager
def home_errors(home: Path) -> Iterator[None]:
    """Turn what its databases say while it is used into one error that names the home.

    Raises:
        StorageError: A database is damaged, or locked for longer than anybody waits.
    """
    try:
        yield
    except SQLAlchemyError as error:
        raise _unusable(home, error) from error


@contextmanager
def _named(home: Path) -> Iterator[None]:
    """Turn what can be wrong with a home into one error that names it."""
    try:
        yield
    except (OSError, SQLAlchemyError, yaml.YAMLError, dg.DagsterError) as error:
        raise _unusable(home, error) from error


def _unusable(home: Path, error: Exception) -> StorageError:
    first_line = str(error).strip().partition("\n")[0]
    return StorageError(
        thing=f"DAGSTER_HOME {home}",
        reason=f"cannot be used ({type(error).__name__}: {first_line})",
        way_out="Make it writable, or move it away: runs lie in the data root, and a new "
        "home is made.",
    )
