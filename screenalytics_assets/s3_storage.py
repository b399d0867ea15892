"""Opens a bucket, by the connection that dagster-aws makes of the usual AWS settings."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError

from screenalytics_core.errors import StorageError
from screenalytics_core.storage.data_root import S3Root
from screenalytics_core.storage.s3 import S3Storage

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

# With the pauses of botocore's standard mode (doubled, jittered, 20 s at most) about a minute,
# which is what a server takes that is throttling or being restarted.
_MOST_TRIES: Final = 8


# One for the process, as its connections, leases and copies are: of two, each would queue for
# the other's locks at the server and ask again for what the other knows. A root is a value, and
# nothing is asked or opened before the first call.
@cache
def open_s3(root: S3Root) -> S3Storage:
    """Open the storage of a bucket; one for each root, since what it learns serves all.

    Endpoint, region and credentials are those that boto3 finds: `AWS_ENDPOINT_URL_S3`,
    `AWS_REGION`, `AWS_PROFILE`, `AWS_ACCESS_KEY_ID` and so on, or the machine's role.

    Raises:
        StorageError: The profile or the endpoint cannot be used.
    """
    return S3Storage(connect(root), root)


def connect(root: S3Root) -> S3Client:
    """Return a client; nothing is asked of the server."""
    from dagster_aws.s3 import S3Resource

    try:
        client: S3Client = S3Resource(max_attempts=_MOST_TRIES).get_client()
    except (BotoCoreError, ValueError) as error:
        raise StorageError(
            thing=str(root),
            reason=f"cannot be reached ({error})",
            way_out="Check AWS_PROFILE, AWS_REGION and AWS_ENDPOINT_URL_S3.",
        ) from error
    # Checksums in trailers are Amazon's alone: other servers store them as if they were content.
    client.meta.config.request_checksum_calculation = "when_required"  # type: ignore[attr-defined]
    client.meta.config.response_checksum_validation = "when_required"  # type: ignore[attr-defined]
    return client
