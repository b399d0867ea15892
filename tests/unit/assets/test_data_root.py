"""A data root is a folder or a bucket's prefix, and nothing that could mean something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from screenalytics_assets.compute_logs import goes_to_a_bucket
from screenalytics_assets.instance import open_instance, prepare_dagster_home
from screenalytics_assets.settings import Settings
from screenalytics_core.errors import SettingsError
from screenalytics_core.storage.data_root import CacheFolder, S3Root, parse_data_root

CACHE = CacheFolder(Path("/cache"), 10**9)


def root_of(url: str) -> str:
    parsed = parse_data_root(url, CACHE)
    assert isinstance(parsed, S3Root)
    return f"{parsed.bucket}|{parsed.prefix}"


@pytest.mark.parametrize(
    ("url", "root"),
    [
        pytest.param("s3://bucket", "bucket|", id="no prefix"),
        pytest.param("s3://bucket/", "bucket|", id="a slash"),
        pytest.param("s3://my.bucket-1/a/b_c/d=e/", "my.bucket-1|a/b_c/d=e", id="a long prefix"),
    ],
)
def test_a_bucket_and_its_prefix_are_told_apart(url: str, root: str) -> None:
    assert root_of(url) == root


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///prefix",
        "s3://Bucket/a",
        "s3://b/a",
        "s3://bucket/../other",
        "s3://bucket/a//b",
        "s3://bucket/.hidden",
        "s3://bucket/a b",
        "s3://bucket/a\\b",
        "s3://bu..cket/a",
        "s3://user:secret@bucket/a",
        "gs://bucket/a",
        "https://bucket.s3.amazonaws.com/a",
    ],
)
def test_what_is_no_bucket_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="Give a folder, or s3://bucket/prefix"):
        parse_data_root(url, CACHE)


def test_a_folder_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert parse_data_root("data", CACHE) == tmp_path / "data"
    assert parse_data_root(tmp_path / "s3", CACHE) == tmp_path / "s3"


def test_the_environment_says_where_a_buckets_copies_lie(tmp_path: Path) -> None:
    env = {
        "SCREENALYTICS_DATA_ROOT": "s3://bucket/prefix",
        "SCREENALYTICS_CACHE_DIR": str(tmp_path),
        "SCREENALYTICS_CACHE_LIMIT_GB": "0.5",
    }
    settings = Settings.from_env(env)

    assert settings.data_root == S3Root("bucket", "prefix", CacheFolder(tmp_path, 500_000_000))
    assert Settings.from_env(settings.child_environment({})) == settings


def test_the_command_line_wins_over_the_environment() -> None:
    env = {"SCREENALYTICS_DATA_ROOT": "data"}

    assert str(Settings.from_env(env, data_root="s3://bucket/a").data_root) == "s3://bucket/a"


def test_a_cache_without_a_size_is_refused() -> None:
    with pytest.raises(SettingsError, match="SCREENALYTICS_CACHE_LIMIT_GB='-1'"):
        Settings.from_env({"SCREENALYTICS_CACHE_LIMIT_GB": "-1"})


def test_two_prefixes_of_a_bucket_have_homes_of_their_own() -> None:
    homes = {
        Settings.from_env({}, data_root=f"s3://bucket/{prefix}").dagster_home for prefix in "ab"
    }

    assert len(homes) == 2
    assert {home.name for home in homes} == {"dagster"}


def test_what_a_daemons_runs_print_goes_to_the_bucket(tmp_path: Path) -> None:
    root = S3Root("bucket", "prefix", CACHE)
    prepare_dagster_home(tmp_path)
    prepare_dagster_home(tmp_path, root)
    written = (tmp_path / "dagster.yaml").read_text()

    assert "prefix: prefix/dagster" in written
    prepare_dagster_home(tmp_path)
    assert (tmp_path / "dagster.yaml").read_text() == written


def test_what_a_process_of_ours_prints_stays_with_it(tmp_path: Path) -> None:
    prepare_dagster_home(tmp_path, S3Root("bucket", "prefix", CACHE))

    with open_instance(tmp_path) as instance:
        assert type(instance.compute_log_manager).__name__ == "NoOpComputeLogManager"


def test_a_config_that_somebody_changed_is_left_to_him(tmp_path: Path) -> None:
    prepare_dagster_home(tmp_path)
    config = tmp_path / "dagster.yaml"
    config.write_text(config.read_text() + "# mine\n")

    prepare_dagster_home(tmp_path, S3Root("bucket", "prefix", CACHE))

    assert not goes_to_a_bucket({"compute_logs": None})
    assert "S3ComputeLogManager" not in config.read_text()
