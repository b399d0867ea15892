"""What is handed in for later is released once, soon after it is due, whatever else goes on."""

from __future__ import annotations

import threading
import time

import pytest

from screenalytics_core.storage import s3_release
from screenalytics_core.storage.clock import boot_s
from screenalytics_core.storage.s3_release import LateRelease

WITHIN_S = 30.0


class Released:
    """What was released, for tests to wait for."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._changed = threading.Condition()

    def note(self, name: str) -> None:
        with self._changed:
            self.names.append(name)
            self._changed.notify_all()

    def wait_for(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.names) >= count, WITHIN_S), self.names


def test_what_is_due_first_is_released_first() -> None:
    released, now_s = Released(), boot_s()
    late = LateRelease(released.note)

    late.add("later", now_s + 0.2)
    late.add("sooner", now_s + 0.1)
    late.add("at once", now_s - 1)
    released.wait_for(3)

    assert released.names == ["at once", "sooner", "later"]


def test_what_is_handed_in_twice_for_one_time_is_released_once() -> None:
    released, due_s = Released(), boot_s() + 3600
    late = LateRelease(released.note)

    for _ in range(1000):
        late.add("a", due_s)
    late.flush()

    assert released.names == ["a"]


def test_what_comes_when_the_thread_is_about_to_end_is_released_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(s3_release, "_IDLE_S", 0.002)
    released = Released()
    late = LateRelease(released.note)

    for n in range(500):
        late.add(str(n), boot_s())
        released.wait_for(n + 1)
        time.sleep(0.002)

    assert len(released.names) == 500


def test_the_end_waits_for_what_is_being_released_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(s3_release, "_END_S", 0.2)
    may_end, done = threading.Event(), Released()

    def slowly(name: str) -> None:
        may_end.wait(WITHIN_S)
        done.note(name)

    late = LateRelease(slowly)
    late.add("of a server that is gone", boot_s() + 3600)
    late.flush()
    assert done.names == []

    may_end.set()
    monkeypatch.setattr(s3_release, "_END_S", WITHIN_S)
    late.flush()
    assert done.names == ["of a server that is gone"]
