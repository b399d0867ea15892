"""How often a client may launch: each launch takes cores for minutes."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from screenalytics_assets.settings import DEFAULT_LAUNCH_RATE
from screenalytics_core.errors import RateLimitedError, SettingsError


class LaunchRates:
    """Counts the launches of each client, by its address.

    Args:
        rate: As `60/minute`.

    Raises:
        SettingsError: It is no rate.
    """

    def __init__(self, rate: str = DEFAULT_LAUNCH_RATE) -> None:
        self._rate = _parsed(rate)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, client: str) -> None:
        """Count a launch.

        Raises:
            RateLimitedError: The client has launched too often.
        """
        if self._limiter.hit(self._rate, client):
            return
        again_s = self._limiter.get_window_stats(self._rate, client).reset_time - time.time()
        raise RateLimitedError(
            thing="launch",
            reason=f"is one more than {self._rate} from one address",
            way_out="Wait, or start the server with another SCREENALYTICS_API_LAUNCH_RATE.",
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
