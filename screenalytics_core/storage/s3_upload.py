"""Large files go up in parts before they are seen: only completing the upload shows them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from screenalytics_core.errors import KeyMissingError, StorageError
from screenalytics_core.storage.base import StagedFile
from screenalytics_core.storage.posix import translated as local_translated
from screenalytics_core.storage.s3_bucket import WRITER, Bucket, date_of
from screenalytics_core.storage.s3_errors import code_of, translated, was_retried

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES: Final = 16 << 20
# S3 takes no more parts than that.
_MAX_PARTS: Final = 10_000
_THREADS: Final = 4


@dataclass(frozen=True, slots=True)
class Upload:
    """Parts that lie on the server and are no object yet."""

    name: str
    upload_id: str
    writer: str
    parts: tuple[CompletedPartTypeDef, ...]


@dataclass(frozen=True, slots=True)
class S3StagedFile(StagedFile):
    """Bytes in a local file and, if they are many, on the server already."""

    upload: Upload | None = None


def upload_parts(bucket: Bucket, name: str, path: Path, part_bytes: int) -> Upload:
    """Send a file's parts, several at once.

    Raises:
        StorageError: One of them cannot be sent; nothing of it stays on the server.
    """
    writer = uuid.uuid4().hex
    with local_translated(path):
        size = path.stat().st_size
    part_bytes = max(part_bytes, -(-size // _MAX_PARTS))
    with translated(bucket.url(name)):
        upload_id = bucket.client.create_multipart_upload(
            Bucket=bucket.name, Key=name, Metadata={WRITER: writer}
        )["UploadId"]

    def send(number: int) -> CompletedPartTypeDef:
        with local_translated(path), path.open("rb") as file:
            file.seek((number - 1) * part_bytes)
            content = file.read(part_bytes)
        with translated(bucket.url(name)):
            answer = bucket.client.upload_part(
                Bucket=bucket.name, Key=name, UploadId=upload_id, PartNumber=number, Body=content
            )
        return {"PartNumber": number, "ETag": answer["ETag"]}

    try:
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="upload") as pool:
            parts = tuple(pool.map(send, range(1, -(-size // part_bytes) + 1)))
    except BaseException:
        # Also on Ctrl-C: what lies on the server is paid for.
        with suppress(StorageError):
            abort(bucket, Upload(name, upload_id, writer, ()))
        raise
    return Upload(name, upload_id, writer, parts)


def complete(bucket: Bucket, upload: Upload) -> str:
    """Make an upload the object, and return its ETag."""
    with translated(bucket.url(upload.name)):
        try:
            return bucket.client.complete_multipart_upload(
                Bucket=bucket.name,
                Key=upload.name,
                UploadId=upload.upload_id,
                MultipartUpload={"Parts": list(upload.parts)},
            )["ETag"]
        except ClientError as error:
            # An earlier request, whose answer was lost, may have completed it.
            if code_of(error) != "NoSuchUpload" or not was_retried(error):
                raise
        etag = bucket.etag_if_by(upload.name, upload.writer)
    if etag is None:
        raise StorageError(
            thing=bucket.url(upload.name),
            reason="its upload is gone",
            way_out="Somebody removed what was not complete; try again.",
        )
    return etag


def abort(bucket: Bucket, upload: Upload) -> None:
    """Remove the parts of an upload; nothing happens if it was completed."""
    with suppress(KeyMissingError), translated(bucket.url(upload.name)):
        bucket.client.abort_multipart_upload(
            Bucket=bucket.name, Key=upload.name, UploadId=upload.upload_id
        )


def abort_older(bucket: Bucket, prefix: str, min_age_s: float) -> int:
    """Remove uploads under a prefix that were begun so long ago; return how many."""
    old = [u for u, begun, at in _begun(bucket, prefix) if (at - begun).total_seconds() > min_age_s]
    for upload in old:
        abort(bucket, upload)
    return len(old)


def _begun(bucket: Bucket, prefix: str) -> Iterator[tuple[Upload, datetime, datetime]]:
    """Yield uploads with when they were begun and when the server said so."""
    with translated(bucket.url(prefix)):
        pages = bucket.client.get_paginator("list_multipart_uploads").paginate(
            Bucket=bucket.name, Prefix=prefix
        )
        for page in pages:
            for found in page.get("Uploads", ()):
                upload = Upload(found["Key"], found["UploadId"], "", ())
                yield upload, found["Initiated"], date_of(page)
