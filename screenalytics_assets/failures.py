"""Our errors as Dagster shows and retries them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import dagster as dg

from screenalytics_core import errors, retries
from screenalytics_core.errors import RunBusyError, ScreenalyticsError

CODE_KEY: Final = "screenalytics/error_code"
TYPE_KEY: Final = "screenalytics/error_type"
INTERRUPTED: Final = "interrupted"
"""Code of what somebody ended from outside while no step was at work."""
_INTERRUPTS: Final = frozenset({"DagsterExecutionInterruptedError", "KeyboardInterrupt"})


@contextmanager
def as_dagster_failure(tries: int = 0) -> Iterator[None]:
    """Turn a `ScreenalyticsError` into a failure that names it, or a retry if it may pass.

    There is no retry policy on the assets, and none on runs: both would also repeat bugs, an
    hour of scanning each time. A step that is tried again stays in its run, under its run_id
    and its attempt. A run that finds another attempt of itself alive did not fail: it ends
    canceled.

    Args:
        tries: How often the step was tried before; the pauses grow.
    """
    try:
        yield
    except RunBusyError as error:
        raise dg.DagsterExecutionInterruptedError(str(error)) from error
    except ScreenalyticsError as error:
        wait_s = retries.pause_s(tries + 1) if retries.is_transient(error.code) else None
        if wait_s is not None:
            most = len(retries.PAUSES_S)
            raise dg.RetryRequested(max_retries=most, seconds_to_wait=wait_s) from error
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
