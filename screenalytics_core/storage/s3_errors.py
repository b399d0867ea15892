"""What an S3 server or the way to it may say, in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from screenalytics_core.errors import DiskSpaceError, KeyMissingError, StorageError

_MISSING: Final = frozenset({"NoSuchKey", "404", "NotFound", "NoSuchUpload"})
# What Ceph, MinIO and others say when a quota or the disks are used up.
_FULL: Final = frozenset({"QuotaExceeded", "XMinioStorageFull", "InsufficientCapacity", "507"})
_REFUSED: Final = frozenset(
    {
        "403",
        "401",
        "AccessDenied",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "RequestTimeTooSkewed",
    }
)
_BUSY: Final = frozenset({"SlowDown", "503", "ServiceUnavailable", "RequestLimitExceeded"})
# 412 is the answer to a condition that does not hold; 409 is Amazon's to one that may not.
CONDITION_FAILED: Final = frozenset({"PreconditionFailed", "412"})
CONDITION_RACED: Final = frozenset({"ConditionalRequestConflict", "409", "OperationAborted"})
NOT_MODIFIED: Final = frozenset({"304", "NotModified"})


def code_of(error: ClientError) -> str:
    """Return the server's word for an error, or its HTTP status where there is no word."""
    return str(error.response.get("Error", {}).get("Code", ""))


def was_retried(error: ClientError) -> bool:
    """Tell whether the request was sent more than once, so that an earlier one may have held."""
    return bool(error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0))


@contextmanager
def translated(thing: str) -> Iterator[None]:
    """Turn errors of the server and of the way to it, about `thing`, into ours."""
    try:
        yield
    except ClientError as error:
        raise _of_server(thing, error) from error
    except NoCredentialsError as error:
        raise _refused(thing, "there are no credentials for it") from error
    except BotoCoreError as error:
        raise StorageError(
            thing=thing,
            reason=f"cannot be reached ({error})",
            way_out="Check the network and the endpoint, then try again.",
        ) from error


def _of_server(thing: str, error: ClientError) -> StorageError | DiskSpaceError:
    code = code_of(error)
    if code in _MISSING:
        return KeyMissingError(thing=thing, reason="does not exist")
    if code in _REFUSED:
        return _refused(thing, f"the server refused access ({code})")
    if code in _FULL:
        return DiskSpaceError(
            thing=thing,
            reason=f"the server has no room left ({code})",
            way_out="Free some space or raise the quota, or choose another data root.",
            path=thing,
            needed_bytes=None,
        )
    if code == "NoSuchBucket":
        return StorageError(
            thing=thing,
            reason="there is no such bucket",
            way_out="Create the bucket, or choose another data root.",
        )
    reason = "the server is overloaded" if code in _BUSY else "the server could not do it"
    message = error.response.get("Error", {}).get("Message") or error.operation_name
    return StorageError(
        thing=thing, reason=f"{reason} ({code}: {message})", way_out="Try again in a while."
    )


def _refused(thing: str, reason: str) -> StorageError:
    return StorageError(
        thing=thing,
        reason=reason,
        way_out="Check the credentials, the machine's clock and what they may do in the bucket.",
    )
