"""Run ids: what is valid, and how the three kinds are minted. No I/O in here."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from screenalytics_core.episodes import is_path_safe
from screenalytics_core.errors import InvalidIdError

# The seeds stamp attempts in Eastern Standard Time all year; daylight saving would make
# two attempts an hour apart share a name.
EST: Final = timezone(timedelta(hours=-5), "EST")
_ATTEMPT: Final = re.compile(r"Attempt(\d+)_\d{4}-\d{2}-\d{2}_\d{6}_EST")


def normalize_run_id(run_id: str) -> str:
    """Return `run_id` stripped of surrounding blanks, or refuse it.

    Raises:
        InvalidIdError: It is not 1-128 characters of `[A-Za-z0-9._-]`, starts with another
            character than a letter or digit, or holds `..`.
    """
    text = run_id.strip() if isinstance(run_id, str) else run_id
    if not isinstance(text, str) or not is_path_safe(text):
        raise InvalidIdError(
            thing=f"run_id {run_id!r}",
            reason="must match ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$ and hold no '..'",
            way_out="Leave it out to have one minted.",
            value=run_id,
        )
    return text


def generate_run_id() -> str:
    """Mint a `hex` run id: UUID4 hex, 32 characters."""
    return uuid.uuid4().hex


def generate_timestamp_run_id(
    ep_id: str, source: str, video_sha256: str, created_at: datetime
) -> str:
    """Mint a `timestamp` run id, `YYYYMMDD_HHMMSS_<8 hex>` in UTC.

    The hex is the start of the SHA-1 over `ep_id|source|first 12 of the video's sha256`
    (seed 004), so it only tells inputs apart; the second tells runs apart, and the loser
    of a race takes the next one.

    Args:
        created_at: An aware time.
    """
    seed = f"{ep_id}|{source}|{video_sha256[:12]}"
    short = hashlib.sha1(seed.encode(), usedforsecurity=False).hexdigest()[:8]
    return f"{created_at.astimezone(UTC):%Y%m%d_%H%M%S}_{short}"


def generate_attempt_run_id(existing_run_ids: Iterable[str], created_at: datetime) -> str:
    """Mint an `attempt` run id, `AttemptN_YYYY-MM-DD_HHMMSS_EST`.

    N is one more than the highest attempt among `existing_run_ids`, at least 1.
    """
    numbers = [int(m[1]) for r in existing_run_ids if (m := _ATTEMPT.fullmatch(r))]
    return f"Attempt{max(numbers, default=0) + 1}_{created_at.astimezone(EST):%Y-%m-%d_%H%M%S}_EST"
