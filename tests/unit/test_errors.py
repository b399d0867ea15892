"""Every error names the thing, the reason and the way out, and survives a process boundary."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest

import screenalytics_core
from screenalytics_core import errors
from screenalytics_core.errors import ScreenalyticsError

THING = {"thing": "video x.mp4", "reason": "holds no frames", "way_out": "Give another file."}
# Errors with fields of their own.
OTHER_FIELDS: dict[str, dict[str, Any]] = {
    "SchemaMismatchError": {"spec_name": "tracks", "reason": "missing columns ['track_id']"},
    "StepNeedsError": {"step": "faces", "need": "models"},
}


def descendants(of: type[ScreenalyticsError]) -> Iterator[type[ScreenalyticsError]]:
    for child in of.__subclasses__():
        yield child
        yield from descendants(child)


def all_errors() -> list[type[ScreenalyticsError]]:
    """Return every error class of core, wherever it is defined."""
    for module in pkgutil.walk_packages(screenalytics_core.__path__, "screenalytics_core."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = {e for e in descendants(ScreenalyticsError) if e.__module__.startswith("screenalyti")}
    return sorted({ScreenalyticsError, *found}, key=lambda e: (e.__module__, e.__name__))


ERRORS = all_errors()
PUBLIC = [e for e in ERRORS if not e.__name__.startswith("_")]


def build(error_type: type[ScreenalyticsError]) -> ScreenalyticsError:
    return error_type(**OTHER_FIELDS.get(error_type.__name__, THING))


@pytest.mark.parametrize("error_type", PUBLIC, ids=lambda e: e.__name__)
def test_an_error_survives_pickling_with_its_fields(error_type: type[ScreenalyticsError]) -> None:
    error = build(error_type)
    back = pickle.loads(pickle.dumps(error))

    assert type(back) is error_type
    assert str(back) == str(error)
    assert back.fields == error.fields
    assert back.code == error.code


@pytest.mark.parametrize("error_type", PUBLIC, ids=lambda e: e.__name__)
def test_a_message_says_all_that_its_fields_say(error_type: type[ScreenalyticsError]) -> None:
    error = build(error_type)

    for value in error.fields.values():
        assert str(value) in str(error)


@pytest.mark.parametrize("error_type", PUBLIC, ids=lambda e: e.__name__)
def test_fields_are_read_by_name(error_type: type[ScreenalyticsError]) -> None:
    error = build(error_type)

    for name, value in error.fields.items():
        assert getattr(error, name) == value


@pytest.mark.parametrize("error_type", PUBLIC, ids=lambda e: e.__name__)
def test_an_error_ends_in_error_and_says_when_it_is_raised(
    error_type: type[ScreenalyticsError],
) -> None:
    assert error_type.__name__.endswith("Error")
    assert error_type.__doc__


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [e.code for e in PUBLIC]

    assert len(set(codes)) == len(codes)
    assert [c for c in codes if not re.fullmatch(r"[a-z][a-z_]*", c)] == []


def test_thing_and_reason_cannot_be_left_out() -> None:
    with pytest.raises(TypeError, match="reason"):
        errors.VideoError(thing="x.mp4")


def test_the_message_reads_thing_reason_way_out() -> None:
    assert str(errors.VideoError(**THING)) == "video x.mp4: holds no frames. Give another file."
    assert str(errors.VideoError(thing="x.mp4", reason="is empty")) == "x.mp4: is empty."


def test_extra_fields_travel_along() -> None:
    error = errors.RunBusyError(**THING, attempt=3)

    assert pickle.loads(pickle.dumps(error)).attempt == 3


def test_a_field_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="VideoError has no field 'frame_idx'"):
        _ = errors.VideoError(**THING).frame_idx


def test_a_cause_is_kept_while_it_is_raised() -> None:
    cause = OSError("disk")
    with pytest.raises(errors.StorageError) as raised:
        raise errors.StorageError(**THING) from cause

    assert raised.value.__cause__ is cause
