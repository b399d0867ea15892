"""One bucket: the few calls that we make, with conditions that survive lost answers.

Names here are whole S3 keys; which file of ours one is says `s3_layout`. Retries of throttled
and dropped requests are the client's (botocore's standard mode, with jitter); what it cannot
know stands here: whether a request whose answer was lost has held, and a body cut off half-way.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from botocore.exceptions import ClientError

from screenalytics_core.errors import StorageError
from screenalytics_core.storage.base import CHUNK_BYTES
from screenalytics_core.storage.s3_errors import (
    CONDITION_FAILED,
    CONDITION_RACED,
    NOT_MODIFIED,
    code_of,
    translated,
    was_retried,
)

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

# As botocore's standard mode: a few tries, the pause doubled and jittered.
_TRIES: Final = 6
_FIRST_PAUSE_S: Final = 0.05
# The metadata by which a writer knows its own object again.
WRITER: Final = "writer"
# What DeleteObjects takes at once.
_DELETED_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class Item:
    """An object as a listing or its head tells it; `modified` is the server's time."""

    name: str
    size_bytes: int
    etag: str
    modified: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """Objects and folders under a prefix, and when the server said so, by its own clock."""

    items: tuple[Item, ...]
    folders: tuple[str, ...]
    at: datetime


@dataclass(slots=True)
class Body:
    """The content of an object, read once; goes on where a connection was lost."""

    item: Item
    _stream: Any
    _again: Callable[[int], Any]
    _read: int = field(default=0)

    def chunks(self) -> Iterator[bytes]:
        """Yield the content piece by piece.

        Raises:
            StorageError: The connection is lost for good, or the object was replaced meanwhile.
        """
        tries = 0
        while self._read < self.item.size_bytes:
            try:
                with translated(self.item.name):
                    chunk = self._stream.read(CHUNK_BYTES)
                    if not chunk:
                        break
                self._read += len(chunk)
                yield chunk
            except StorageError:
                tries += 1
                if tries == _TRIES:
                    raise
                pause(tries)
                self._stream = self._again(self._read)
        if self._read != self.item.size_bytes:
            raise StorageError(
                thing=self.item.name,
                reason=f"{self._read:,} of {self.item.size_bytes:,} bytes came",
                way_out="Try again.",
            )

    def whole(self) -> bytes:
        """Return all of it."""
        return b"".join(self.chunks())


class Bucket:
    """A bucket behind a boto3 client. Any thread may use it."""

    def __init__(self, client: S3Client, name: str) -> None:
        self.client = client
        self.name = name

    def get(self, name: str, unless_etag: str | None = None) -> Body | None:
        """Open an object; None if its ETag is still `unless_etag`.

        Raises:
            KeyMissingError: There is none.
        """
        if unless_etag is None:
            return self.open(name)
        with translated(self.url(name)):
            try:
                answer = self.client.get_object(Bucket=self.name, Key=name, IfNoneMatch=unless_etag)
            except ClientError as error:
                if code_of(error) in NOT_MODIFIED:
                    return None
                raise
        return self._body(name, answer)

    def open(self, name: str) -> Body:
        """Open an object; KeyMissingError if there is none."""
        with translated(self.url(name)):
            return self._body(name, self.client.get_object(Bucket=self.name, Key=name))

    def _body(self, name: str, answer: Any) -> Body:
        item = _item(name, answer)

        def again(offset: int) -> Any:
            with translated(self.url(name)):
                return self.client.get_object(
                    Bucket=self.name, Key=name, Range=f"bytes={offset}-", IfMatch=item.etag
                )["Body"]

        return Body(item, answer["Body"], again)

    def head(self, name: str) -> Item:
        """Return what is known of an object; KeyMissingError if there is none."""
        with translated(self.url(name)):
            return _item(name, self.client.head_object(Bucket=self.name, Key=name))

    def put(self, name: str, data: bytes | BinaryIO) -> str:
        """Write an object, and return its ETag."""
        with translated(self.url(name)):
            return self.client.put_object(Bucket=self.name, Key=name, Body=data)["ETag"]

    def put_new(self, name: str, data: bytes) -> str | None:
        """Write an object unless there is one; return its ETag, or None if there was one."""
        return self._put_if(name, data, IfNoneMatch="*")

    def put_over(self, name: str, data: bytes, etag: str) -> str | None:
        """Replace an object whose ETag is `etag`; None if it is not. Not every server can."""
        return self._put_if(name, data, IfMatch=etag)

    def _put_if(self, name: str, data: bytes, **condition: Any) -> str | None:
        writer = uuid.uuid4().hex
        for tries in range(1, _TRIES + 1):
            with translated(self.url(name)):
                try:
                    return self.client.put_object(
                        Bucket=self.name,
                        Key=name,
                        Body=data,
                        Metadata={WRITER: writer},
                        **condition,
                    )["ETag"]
                except ClientError as error:
                    if code_of(error) in CONDITION_RACED and tries < _TRIES:
                        pause(tries)
                        continue
                    if code_of(error) not in CONDITION_FAILED:
                        raise
                    # An earlier request, whose answer was lost, may be what stands in the way.
                    may_be_ours = was_retried(error) or tries > 1
            return self.etag_if_by(name, writer) if may_be_ours else None
        return None

    def etag_if_by(self, name: str, writer: str) -> str | None:
        """Return an object's ETag if this writer made it, else None."""
        with translated(self.url(name)):
            try:
                found = self.client.head_object(Bucket=self.name, Key=name)
            except ClientError as error:
                if code_of(error) == "404":
                    return None
                raise
        return found["ETag"] if found.get("Metadata", {}).get(WRITER) == writer else None

    def delete(self, names: Sequence[str]) -> None:
        """Remove objects; nothing happens for one that does not exist."""
        with translated(self.url(names[0] if names else "")):
            if len(names) == 1:
                self.client.delete_object(Bucket=self.name, Key=names[0])
                return
            for start in range(0, len(names), _DELETED_AT_ONCE):
                some = [{"Key": name} for name in names[start : start + _DELETED_AT_ONCE]]
                answer = self.client.delete_objects(
                    Bucket=self.name,
                    Delete={"Objects": some, "Quiet": True},  # type: ignore[typeddict-item]
                )
                for error in answer.get("Errors", ()):
                    raise StorageError(
                        thing=self.url(error.get("Key", "")),
                        reason=f"cannot be deleted ({error.get('Code')}: {error.get('Message')})",
                        way_out="Check what the credentials may do in the bucket, then try again.",
                    )

    def list(self, prefix: str, delimiter: str = "", after: str = "") -> Listing:
        """List all objects under a prefix whose names come after one.

        Args:
            delimiter: If given, what lies deeper is told as folders only.
        """
        items: list[Item] = []
        folders: list[str] = []
        at: datetime | None = None
        with translated(self.url(prefix)):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=prefix, Delimiter=delimiter, StartAfter=after
            )
            for page in pages:
                # The first page's: what is seen is at most as old as that.
                at = at or date_of(page)
                items += [
                    Item(o["Key"], o["Size"], o["ETag"], o["LastModified"])
                    for o in page.get("Contents", ())
                ]
                folders += [p["Prefix"] for p in page.get("CommonPrefixes", ())]
        if at is None:
            raise StorageError(thing=self.url(prefix), reason="the server lists nothing at all")
        return Listing(tuple(items), tuple(folders), at)

    def is_empty(self, prefix: str) -> bool:
        """Tell whether there is no object under a prefix."""
        with translated(self.url(prefix)):
            answer = self.client.list_objects_v2(Bucket=self.name, Prefix=prefix, MaxKeys=1)
        return not answer.get("Contents")

    def url(self, name: str) -> str:
        """Return how people are told of an object."""
        return f"s3://{self.name}/{name}"


def date_of(answer: Any) -> datetime:
    """Return the server's own time of an answer."""
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])


def pause(tries: int) -> None:
    """Wait before the next try, the longer the more there were; at random, so that none meet."""
    time.sleep(_FIRST_PAUSE_S * 2**tries * random.uniform(0.5, 1.0))


def _item(name: str, answer: Any) -> Item:
    return Item(name, answer["ContentLength"], answer["ETag"], answer["LastModified"])
