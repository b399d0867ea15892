"""What a server makes of conditions, asked once before anything depends on them."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass

from screenalytics_core.errors import StorageError
from screenalytics_core.storage.s3_bucket import Bucket


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a server holds.

    Attributes:
        can_replace: It replaces an object only if its ETag is the one that was named.
    """

    can_replace: bool


class ConditionCheck:
    """Asks a server when it is needed first. Any thread may use it."""

    def __init__(self, bucket: Bucket, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._guard = threading.Lock()
        self._found: Conditions | None = None

    def require(self) -> Conditions:
        """Return what the server can.

        Raises:
            StorageError: It creates an object although there is one, so that two writers would
                lose each other's work; or it cannot be asked.
        """
        with self._guard:
            if self._found is None:
                self._found = self._ask(f"{self._prefix}{uuid.uuid4().hex}")
        return self._found

    def _ask(self, name: str) -> Conditions:
        etag = self._bucket.put_new(name, b"1")
        try:
            if etag is None or self._bucket.put_new(name, b"2") is not None:
                raise StorageError(
                    thing=self._bucket.url(""),
                    reason="the server ignores conditions (If-None-Match), so that writers would "
                    "overwrite each other's work",
                    way_out="Use a server that holds them: Amazon S3, Ceph from 16 on, MinIO.",
                )
            # Ceph holds this condition never, others always: of use is who tells the two apart.
            if self._bucket.put_over(name, b"3", '"0123456789abcdef0123456789abcdef"') is not None:
                return Conditions(can_replace=False)
            return Conditions(self._bucket.put_over(name, b"4", etag) is not None)
        finally:
            self._bucket.delete([name])
