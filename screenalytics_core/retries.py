"""Which errors may pass by themselves, and how long to wait before the next try.

Stated here only: a step in Dagster and an episode of a backfill go by the same table.
"""

from __future__ import annotations

from typing import Final

from screenalytics_core.errors import StorageError

# A lost connection or a database that another process holds. What is not in here would only
# fail again: a full disk, a broken model, a run that somebody else is at, a missing key.
TRANSIENT: Final = frozenset({StorageError.code})

# Between a blink of the network and a restart of a server; beyond that somebody must look.
PAUSES_S: Final = (2.0, 10.0, 30.0)


def is_transient(code: str) -> bool:
    """Tell whether an error, by its stable code, may pass by itself."""
    return code in TRANSIENT


def pause_s(tries: int) -> float | None:
    """Return how long to wait before the next try; None when there is none any more.

    Args:
        tries: How often it was tried and failed, from 1 on.
    """
    return PAUSES_S[tries - 1] if tries <= len(PAUSES_S) else None
