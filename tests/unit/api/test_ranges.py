"""Which bytes a client asks for, and whether it has them already."""

from __future__ import annotations

import pytest

from screenalytics_assets.api.ranges import (
    Span,
    UnsatisfiableRangeError,
    asked_span,
    etag_of,
    is_known,
)

ETAG = etag_of("a" * 64)


@pytest.mark.parametrize(
    ("header", "span"),
    [
        pytest.param("bytes=0-0", Span(0, 1), id="first byte"),
        pytest.param("bytes=2-4", Span(2, 5), id="middle"),
        pytest.param("bytes=7-", Span(7, 10), id="to the end"),
        pytest.param("bytes=-3", Span(7, 10), id="last three"),
        pytest.param("bytes=-99", Span(0, 10), id="more than there is, from the end"),
        pytest.param("bytes=4-99", Span(4, 10), id="beyond the end"),
        pytest.param("Bytes = 1 - 2", Span(1, 3), id="blanks and case"),
    ],
)
def test_a_range_is_the_part_that_it_names(header: str, span: Span) -> None:
    assert asked_span(header, None, ETAG, 10) == span


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes=",
        "bytes=-",
        "bytes=4-2",
        "bytes=0-1,4-5",
        "items=0-1",
        "bytes=0x1-2",
        "bytes=\u0661-\u0662",
        "bytes=+1-2",
        f"bytes={'9' * 40}-",
    ],
)
def test_what_is_no_single_range_of_bytes_gets_the_whole(header: str | None) -> None:
    assert asked_span(header, None, ETAG, 10) is None


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=10-", 10), ("bytes=99-100", 10), ("bytes=-0", 10), ("bytes=0-", 0)]
)
def test_a_range_without_a_byte_is_refused(header: str, size: int) -> None:
    with pytest.raises(UnsatisfiableRangeError):
        asked_span(header, None, ETAG, size)


@pytest.mark.parametrize("if_range", ['"other"', f"W/{ETAG}", "Wed, 21 Oct 2015 07:28:00 GMT", ""])
def test_a_range_of_another_content_gets_the_whole(if_range: str) -> None:
    assert asked_span("bytes=0-1", if_range, ETAG, 10) is None
    assert asked_span("bytes=99-", if_range, ETAG, 10) is None


def test_a_range_of_the_same_content_gets_the_range() -> None:
    assert asked_span("bytes=0-1", ETAG, ETAG, 10) == Span(0, 2)


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (None, False),
        ("", False),
        (ETAG, True),
        (f"W/{ETAG}", True),
        (f'"x", {ETAG}', True),
        ("*", True),
        ('"x"', False),
        ("a" * 64, False),
    ],
)
def test_a_client_has_what_it_names(header: str | None, known: bool) -> None:
    assert is_known(header, ETAG) is known
