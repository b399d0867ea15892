"""A thread that shows other machines that an attempt's process still lives."""

from __future__ import annotations

import logging
import threading
from typing import Final

from screenalytics_core.attempts import AttemptRecord, AttemptStore
from screenalytics_core.errors import ScreenalyticsError

HEARTBEAT_PERIOD_S: Final = 10.0
_LOG: Final = logging.getLogger(__name__)


class Heartbeat:
    """Beats from `start` to `stop`; a beat that fails is logged, since the next may work."""

    def __init__(self, attempts: AttemptStore, attempt: AttemptRecord) -> None:
        self._attempts = attempts
        self._attempt = attempt
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Beat once, then in the background."""
        self._beat()
        self._thread.start()

    def stop(self) -> None:
        """Stop beating and wait for the thread."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(HEARTBEAT_PERIOD_S):
            self._beat()

    def _beat(self) -> None:
        try:
            self._attempts.beat(self._attempt)
        except ScreenalyticsError as error:
            _LOG.warning("heartbeat of attempt %s failed: %s", self._attempt.n, error)
