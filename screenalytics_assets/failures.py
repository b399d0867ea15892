"""Our errors as Dagster shows and retries them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import dagster as dg

from screenalytics_core import errors
from screenalytics_core.errors import (
    KeyMissingError,
    RunBusyError,
    ScreenalyticsError,
    StorageError,
)

CODE_KEY: Final = "screenalytics/error_code"
TYPE_KEY: Final = "screenalytics/error_type"
INTERRUPTED: Final = "interrupted"
"""Code of what somebody ended from outside while no step was at work."""
_INTERRUPTS: Final = frozenset({"DagsterExecutionInterruptedError", "KeyboardInterrupt"})
_MAX_RETRIES: Final = 2
_WAIT_S: Final = 2.0


def is_transient(error: ScreenalyticsError) -> bool:
    """Tell whether an error may pass by itself; every other one would only fail again."""
    return isinstance(error, StorageError) and not isinstance(error, KeyMissingError)


@contextmanager
def as_dagster_failure() -> Iterator[None]:
    """Turn a `ScreenalyticsError` into a failure that names it, or a retry if it may pass.

    There is no retry policy on the assets: it would also repeat bugs, an hour of scanning
    each time. A run that finds another attempt of itself alive did not fail: it ends
    canceled.
    """
    try:
        yield
    except RunBusyError as error:
        raise dg.DagsterExecutionInterruptedError(str(error)) from error
    except ScreenalyticsError as error:
        if is_transient(error):
            raise dg.RetryRequested(max_retries=_MAX_RETRIES, seconds_to_wait=_WAIT_S) from error
        raise dg.Failure(
            description=str(error),
            metadata={CODE_KEY: error.code, TYPE_KEY: type(error).__name__},
            allow_retries=False,
        ) from error


def describe_step_failure(event: dg.DagsterEvent) -> tuple[str, str]:
    """Return the message and the stable code of a step's failure."""
    data = event.step_failure_data
    if data.user_failure_data is not None:
        metadata: dict[str, Any] = dict(data.user_failure_data.metadata)
        name, code = metadata.get(TYPE_KEY), metadata.get(CODE_KEY)
        text = data.user_failure_data.description or "failed"
        if name is not None and code is not None:
            return f"{name.value}: {text}", str(code.value)
        return text, "failed"
    error = data.error
    while error is not None and error.cause is not None:
        error = error.cause  # Dagster wraps; the first cause is what happened
    if error is None:
        return "failed", "unexpected_error"
    if error.cls_name in _INTERRUPTS:
        return "ended from outside: Ctrl-C, or a signal to the process", INTERRUPTED
    message = error.message.strip()
    ours = getattr(errors, error.cls_name or "", None)
    if isinstance(ours, type) and issubclass(ours, ScreenalyticsError):
        return message.removeprefix(f"{errors.__name__}."), ours.code
    return message, "unexpected_error"  # a bug: named as Python does
