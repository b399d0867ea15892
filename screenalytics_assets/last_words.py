"""What a failing step leaves behind before its error goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_LOG: Final = logging.getLogger(__name__)


@contextmanager
def last_words(say: Callable[[], None]) -> Iterator[None]:
    """Call `say` if the block fails, in whatever way; the block's own error is what is raised.

    An interruption (Ctrl-C, a canceled run) counts too: what it used up was used up.
    """
    try:
        yield
    except BaseException:
        try:
            say()
        except Exception:  # noqa: BLE001 - whatever it is, the first error matters more
            _LOG.warning("what a failed step used up is not recorded", exc_info=True)
        raise
