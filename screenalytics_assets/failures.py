"""Our errors as Dagster shows and retries them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import dagster as dg

from screenalytics_core.errors import RunBusyError, ScreenalyticsError, StorageError

CODE_KEY: Final = "screenalytics/error_code"
TYPE_KEY: Final = "screenalytics/error_type"

TRANSIENT: Final = (StorageError,)
"""Errors that may pass by themselves; every other one would only fail again."""

RETRIES: Final = dg.RetryPolicy(max_retries=2, delay=2.0, backoff=dg.Backoff.EXPONENTIAL)


@contextmanager
def as_dagster_failure() -> Iterator[None]:
    """Turn a `ScreenalyticsError` into a failure that names it, retried only when transient.

    A run that finds another attempt of itself alive did not fail: it ends canceled.
    """
    try:
        yield
    except RunBusyError as error:
        raise dg.DagsterExecutionInterruptedError(str(error)) from error
    except ScreenalyticsError as error:
        raise dg.Failure(
            description=str(error),
            metadata={CODE_KEY: error.code, TYPE_KEY: type(error).__name__},
            allow_retries=isinstance(error, TRANSIENT),
        ) from error
