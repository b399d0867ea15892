"""What a look at the videos' folders means: a table of cases, no file touched."""

from __future__ import annotations

import pytest

from screenalytics_assets.video_watch import GRACE_NS, Memory, Plan, plan_tick
from screenalytics_core.episode_survey import Seen
from screenalytics_core.storage.base import Stamp

EP, OTHER = "a-s01e01", "a-s01e02"
NOTHING = Memory()
S = 10**9
NOW = 1_000 * S


def stamp(changed_s: float, *, written_s: float | None = None, size: int = 7) -> Stamp:
    """Return the stamp of a file that was written when it changed, or copied with its old time."""
    written_s = changed_s if written_s is None else written_s
    return Stamp(size, int(written_s * S), int(changed_s * S))


def folder(changed_s: float | None, recorded_s: float | None = None, **kw: float) -> Seen:
    video = None if changed_s is None else stamp(changed_s, **kw)  # type: ignore[arg-type]
    return Seen(video, None if recorded_s is None else stamp(recorded_s))


def plan(
    seen: dict[str, Seen], memory: Memory = NOTHING, partitions: tuple[str, ...] = (EP, OTHER)
) -> Plan:
    return plan_tick(seen, partitions, memory, NOW)


def waiting_for(seen: Seen, settled_s: float = 0) -> Memory:
    assert seen.video is not None
    return Memory(int(settled_s * S), {EP: seen.video})


OLD = folder(500)
FRESH = folder(999)


@pytest.mark.parametrize(
    ("seen", "memory", "opened", "waits"),
    [
        pytest.param(OLD, Memory(), True, False, id="nobody wrote to it for long"),
        pytest.param(FRESH, Memory(), False, True, id="just written"),
        pytest.param(FRESH, waiting_for(FRESH), True, False, id="unchanged between two ticks"),
        pytest.param(
            FRESH, waiting_for(folder(999, size=6)), False, True, id="grew between two ticks"
        ),
        pytest.param(FRESH, waiting_for(folder(998)), False, True, id="written between two ticks"),
        pytest.param(folder(999, written_s=10), Memory(), True, False, id="moved there whole"),
        pytest.param(folder(999, written_s=5000), Memory(), False, True, id="time of tomorrow"),
        pytest.param(
            folder(5000), waiting_for(folder(5000), 5000), True, False, id="clock was set back"
        ),
        pytest.param(OLD, Memory(500 * S), False, False, id="dealt with"),
        pytest.param(OLD, Memory(499 * S), True, False, id="changed since"),
        pytest.param(OLD, waiting_for(OLD, 900), True, False, id="put off, others went ahead"),
        pytest.param(folder(500, 501), Memory(), False, False, id="registered"),
        pytest.param(folder(500, 500), Memory(), False, False, id="registered at once"),
        pytest.param(folder(502, 501), Memory(), True, False, id="touched since it was registered"),
        pytest.param(folder(502, 501), Memory(502 * S), False, False, id="told already"),
        pytest.param(folder(999, 501), Memory(), False, True, id="being replaced"),
        pytest.param(folder(None, 501), Memory(), False, False, id="removed"),
        pytest.param(folder(None), waiting_for(OLD), False, False, id="removed while it waited"),
    ],
)
def test_a_file_is_opened_once_it_is_whole(
    seen: Seen, memory: Memory, opened: bool, waits: bool
) -> None:
    found = plan({EP: seen}, memory)

    assert found.open == ((EP,) if opened else ())
    assert dict(found.memory.waiting) == ({EP: seen.video} if waits else {})


def test_the_grace_is_counted_from_the_last_byte() -> None:
    edge = Stamp(7, NOW - GRACE_NS, NOW - GRACE_NS)

    assert plan({EP: Seen(edge, None)}).open == ()
    assert plan({EP: Seen(edge._replace(modified_ns=NOW - GRACE_NS - 1), None)}).open == (EP,)


def test_what_was_dealt_with_is_not_looked_at_again() -> None:
    first = plan({EP: OLD, OTHER: folder(600)})

    assert first.open == (EP, OTHER)
    assert plan({EP: OLD, OTHER: folder(600)}, first.memory).open == ()
    assert plan({EP: folder(700), OTHER: folder(600)}, first.memory).open == (EP,)


def test_after_a_clock_was_set_back_new_files_are_still_seen() -> None:
    memory = plan({}, Memory(5000 * S)).memory

    assert plan_tick({EP: folder(1_001)}, (), memory, NOW + GRACE_NS + 5 * S).open == (EP,)


def test_what_changed_first_is_opened_first() -> None:
    assert plan({EP: folder(600), OTHER: OLD}).open == (OTHER, EP)


def test_what_there_was_no_time_for_is_opened_by_the_next_tick() -> None:
    seen = {f"a-s01e{n:02d}": folder(500 + n // 2) for n in range(1, 7)}
    memory, opened = Memory(), []
    for _ in range(6):
        found = plan(seen, memory)
        opened += found.open[:1]
        memory = found.memory_after(seen, found.open[1:], [])

    # Some are of the same instant: none is missed, and none is looked at twice.
    assert opened == list(seen)
    assert plan(seen, memory).open == ()


def test_what_was_put_off_does_not_bring_back_what_is_settled() -> None:
    seen = {EP: OLD, OTHER: folder(600)}
    found = plan(seen, Memory(650 * S, {EP: stamp(500)}))

    assert found.open == (EP,)
    left = found.memory_after(seen, [EP], [])
    assert plan(seen, left).open == (EP,)


def test_what_may_go_better_next_time_is_tried_again() -> None:
    seen = {EP: OLD, OTHER: folder(600)}
    found = plan(seen)

    assert plan(seen, found.memory_after(seen, [], [EP])).open == (EP,)


def test_a_tick_remembers_little_of_a_season_that_is_being_copied() -> None:
    seen = {f"a-s01e{n:03d}": folder(990 + n / 1000) for n in range(1_000)}
    first = plan(seen)

    assert len(first.memory.to_cursor()) < 20_000
    later = plan_tick(seen, (), first.memory, NOW + GRACE_NS + 10 * S)
    assert set(later.open) == set(seen)


@pytest.mark.parametrize(
    ("seen", "partitions", "expected"),
    [
        pytest.param({EP: folder(500, 501)}, (), (EP,), id="a new home"),
        pytest.param({EP: folder(None, 501)}, (), (EP,), id="its file is gone, its runs are not"),
        pytest.param({EP: OLD}, (), (), id="not registered yet"),
        pytest.param({EP: folder(500, 501)}, (EP,), (), id="known"),
    ],
)
def test_registered_episodes_become_partitions(
    seen: dict[str, Seen], partitions: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert plan(seen, partitions=partitions).partitions == expected


@pytest.mark.parametrize(
    ("seen", "gone"),
    [
        pytest.param({EP: folder(None, 501)}, (EP,), id="file removed"),
        pytest.param({}, (EP,), id="folder removed"),
        pytest.param({EP: folder(500, 501)}, (), id="there"),
        pytest.param({EP: folder(500)}, (), id="there, not registered"),
    ],
)
def test_a_partition_without_its_video_is_gone(seen: dict[str, Seen], gone: tuple[str]) -> None:
    assert plan(seen, partitions=(EP,)).gone == gone


@pytest.mark.parametrize("name", ["A-S01E01", "two words", "a..b", "x" * 129])
def test_a_folder_that_no_episode_is_called_after_is_told_not_opened(name: str) -> None:
    found = plan({name: OLD})

    assert (found.open, found.misnamed) == ((), (name,))
    assert plan({name: folder(None)}).misnamed == ()


def test_what_is_told_is_told_again_only_when_it_changes() -> None:
    first, same = plan({}, partitions=(EP,)), plan({}, partitions=(EP,))
    more, none = plan({}, partitions=(EP, OTHER)), plan({EP: folder(5, 6)}, partitions=(EP,))

    assert first.memory.told == same.memory.told != more.memory.told
    assert none.memory.told == ""


def test_a_cursor_is_read_back() -> None:
    memory = Memory(7 * S, {EP: stamp(5), OTHER: stamp(6)}, "abc")

    assert Memory.parse(memory.to_cursor()) == memory


@pytest.mark.parametrize(
    "cursor",
    [
        None,
        "",
        "{",
        "[]",
        "7",
        '{"settled_ns": 1}',
        '{"settled_ns":1,"waiting":{"a":[1]},"told":""}',
    ],
)
def test_an_unreadable_cursor_looks_at_everything(cursor: str | None) -> None:
    assert Memory.parse(cursor) == Memory()
