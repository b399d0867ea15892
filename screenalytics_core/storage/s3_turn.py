"""What one process knows of a lock on a server, and who of its threads is at it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Final

from screenalytics_core.storage.clock import boot_s
from screenalytics_core.storage.s3_lease import Hold, Lease

# What was learned of a lock serves to ask for the next number this long, then it is asked anew.
FRESH_S: Final = 300.0
NEVER_S: Final = float("-inf")


@dataclass(eq=False, slots=True)
class Turn:
    """A lock inside this process: its threads queue here, one at a time asks the server.

    Attributes:
        lease: Also while nobody holds the lock, until it is released at the server or taken back.
        kept_until_s: Until then it may be taken back.
        polite_until_s: Until then one that is taken does not linger.
        owes_a_pause: It lingered, and nobody else had a chance since.
        released_at_s: When the server was told last.
        number: The highest that was seen.
        free_at_s: When that was known to be free, so that the next may be taken.
    """

    guard: threading.RLock = field(default_factory=threading.RLock)
    depth: int = 0
    lease: Lease | None = None
    kept_until_s: float = NEVER_S
    polite_until_s: float = NEVER_S
    owes_a_pause: bool = False
    released_at_s: float = NEVER_S
    hold: Hold | None = None
    number: int = 0
    free_at_s: float = NEVER_S

    def is_known_free(self) -> bool:
        """Tell whether the next number may be asked for without looking first."""
        return boot_s() - self.free_at_s < FRESH_S

    def keep(self, linger_s: float) -> None:
        """Let the lock, just taken, linger; half of the time, so that others get in."""
        now_s = boot_s()
        if now_s < self.polite_until_s:
            self.kept_until_s = now_s
        else:
            self.kept_until_s = now_s + linger_s
            self.polite_until_s = now_s + 2 * linger_s
            self.owes_a_pause = linger_s > 0

    def give_way(self, pause_s: float) -> None:
        """Let the lock be free for a moment, once after each time that it lingered.

        Whoever takes it over and over would else be back before others have looked.
        """
        if self.owes_a_pause:
            self.owes_a_pause = False
            time.sleep(max(0.0, self.released_at_s + pause_s - boot_s()))
