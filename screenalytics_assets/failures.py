"""Our errors as Dagster shows and retries them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import dagster as dg

from screenalytics_core.errors import (
    KeyMissingError,
    RunBusyError,
    ScreenalyticsError,
    StorageError,
)

CODE_KEY: Final = "screenalytics/error_code"
TYPE_KEY: Final = "screenalytics/error_type"
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
