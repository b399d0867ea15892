"""How often a client may do what is dear: launch, or try a token."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from screenalytics_assets.settings import DEFAULT_LAUNCH_RATE
from screenalytics_core.errors import RateLimitedError, SettingsError


class Rates:
    """Counts what each client does, by its address.

    Args:
        rate: As `60/minute`.
        what: That is counted.

    Raises:
        SettingsError: It is no rate.
    """

    def __init__(self, rate: str = DEFAULT_LAUNCH_RATE, what: str = "launch") -> None:
        self._what = what
        self._rate = _parsed(rate)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, client: str) -> None:
        """Count once more.

        Raises:
            RateLimitedError: The client has done so too often.
        """
        if self._limiter.hit(self._rate, client):
            return
        again_s = self._limiter.get_window_stats(self._rate, client).reset_time - time.time()
        raise RateLimitedError(
            thing=self._what,
            reason=f"is one more than {self._rate} from one address",
            way_out="Wait. SCREENALYTICS_API_LAUNCH_RATE says how often launches are let in.",
            retry_after_s=max(1, math.ceil(again_s)),
        )


def _parsed(rate: str) -> RateLimitItem:
    try:
        return parse(rate)
    except ValueError as error:
        raise SettingsError(
            thing=f"SCREENALYTICS_API_LAUNCH_RATE={rate!r}",
            reason="is no rate",
            way_out="Write one such as 60/minute or 1000/day.",
        ) from error
