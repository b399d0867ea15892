"""Identity of a Dagster run in our terms, and the tags callers may not set."""

from __future__ import annotations

import pytest

from screenalytics_assets.tags import check_caller_tags, run_id_of
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
