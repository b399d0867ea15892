"""`doctor` tries a bucket: what is wrong is named, and so is the way out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from screenalytics_assets import s3_health
from screenalytics_assets.s3_health import check_bucket
from screenalytics_core.attempts import utc_now
from screenalytics_core.storage.data_root import S3Root
from tests.s3_roots import S3House, s3_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[S3House]:
    with s3_house(tmp_path) as house:
        yield house


def findings(house: S3House) -> dict[str, tuple[bool, str]]:
    root = house.settings().data_root
    assert isinstance(root, S3Root)
    return {name: (is_fine, found) for name, is_fine, found in check_bucket(root)}


def test_a_bucket_that_serves_is_fine_and_as_it_was(house: S3House) -> None:
    found = findings(house)

    assert {name: is_fine for name, (is_fine, _) in found.items()} == {
        "data root": True,
        "clock": True,
        "permissions": True,
        "conditional writes": True,
        "cache": True,
    }
    assert found["data root"][1] == house.url
    assert "Contents" not in house.client.list_objects_v2(Bucket=house.bucket)


def test_a_bucket_that_is_missing_is_named(house: S3House) -> None:
    house.client.delete_bucket(Bucket=house.bucket)

    [(name, (is_fine, found))] = findings(house).items()

    assert (name, is_fine) == ("data root", False)
    assert "there is no such bucket" in found
    assert "Create the bucket" in found


def test_what_may_not_be_done_is_named_as_in_a_policy(house: S3House) -> None:
    house.faults.denies = lambda method, query: method == "DELETE" or "uploads" in query

    is_fine, found = findings(house)["permissions"]

    assert not is_fine
    assert found.startswith(
        "refused: s3:AbortMultipartUpload, s3:ListBucketMultipartUploads, s3:DeleteObject; "
    )
    assert "docs/s3.md" in found


def test_a_server_that_ignores_conditions_is_told(house: S3House) -> None:
    house.faults.drops_conditions = True

    is_fine, found = findings(house)["conditional writes"]

    assert not is_fine
    assert "ignores conditions (If-None-Match)" in found
    assert "Use a server that holds them" in found


def test_a_clock_that_is_off_is_told(house: S3House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_health, "utc_now", lambda: utc_now() + timedelta(minutes=2))

    is_fine, found = findings(house)["clock"]

    assert not is_fine
    assert found.startswith("+1")
    assert "s from the server's; set the clock (NTP)" in found
