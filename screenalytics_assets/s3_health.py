"""Checks of a data root in a bucket: what may be done there, and whether it can be relied upon."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from screenalytics_assets.s3_storage import connect, open_s3
from screenalytics_core.attempts import DEAD_AFTER_S, utc_now
from screenalytics_core.errors import ScreenalyticsError
from screenalytics_core.storage.data_root import S3Root
from screenalytics_core.storage.s3_bucket import Bucket
from screenalytics_core.storage.s3_errors import translated

# Machines judge each other's heartbeats by their own clocks.
_MAX_SKEW_S: Final = DEAD_AFTER_S / 2
_PROBE: Final = ".conditions/doctor-"

Finding = tuple[str, bool, str]
"""Name, whether it is fine, and what was found, with the way out if it is not."""


def check_bucket(root: S3Root) -> list[Finding]:
    """Try what runs do in a bucket; what cannot be tried after a failure is left out."""
    try:
        bucket = Bucket(connect(root), root.bucket)
        at = bucket.list(f"{root.prefix}/{_PROBE}".strip("/")).at
    except ScreenalyticsError as error:
        return [("data root", False, str(error))]
    refused = _refused(bucket, f"{root.prefix}/{_PROBE}{uuid.uuid4().hex}".strip("/"))
    findings = [("data root", True, str(root)), _clock(at), _permissions(refused)]
    return findings if refused else [*findings, _conditions(root), _cache(root)]


def _clock(server_at: datetime) -> Finding:
    skew_s = (utc_now() - server_at).total_seconds()
    found = f"{skew_s:+.0f} s from the server's"
    if abs(skew_s) <= _MAX_SKEW_S:
        return ("clock", True, found)
    way_out = "set the clock (NTP): machines tell by it which runs are dead"
    return ("clock", False, f"{found}; {way_out}")


def _refused(bucket: Bucket, name: str) -> list[str]:
    """Return what may not be done with an object, as permissions are called in a policy."""
    client: Any = bucket.client
    target = {"Bucket": bucket.name, "Key": name}

    def upload() -> None:
        upload_id = client.create_multipart_upload(**target)["UploadId"]
        client.abort_multipart_upload(**target, UploadId=upload_id)

    def uploads() -> Any:
        return client.list_multipart_uploads(Bucket=bucket.name, Prefix=name)

    tried: dict[str, Callable[[], Any]] = {
        "s3:PutObject": lambda: client.put_object(**target, Body=b""),
        "s3:GetObject": lambda: client.get_object(**target),
        "s3:AbortMultipartUpload": upload,
        "s3:ListBucketMultipartUploads": uploads,
        "s3:DeleteObject": lambda: client.delete_object(**target),
    }
    return [permission for permission, attempt in tried.items() if not _may(name, attempt)]


def _may(name: str, attempt: Callable[[], Any]) -> bool:
    try:
        with translated(name):
            attempt()
    except ScreenalyticsError:
        return False
    return True


def _permissions(refused: list[str]) -> Finding:
    if not refused:
        return ("permissions", True, "read, write, list, delete")
    return (
        "permissions",
        False,
        f"refused: {', '.join(refused)}; allow them to these credentials (docs/s3.md has a policy)",
    )


def _conditions(root: S3Root) -> Finding:
    try:
        held = open_s3(root).conditions()
    except ScreenalyticsError as error:
        return ("conditional writes", False, str(error))
    both = "If-None-Match and If-Match" if held.can_replace else "If-None-Match, which suffices"
    return ("conditional writes", True, both)


def _cache(root: S3Root) -> Finding:
    limit_gb = root.cache.limit_bytes / 1e9
    try:
        open_s3(root).check_free_space(0)
    except ScreenalyticsError as error:
        return ("cache", False, str(error))
    return ("cache", True, f"{root.cache.path / root.name}, up to {limit_gb:g} GB")
