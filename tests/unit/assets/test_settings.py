"""The trace that a launch belongs to, as W3C's `traceparent` names it."""

from __future__ import annotations

import logging

import pytest

from screenalytics_assets.settings import Settings

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{PARENT}-01"


def test_a_traceparent_gives_the_trace_id(caplog: pytest.LogCaptureFixture) -> None:
    assert Settings.from_env({"TRACEPARENT": GOOD}).trace_id == TRACE
    assert caplog.records == []


@pytest.mark.parametrize("environ", [{}, {"TRACEPARENT": ""}])
def test_no_traceparent_is_nothing_to_warn_of(
    environ: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    assert Settings.from_env(environ).trace_id is None
    assert caplog.records == []


@pytest.mark.parametrize(
    "traceparent",
    [
        pytest.param(f"00-{'0' * 32}-{PARENT}-01", id="no trace"),
        pytest.param(f"00-{TRACE}-{'0' * 16}-01", id="no parent"),
        pytest.param(f"ff-{TRACE}-{PARENT}-01", id="forbidden version"),
        pytest.param(f"00-{TRACE.upper()}-{PARENT}-01", id="upper case"),
        pytest.param(f"00-{TRACE[1:]}-{PARENT}-01", id="short trace"),
        pytest.param(f"00-{TRACE}-{PARENT}", id="no flags"),
        pytest.param(f"00-{TRACE}-{PARENT}-01-extra", id="more"),
        pytest.param(f"{GOOD}\n", id="a line"),
        pytest.param("nonsense", id="nonsense"),
    ],
)
def test_a_malformed_traceparent_is_ignored_and_warned_of(
    traceparent: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert Settings.from_env({"TRACEPARENT": traceparent}).trace_id is None
    assert "TRACEPARENT is ignored" in caplog.text


def test_a_child_process_gets_the_traceparent_as_it_is() -> None:
    environ = {"TRACEPARENT": GOOD}

    assert Settings.from_env(environ).child_environment(environ)["TRACEPARENT"] == GOOD
