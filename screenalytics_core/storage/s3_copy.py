"""Copies inside a bucket, made by the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from screenalytics_core.storage.s3_bucket import Bucket
from screenalytics_core.storage.s3_errors import translated

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import CopySourceTypeDef

# What S3 copies in one request.
COPIED_AT_ONCE_BYTES: Final = 5 << 30
_PART_BYTES: Final = 256 << 20


def copy_object(bucket: Bucket, src: str, dst: str, at_once_bytes: int) -> None:
    """Copy an object; a larger one than `at_once_bytes` in parts; nothing onto itself.

    Raises:
        KeyMissingError: There is no `src`.
    """
    size_bytes = bucket.head(src).size_bytes
    if src == dst:
        return
    source: CopySourceTypeDef = {"Bucket": bucket.name, "Key": src}
    with translated(bucket.url(src)):
        if size_bytes <= at_once_bytes:
            bucket.client.copy_object(Bucket=bucket.name, Key=dst, CopySource=source)
            return
        from boto3.s3.transfer import TransferConfig

        part_bytes = min(_PART_BYTES, at_once_bytes)
        in_parts = TransferConfig(multipart_threshold=1, multipart_chunksize=part_bytes)
        bucket.client.copy(source, bucket.name, dst, Config=in_parts)
