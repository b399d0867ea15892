"""schedules.yaml: what is wrong is named by its line and field."""

from __future__ import annotations

from datetime import UTC, datetime
from textwrap import dedent

import pytest

from screenalytics_core.backfills.choice import Which
from screenalytics_core.backfills.schedule_file import Schedule, read_schedules
from screenalytics_core.errors import ScheduleError

GOOD = """\
schedules:
  nightly:
    cron: "0 2 * * *"
    timezone: America/New_York
    selection: [rhobh-s05]
    which: [missing, stale]
    profile: low_power
    settings:
      stride: 6
"""


def read(text: str) -> tuple[Schedule, ...]:
    return read_schedules(dedent(text), lambda cron: len(cron.split()) == 5)


def test_a_schedule_says_when_what_and_how() -> None:
    (schedule,) = read(GOOD)

    assert (schedule.name, schedule.cron) == ("nightly", "0 2 * * *")
    assert schedule.which == (Which.MISSING, Which.STALE)
    assert schedule.config.stride == 6
    assert schedule.config.min_stride == 6, "of the profile"
    assert schedule.is_enabled


def test_a_tick_has_one_id_in_every_time_zone() -> None:
    (schedule,) = read(GOOD)
    here = datetime(2026, 11, 21, 2, tzinfo=UTC)
    there = datetime.fromisoformat("2026-11-20T21:00:00-05:00")

    assert schedule.tick_id(here) == schedule.tick_id(there) == "nightly_20261121T0200Z"


@pytest.mark.parametrize(
    ("old", "new", "line", "field"),
    [
        pytest.param("0 2 * * *", "every night", 3, "schedules.nightly.cron", id="cron"),
        pytest.param("America/New_York", "Mars/Olympus", 4, "schedules.nightly.timezone", id="tz"),
        pytest.param("America/New_York", "../etc", 4, "schedules.nightly.timezone", id="tz path"),
        pytest.param("[rhobh-s05]", "rhobh-s05", 5, "schedules.nightly.selection", id="no list"),
        pytest.param("[rhobh-s05]", "[]", 5, "schedules.nightly.selection", id="empty"),
        pytest.param("[missing, stale]", "[new]", 6, "schedules.nightly.which", id="which"),
        pytest.param("low_power", "fast", 7, "schedules.nightly.profile", id="profile"),
        pytest.param("stride: 6", "strid: 6", 8, "schedules.nightly.settings", id="setting"),
        pytest.param("stride: 6", "stride: 0", 8, "schedules.nightly.settings", id="range"),
        pytest.param("which:", "witch:", 6, "schedules.nightly.witch", id="unknown field"),
        pytest.param("nightly:", "every night:", 2, "schedules.every night", id="name"),
        pytest.param('cron: "0 2 * * *"', "enabled: yes", 2, "schedules.nightly", id="no cron"),
        pytest.param("[rhobh-s05]", "[rhobh-s05", 6, "", id="no YAML"),
    ],
)
def test_what_is_wrong_is_named_by_line_and_field(
    old: str, new: str, line: int, field: str
) -> None:
    with pytest.raises(ScheduleError) as raised:
        read(GOOD.replace(old, new))

    assert (raised.value.line, raised.value.field) == (line, field)
    assert f"line {line}" in str(raised.value)


@pytest.mark.parametrize("text", ["", "[]", "schedules: []", "\x00", "a: [*b]"])
def test_what_is_no_schedule_file_is_refused(text: str) -> None:
    with pytest.raises(ScheduleError):
        read(text)


def test_no_schedules_are_fine() -> None:
    assert read("schedules: {}") == ()
