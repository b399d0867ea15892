"""Times and lengths as people read them."""

from __future__ import annotations

import pytest

from screenalytics_core.run_tools.wording import first_line, took, when


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0.00 s"),
        (0.42, "0.42 s"),
        (12.34, "12.3 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h 00 min"),
        (3725, "1 h 02 min"),
        (90000, "25 h 00 min"),
        (None, "–"),  # noqa: RUF001 - the dash of the report
    ],
)
def test_a_length_of_time_reads_naturally(seconds: float | None, said: str) -> None:
    assert took(seconds) == said


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-11-21T10:30:05.999999+00:00", "2026-11-21 10:30:05Z"),
        ("2026-11-21T10:30:05+01:00", "2026-11-21 09:30:05Z"),
        ("2026-11-21T10:30:05", "2026-11-21 10:30:05Z"),
        (None, "–"),  # noqa: RUF001
    ],
)
def test_a_time_is_in_utc_to_the_second(at: str | None, said: str) -> None:
    assert when(at) == said


def test_only_the_first_line_of_an_error_fits_a_table() -> None:
    assert first_line("  disk full\nfree some") == "disk full"
    assert len(first_line("x" * 500)) == 100
    assert first_line(" \n ") == ""
