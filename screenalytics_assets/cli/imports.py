"""Importing heavy libraries, and what the garbage collector need not look at."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_gc() -> Iterator[None]:
    """Import inside; what is imported is never garbage, so no collection looks at it.

    Some 3,000 modules are half a million objects, which the collector would go through again
    and again while they load, during the run, and at the end: together a third of a second of
    importing and half a second of exiting.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def collect_rarely() -> None:
    """Let a process that answers requests look through all its objects a hundredth as often.

    With some hundred listeners that takes 0.07 s of CPU, in which nobody is answered, and
    came every few seconds. Cycles are nearly all found while they are young, as before.
    """
    young, middle, _old = gc.get_threshold()
    gc.set_threshold(young * 10, middle, 100)


class _Without:
    """An importer that says of some packages that they are not installed."""

    def __init__(self, *names: str) -> None:
        self._names = frozenset(names)

    def find_spec(self, fullname: str, *_: object) -> None:
        if fullname in self._names:
            raise ModuleNotFoundError("not wanted here", name=fullname)


def import_arrow(*, without: tuple[str, ...]) -> None:
    """Import Arrow, for which `without` are not installed in this process from now on.

    Arrow does without numpy and pandas, but takes them where it finds them: numpy with its
    own import, pandas when it is first given a list. They take longer than all the rest that
    a reading command does; nothing of ours takes pandas. What is loaded already stays.
    """
    finder = _Without(*(name for name in without if name not in sys.modules))
    sys.meta_path.insert(0, finder)
    try:
        # Each part of Arrow looks for numpy by itself.
        import pyarrow as pa
        import pyarrow.compute
        import pyarrow.parquet

        pa.array([])
    finally:
        sys.meta_path.remove(finder)
