"""A step sees the settings it declared: what it reads is what its fingerprint holds."""

from __future__ import annotations

import copy
import pickle

import pytest

from screenalytics_core.config import EpisodeRunConfig, SettingsView


def test_a_declared_setting_is_read_by_name() -> None:
    view = EpisodeRunConfig(stride=4).only(["stride", "min_face_px"])

    assert (view.stride, view.min_face_px) == (4, 20)


def test_a_setting_that_was_not_declared_cannot_be_read() -> None:
    view = EpisodeRunConfig().only(["stride"])

    with pytest.raises(AttributeError, match="'min_face_px' is not declared by this step"):
        _ = view.min_face_px


def test_declaring_a_setting_that_does_not_exist_fails_at_once() -> None:
    with pytest.raises(AttributeError, match="no_such_setting"):
        EpisodeRunConfig().only(["no_such_setting"])


def test_a_view_cannot_be_changed_through_its_copy_or_its_source() -> None:
    source = {"stride": 2}
    view = SettingsView(source)
    source["stride"] = 9
    view.as_dict()["stride"] = 7

    assert view.stride == 2


def test_a_view_cannot_be_assigned_to() -> None:
    with pytest.raises(AttributeError):
        EpisodeRunConfig().only(["stride"]).stride = 3


def test_a_view_survives_pickling_and_copying() -> None:
    view = EpisodeRunConfig().only(["stride"])

    assert pickle.loads(pickle.dumps(view)).as_dict() == {"stride": 1}
    assert copy.deepcopy(view).as_dict() == {"stride": 1}
