"""Identity of a Dagster run in our terms, and the tags callers may not set."""

from __future__ import annotations

import pytest

from screenalytics_assets.tags import (
    FRESH_TAG,
    PARENT_RUN_ID_TAG,
    TRACE_ID_TAG,
    UPSTREAM_RUN_ID_TAG,
    check_caller_tags,
    launch_tags,
    run_id_of,
    wants_fresh,
)
from screenalytics_core.errors import InvalidIdError, SettingsError

DAGSTER_ID = "0f7c1d1e-aaaa-bbbb-cccc-0123456789ab"
ROOT_ID = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        pytest.param({"run_id": "night-1"}, "night-1", id="its tag"),
        pytest.param(
            {"run_id": "night-1", "dagster/root_run_id": ROOT_ID}, "night-1", id="tag beats root"
        ),
        pytest.param(
            {"dagster/root_run_id": ROOT_ID}, ROOT_ID.replace("-", ""), id="a re-execution's root"
        ),
        pytest.param({}, DAGSTER_ID.replace("-", ""), id="its own id, as hex"),
    ],
)
def test_a_dagster_run_has_one_run_id(tags: dict[str, str], expected: str) -> None:
    assert run_id_of(tags, DAGSTER_ID) == expected


def test_an_unsafe_run_id_tag_is_refused_before_it_becomes_a_path() -> None:
    with pytest.raises(InvalidIdError, match=r"\.\./x"):
        run_id_of({"run_id": "../x"}, DAGSTER_ID)


def test_a_caller_cannot_override_the_partition() -> None:
    with pytest.raises(SettingsError, match="dagster/partition"):
        check_caller_tags({"dagster/partition": "other-s01e01", "team": "a"})


def test_other_tags_pass() -> None:
    assert check_caller_tags({"team": "a"}) == {"team": "a"}


def test_a_launch_is_told_by_tags_beside_the_callers() -> None:
    tags = launch_tags(
        {"team": "a"},
        upstream_run_id="night-1",
        parent_run_id="night-0",
        is_fresh=True,
        trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
    )

    assert tags == {
        "team": "a",
        UPSTREAM_RUN_ID_TAG: "night-1",
        PARENT_RUN_ID_TAG: "night-0",
        FRESH_TAG: "true",
        TRACE_ID_TAG: "4bf92f3577b34da6a3ce929d0e0e4736",
    }


def test_a_plain_launch_adds_no_tag() -> None:
    assert launch_tags({}) == {}


@pytest.mark.parametrize("name", ["upstream_run_id", "parent_run_id"])
def test_a_launch_that_names_an_unsafe_run_is_refused(name: str) -> None:
    with pytest.raises(InvalidIdError, match=r"\.\./x"):
        launch_tags({}, **{name: "../x"})  # type: ignore[arg-type]


def test_a_launch_cannot_override_the_partition_either() -> None:
    with pytest.raises(SettingsError, match="dagster/partition"):
        launch_tags({"dagster/partition": "other-s01e01"})


@pytest.mark.parametrize(
    ("tags", "expected"),
    [({}, False), ({FRESH_TAG: "true"}, True), ({FRESH_TAG: "True"}, True),
     ({FRESH_TAG: "false"}, False), ({FRESH_TAG: ""}, False)],
)  # fmt: skip
def test_a_run_is_fresh_by_its_tag(tags: dict[str, str], expected: bool) -> None:
    assert wants_fresh(tags) is expected
