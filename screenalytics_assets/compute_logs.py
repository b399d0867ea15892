"""Where Dagster puts what steps print: nowhere on a local disk, into the bucket of one on S3."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from screenalytics_core.storage.data_root import S3Root

FOLDER: Final = "dagster"
_S3_MODULE: Final = "dagster_aws.s3.compute_log_manager"


def no_compute_logs() -> str:
    """Return the part of `dagster.yaml` that captures nothing.

    Steps talk through events and structured errors, so capturing what they print, by two
    processes each, would only cost time.
    """
    module = "dagster._core.storage.noop_compute_log_manager"
    return _part(module, "NoOpComputeLogManager")


def compute_logs_in(root: S3Root, home: Path) -> str:
    """Return the part of `dagster.yaml` that sends output to the bucket, for other machines.

    Endpoint and credentials are those of the environment, as for all else in the bucket.
    """
    config = {
        "bucket": root.bucket,
        "prefix": f"{root.prefix}/{FOLDER}".strip("/"),
        "local_dir": str(home / "compute_logs"),
        "skip_empty_files": True,
    }
    return _part(_S3_MODULE, "S3ComputeLogManager", config)


def goes_to_a_bucket(dagster_yaml: Mapping[str, Any]) -> bool:
    """Tell whether a `dagster.yaml` sends output to a bucket."""
    return (dagster_yaml.get("compute_logs") or {}).get("module") == _S3_MODULE


def _part(module: str, name: str, config: Mapping[str, Any] | None = None) -> str:
    section: dict[str, Any] = {"module": module, "class": name}
    if config is not None:
        section["config"] = dict(config)
    text: str = yaml.safe_dump({"compute_logs": section}, sort_keys=False)
    return text
