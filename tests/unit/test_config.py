"""Settings: what is accepted, what wins over what, and what binds a run."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args, get_origin

import pytest
from annotated_types import Ge, Gt, Le, Lt
from hypothesis import given, settings
from hypothesis import strategies as st

from screenalytics_core.config import (
    DEFAULT_PROFILE,
    LAUNCH_FIELDS,
    PROFILES,
    EpisodeRunConfig,
    Profile,
    settings_hash,
)
from screenalytics_core.errors import SettingsError

# The first project's document of December 2025, field by field.
SEED_VALUES = {
    "device": "auto",
    "embed_device": None,
    "detector": "retinaface",
    "det_thresh": 0.65,
    "tracker": "bytetrack",
    "stride": 1,
    "track_buffer": 15,
    "scene_detector": "pyscenedetect",
    "scene_threshold": 27.0,
    "max_samples_per_track": 16,
    "cluster_thresh": 0.75,
    "min_identity_sim": 0.50,
    "save_crops": True,
    "save_frames": False,
    "thumb_size": 256,
    "jpeg_quality": 85,
    "reuse_detections": False,
    "reuse_embeddings": False,
    "force_recluster": True,
}
# Thresholds on a model's scores depend on the model: the pack gives them.
FROM_THE_PACK = {"det_thresh", "cluster_thresh", "min_identity_sim"}
FIELDS = EpisodeRunConfig.model_fields


def bounds(name: str) -> dict[str, float]:
    """Return the declared limits of a field: ge, gt, le, lt."""
    limits: dict[str, float] = {}
    for mark in FIELDS[name].metadata:
        for kind, key in ((Ge, "ge"), (Gt, "gt"), (Le, "le"), (Lt, "lt")):
            if isinstance(mark, kind):
                limits[key] = getattr(mark, key)
    return limits


NUMERIC = sorted(name for name in FIELDS if bounds(name))
CHOICES = {
    name: list(get_args(choices))
    for name, field in FIELDS.items()
    for choices in (field.annotation, *get_args(field.annotation))
    if get_origin(choices) is Literal
}


def is_whole(name: str) -> bool:
    return FIELDS[name].annotation is int


def outside(name: str) -> st.SearchStrategy[float]:
    """Return numbers just and far outside a field's limits."""
    limits, sides = bounds(name), []
    numbers: Any = st.integers if is_whole(name) else st.floats
    finite = {} if is_whole(name) else {"allow_nan": False, "allow_infinity": False}
    if "ge" in limits or "gt" in limits:
        low = limits.get("ge", limits.get("gt", 0.0))
        strict = {} if is_whole(name) or "gt" in limits else {"exclude_max": True}
        edge = low - 1 if is_whole(name) else low
        sides.append(numbers(max_value=edge, **strict, **finite))
    if "le" in limits or "lt" in limits:
        high = limits.get("le", limits.get("lt", 0.0))
        strict = {} if is_whole(name) or "lt" in limits else {"exclude_min": True}
        edge = high + 1 if is_whole(name) else high
        sides.append(numbers(min_value=edge, **strict, **finite))
    return st.one_of(sides)


def test_every_seed_field_has_the_seeds_value() -> None:
    bare = EpisodeRunConfig().model_dump()

    assert {k: bare[k] for k in SEED_VALUES} == {
        k: None if k in FROM_THE_PACK else v for k, v in SEED_VALUES.items()
    }


def test_the_seeds_own_example_is_accepted() -> None:
    assert EpisodeRunConfig.from_mapping(SEED_VALUES).det_thresh == 0.65


def test_every_number_has_a_limit_and_every_field_a_description() -> None:
    unlimited = [
        name
        for name, field in FIELDS.items()
        if field.annotation in (int, float, float | None) and not bounds(name)
    ]

    assert unlimited == []
    assert [name for name, field in FIELDS.items() if not field.description] == []


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("strid", "stride"),
        ("cluster_treshold", "cluster_thresh"),
        ("savecrops", "save_crops"),
        ("det_threshold", "det_thresh"),
    ],
)
def test_a_misspelt_setting_is_refused_and_the_nearest_named(wrong: str, right: str) -> None:
    with pytest.raises(SettingsError) as raised:
        EpisodeRunConfig.from_mapping({wrong: 1})

    assert str(raised.value) == f"setting {wrong!r}: does not exist. Did you mean {right!r}?"


def test_a_name_like_no_other_gets_the_list_of_names() -> None:
    with pytest.raises(SettingsError, match=r"There are: .*stride.*cluster_thresh"):
        EpisodeRunConfig.from_mapping({"zzz": 1})


@pytest.mark.parametrize("name", NUMERIC)
@given(data=st.data())
@settings(deadline=None)
def test_a_value_out_of_range_is_refused_by_name(name: str, data: st.DataObject) -> None:
    value = data.draw(outside(name))

    with pytest.raises(SettingsError) as raised:
        EpisodeRunConfig.from_mapping({name: value})

    assert raised.value.setting == name
    assert f"setting {name} = {value!r}" in str(raised.value)
    assert str(FIELDS[name].description) in str(raised.value)


@pytest.mark.parametrize("name", NUMERIC)
def test_the_limits_themselves_are_accepted(name: str) -> None:
    limits = bounds(name)
    for key in {"ge", "le"} & set(limits):
        config = EpisodeRunConfig.from_mapping({name: limits[key]})
        assert getattr(config, name) == limits[key]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", [n for n in NUMERIC if not is_whole(n)])
def test_a_number_that_is_none_is_refused(name: str, value: float) -> None:
    with pytest.raises(SettingsError):
        EpisodeRunConfig.from_mapping({name: value})


@pytest.mark.parametrize("name", sorted(CHOICES))
def test_a_word_outside_the_choices_is_refused(name: str) -> None:
    with pytest.raises(SettingsError) as raised:
        EpisodeRunConfig.from_mapping({name: "no-such-choice"})

    assert raised.value.setting == name
    for choice in CHOICES[name]:
        assert repr(choice) in str(raised.value)


@pytest.mark.parametrize("name", NUMERIC)
def test_a_truth_value_is_no_number(name: str) -> None:
    with pytest.raises(SettingsError, match=f"setting {name} = True: is a truth value"):
        EpisodeRunConfig.from_mapping({name: True})


def test_a_long_value_is_told_in_part() -> None:
    for long in ({"stride": "9" * 5000}, {"9" * 5000: 1}):
        with pytest.raises(SettingsError) as raised:
            EpisodeRunConfig.from_mapping(long)
        assert "999..." in str(raised.value)
        assert len(str(raised.value)) < 2000


@pytest.mark.parametrize("value", [1.5, "many", None, [1]])
def test_a_value_of_the_wrong_type_is_refused(value: object) -> None:
    with pytest.raises(SettingsError, match="setting stride"):
        EpisodeRunConfig.from_mapping({"stride": value})


def test_a_field_given_wins_over_the_profile_and_the_profile_over_the_default() -> None:
    default = EpisodeRunConfig.from_mapping({})
    profile = EpisodeRunConfig.from_mapping({}, "low_power")
    given_too = EpisodeRunConfig.from_mapping({"stride": 2}, "low_power")

    assert (default.stride, profile.stride, given_too.stride) == (1, 24, 2)
    assert given_too.det_max_side_px == profile.det_max_side_px == 480


def test_a_field_given_with_its_default_value_still_wins_over_the_profile() -> None:
    assert EpisodeRunConfig.from_mapping({"stride": 1}, "low_power").stride == 1


def test_the_profiles_are_the_three_and_each_is_valid() -> None:
    assert set(PROFILES) == set(get_args(Profile))
    assert DEFAULT_PROFILE == "balanced"
    for name, values in PROFILES.items():
        config = EpisodeRunConfig.from_mapping({}, name)
        assert {k: getattr(config, k) for k in values} == values


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="low_power, balanced, high_accuracy"):
        EpisodeRunConfig.from_mapping({}, "turbo")


# One other value per field: a run is bound to each of them, or to none of the launch fields.
OTHER_VALUES: dict[str, Any] = {
    "device": "cpu", "embed_device": "cpu", "models": "lite", "det_thresh": 0.6,
    "det_max_side_px": 320, "stride": 2, "min_stride": 3,
    "track_buffer": 16, "min_track_samples": 3,
    "scene_detector": "off", "scene_threshold": 20.0, "adaptive_threshold": 2.0,
    "body_tracking": False, "body_stride": 7, "body_thresh": 0.6, "body_bridge_s": 3.0,
    "min_face_px": 21, "min_sharpness": 9.0, "min_frontality": 0.1, "max_samples_per_track": 4,
    "embed_batch": 8, "cluster_thresh": 0.4, "min_identity_sim": 0.2, "save_crops": False,
    "match_thresh": 0.6, "match_margin": 0.2,
    "save_frames": True, "thumb_size": 128, "jpeg_quality": 90, "workers": 3,
    "reuse_detections": True, "reuse_embeddings": True, "force_recluster": False,
}  # fmt: skip
ONE_CHOICE = {"detector", "tracker"}


def test_the_table_of_other_values_holds_every_field() -> None:
    assert set(OTHER_VALUES) | ONE_CHOICE == set(FIELDS)


@pytest.mark.parametrize("name", sorted(OTHER_VALUES))
def test_a_run_is_bound_to_a_setting_unless_it_says_how_to_launch(name: str) -> None:
    bare = EpisodeRunConfig()
    other = EpisodeRunConfig.from_mapping({name: OTHER_VALUES[name]})

    assert getattr(other, name) != getattr(bare, name)
    assert (other.binding_hash() == bare.binding_hash()) == (name in LAUNCH_FIELDS)


def test_how_to_launch_is_what_changes_no_byte_of_a_result() -> None:
    # `models` binds by the files' hashes, wherever they lie.
    switches = {"reuse_detections", "reuse_embeddings", "force_recluster"}

    assert {*switches, "models", "workers"} == LAUNCH_FIELDS


def test_the_hash_does_not_depend_on_the_order_of_the_keys() -> None:
    assert settings_hash({"a": 1, "b": 2}) == settings_hash({"b": 2, "a": 1})
    assert settings_hash({"a": 1}) != settings_hash({"a": 2})


def test_settings_cannot_be_changed_after_they_were_checked() -> None:
    config = EpisodeRunConfig()

    with pytest.raises(ValueError, match="frozen"):
        config.stride = 5


@pytest.mark.parametrize(
    ("stride", "min_stride", "is_fine"), [(24, 2, True), (25, 2, False), (300, 300, True)]
)
def test_frames_between_two_looks_are_held_so_they_are_few(
    stride: int, min_stride: int, is_fine: bool
) -> None:
    given = {"stride": stride, "min_stride": min_stride}
    if is_fine:
        assert EpisodeRunConfig.from_mapping(given).stride == stride
        return
    with pytest.raises(SettingsError, match="at most 24, or min_stride=25"):
        EpisodeRunConfig.from_mapping(given)
