"""Addresses that a browser opens an object at without credentials, for a while."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from screenalytics_core.storage.s3_bucket import Bucket
from screenalytics_core.storage.s3_errors import translated

# A working day with its evening: reports show people's faces.
URL_LASTS_S: Final = 12 * 3600
# Else a browser saves the file instead of showing it. Not from the machine's own table of
# types, which differs.
_TYPES: Final = {
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".jsonl": "text/plain; charset=utf-8",
    ".mp4": "video/mp4",
    ".pdf": "application/pdf",
    ".png": "image/png",
}


def signed_url(bucket: Bucket, name: str, lasts_s: int) -> str:
    """Return an address of an object that ends after `lasts_s`; asks nobody."""
    given = {"Bucket": bucket.name, "Key": name}
    content_type = _TYPES.get(PurePosixPath(name).suffix)
    if content_type is not None:
        given["ResponseContentType"] = content_type
    with translated(bucket.url(name)):
        return bucket.client.generate_presigned_url("get_object", given, ExpiresIn=lasts_s)
