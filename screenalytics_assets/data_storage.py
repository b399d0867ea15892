"""Opens the storage of a data root: the one place that knows which kinds there are."""

from __future__ import annotations

from screenalytics_core.storage.base import Storage
from screenalytics_core.storage.data_root import DataRoot, S3Root
from screenalytics_core.storage.local import LocalStorage


def open_storage(data_root: DataRoot) -> Storage:
    """Open the storage of `data_root`; creates nothing and asks nobody.

    Raises:
        StorageError: There is a bucket, but nothing to reach it with.
    """
    if isinstance(data_root, S3Root):
        from screenalytics_assets.s3_storage import open_s3

        return open_s3(data_root)
    return LocalStorage(data_root)
