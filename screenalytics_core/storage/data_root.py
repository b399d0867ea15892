"""Where an installation keeps its data: a folder of this machine, or a prefix of a bucket."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeAlias

from screenalytics_core.errors import SettingsError

_SCHEME: Final = "s3://"
# Amazon's rules for general purpose buckets; other servers allow no less.
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# Parts of a prefix are written plainly into keys, URLs and policies.
_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=-]{0,127}")


@dataclass(frozen=True, slots=True)
class CacheFolder:
    """Where copies of a bucket's files are kept on this machine, and how much of them at most."""

    path: Path
    limit_bytes: int


@dataclass(frozen=True, slots=True)
class S3Root:
    """A prefix of a bucket; `prefix` has no slash at its ends and may be empty."""

    bucket: str
    prefix: str
    cache: CacheFolder

    @classmethod
    def parse(cls, url: str, cache: CacheFolder) -> Self:
        """Parse `s3://bucket/prefix`.

        Raises:
            SettingsError: It names no bucket, or its prefix is not made of plain names.
        """
        bucket, _, prefix = url.removeprefix(_SCHEME).partition("/")
        prefix = prefix.rstrip("/")
        parts = prefix.split("/") if prefix else []
        if not _BUCKET.fullmatch(bucket) or ".." in bucket:
            raise _refused(url, f"{bucket!r} is no name of a bucket")
        for part in parts:
            if not _PART.fullmatch(part) or ".." in part:
                raise _refused(url, f"{part!r} is no plain name")
        return cls(bucket, prefix, cache)

    @property
    def name(self) -> str:
        """A name for folders of this machine that belong to it: `bucket-<8 hex of SHA-256>`."""
        return f"{self.bucket}-{hashlib.sha256(str(self).encode()).hexdigest()[:8]}"

    def __str__(self) -> str:
        return f"{_SCHEME}{self.bucket}/{self.prefix}".rstrip("/")


DataRoot: TypeAlias = Path | S3Root


def parse_data_root(text: str | Path, cache: CacheFolder) -> DataRoot:
    """Return what `SCREENALYTICS_DATA_ROOT` or `--data-root` means; a folder is absolute.

    Args:
        cache: For a bucket.

    Raises:
        SettingsError: It is a URL, but not one of a bucket.
    """
    given = str(text)
    if given.startswith(_SCHEME):
        return S3Root.parse(given, cache)
    if "://" in given:
        raise _refused(given, "is of no kind that is known")
    return Path(text).expanduser().absolute()


def _refused(url: str, reason: str) -> SettingsError:
    return SettingsError(
        thing=f"data root {url!r}", reason=reason, way_out="Give a folder, or s3://bucket/prefix."
    )
