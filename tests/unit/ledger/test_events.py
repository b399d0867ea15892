"""A line of the log: what it holds, and what is no event."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from math import nan
from typing import Any

import pytest

from screenalytics_core.ledger.events import (
    EventKind,
    LedgerEvent,
    attempt_claimed,
    attempt_lost,
    index_patched,
    iso,
)
from tests.unit.ledger.event_samples import (
    PRICES,
    PROCESS,
    Told,
    at,
    numbered,
    patched,
    priced,
    refused,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def nested(levels: int) -> dict[str, Any]:
    return {"a": nested(levels - 1)} if levels else {}


def test_every_event_comes_back_from_its_line() -> None:
    told = Told().begins(1).started("scan").reported("scan", 1, 2, part="a").measured("scan", x=1)
    told.retrying("scan").does("scan").failed("faces").canceling().completed().lost()
    events = numbered([*told, *refused("d2"), patched({"a": {"b": 1}}), priced()])

    assert {e.kind for e in events} == set(EventKind) - {EventKind.RUN_FAILED}
    for event in events:
        back = LedgerEvent.from_dict(json.loads(json.dumps(event.to_dict())))
        assert (back, back.sequence) == (event, event.sequence)


def test_a_line_says_only_what_is_known() -> None:
    line = LedgerEvent("d1/7", EventKind.RUN_STARTED, at(0), "d1", 7).to_dict()

    assert line == {
        "sequence": 0,
        "event_id": "d1/7",
        "kind": "run_started",
        "at": "2026-01-02T03:00:00.000000+00:00",
        "dagster_run_id": "d1",
        "order": 7,
    }


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param({"kind": "run_exploded"}, id="unknown kind"),
        pytest.param({"stage": "lunch"}, id="unknown stage"),
        pytest.param({"colour": "red"}, id="unknown member"),
        pytest.param({"event_id": 7}, id="id of another type"),
        pytest.param({"event_id": ""}, id="no id"),
        pytest.param({"dagster_run_id": ""}, id="of no Dagster run"),
        pytest.param({"order": "7"}, id="order of another type"),
        pytest.param({"attempt": "1"}, id="attempt of another type"),
        pytest.param({"at": "yesterday"}, id="no time"),
        pytest.param({"at": None}, id="time of another type"),
        pytest.param({"at": "2026-01-02T03:00:00"}, id="no time zone"),
        pytest.param({"data": []}, id="data of another type"),
        pytest.param({"data": {"done": 1}}, id="no total"),
        pytest.param({"data": {"done": "1", "total": 2}}, id="done is no number"),
        pytest.param({"data": {"done": 1, "total": 2, "facts": 3}}, id="facts are no object"),
        pytest.param(
            {"data": {"done": 1, "total": 2, "facts": {"cpu_s": "4"}}}, id="fact is no number"
        ),
        pytest.param({"kind": "step_failed", "data": {"error": "bad"}}, id="error is text"),
        pytest.param({"kind": "step_failed", "data": {"error": {"code": "c"}}}, id="no message"),
        pytest.param({"kind": "artifact_published", "data": {}}, id="no asset"),
        pytest.param({"kind": "attempt_claimed", "data": {"process": {}}}, id="no claimed_at"),
        pytest.param({"kind": "run_queued", "data": {"created_at": "now"}}, id="no creation time"),
        pytest.param({"kind": "index_patched", "data": {"patch": None}}, id="no patch"),
        pytest.param({"kind": "run_priced", "data": {}}, id="no prices"),
        pytest.param({"kind": "run_priced", "data": {"prices": []}}, id="prices are a list"),
        *(
            pytest.param(
                {"kind": "run_priced", "data": {"prices": {**PRICES.to_dict(), **wrong}}},
                id=f"prices with {wrong}",
            )
            for wrong in (
                {"markup_percent": 20},
                {"markup_percent": "-20"},
                {"markup_percent": "NaN"},
                {"decimals": 400},
                {"decimals": True},
                {"rates": {}},
                {"rates": 3},
                {"rates": {key: {"price": "1", "per": "0.0"} for key in PRICES.rates}},
                {"rates": {key: {"price": "1"} for key in PRICES.rates}},
                {"rates": dict.fromkeys(PRICES.rates, "1")},
                {"sha256": "short"},
                {"currency": "dollars"},
                {"schema_version": 2},
            )
        ),
        pytest.param({"kind": "run_started", "data": []}, id="data is a list"),
        pytest.param({"kind": "run_started", "data": None}, id="data is null"),
        pytest.param({"dagster_run_id": "d\ud800"}, id="id that is no Unicode"),
        pytest.param({"attempt": 10**30}, id="attempt beyond all columns"),
        pytest.param({"at": "0001-01-01T00:00:00+14:00"}, id="before all time"),
        pytest.param({"data": {"done": 10**400, "total": 10**401}}, id="done beyond all numbers"),
        pytest.param({"data": {"done": 1, "total": 2, "facts": {"cpu_s": nan}}}, id="NaN"),
        pytest.param({"data": {"done": 1, "total": 2, "facts": {"cpu_s": 1e308}}}, id="huge"),
        pytest.param(
            {"data": {"done": 1, "total": 2, "facts": {"frames": 1.5}}}, id="half a frame"
        ),
        pytest.param(
            {"kind": "run_queued", "data": {"created_at": at(0), "tags": [{}]}}, id="tag is no text"
        ),
        pytest.param({"kind": "index_patched", "data": {"patch": nested(65)}}, id="too deep"),
        pytest.param({"kind": "index_patched", "data": {"patch": {"a": nan}}}, id="patch of NaN"),
    ],
)
def test_a_record_that_the_fold_could_not_take_is_no_event(damage: dict[str, Any]) -> None:
    sound = Told().reported("scan", 1, 2).events[0].to_dict()
    LedgerEvent.from_dict(sound)

    with pytest.raises((ValueError, KeyError, TypeError)):
        LedgerEvent.from_dict({**sound, **damage})


def test_our_own_events_are_the_same_every_time() -> None:
    later = NOW + timedelta(minutes=1)

    assert attempt_claimed("d1", 1, iso(NOW), PROCESS) == attempt_claimed(
        "d1", 1, iso(NOW), PROCESS
    )
    assert (
        attempt_lost("d1", 1, NOW, "gone").event_id == attempt_lost("d1", 1, later, "no").event_id
    )
    ids = {attempt_lost(d, n, NOW, "").event_id for d in ("d1", "d2") for n in (None, 1)}
    assert len(ids) == 4
    assert index_patched({"a": 1}, NOW).event_id != index_patched({"a": 1}, NOW).event_id


def test_times_stand_in_utc_with_microseconds() -> None:
    east = datetime(2026, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2)))

    assert iso(east) == iso(NOW) == "2026-01-02T03:04:05.000000+00:00"
