"""Where a local key lies on S3, and back. Pure.

A run folder's files get a folder for show, season and episode; everything else keeps its name.
"""

from __future__ import annotations

import re
from typing import Final

from screenalytics_core.episodes import EpisodeId
from screenalytics_core.errors import InvalidIdError
from screenalytics_core.layout import MANIFESTS, check_key
from screenalytics_core.run_ids import normalize_run_id

_LOCAL_RUN: Final = re.compile(r"manifests/(?P<ep>[^/]+)/runs/(?P<run>[^/]+)/(?P<rest>.+)")
_S3_CANONICAL: Final = re.compile(
    r"runs/(?P<show>[a-z0-9][a-z0-9-]*)/s(?P<season>[0-9]{2,})/e(?P<episode>[0-9]{2,})"
    r"/(?P<run>[^/]+)/(?P<rest>.+)"
)
_S3_LEGACY: Final = re.compile(r"runs/(?P<ep>[^/]+)/(?P<run>[^/]+)/(?P<rest>.+)")
_EPISODE_TAIL: Final = re.compile(r"(?P<show>.+)-s(?P<season>[0-9]{2,})e(?P<episode>[0-9]{2,})")


def s3_key(key: str, prefix: str = "") -> str:
    """Return the S3 key that a local key is written to.

    A run folder's files go to `runs/{show}/s{ss}/e{ee}/{run_id}/...`, or, when the ep_id
    does not parse, to `runs/{ep_id}/{run_id}/...`; everything else keeps its name.
    """
    return s3_keys(key, prefix)[0]


def s3_keys(key: str, prefix: str = "") -> tuple[str, ...]:
    """Return the S3 keys that a local key is read from, in this order."""
    match = _LOCAL_RUN.fullmatch(check_key(key))
    if match is None:
        return (_under(prefix, key),)
    ep_id, run_id, rest = match["ep"], normalize_run_id(match["run"]), match["rest"]
    legacy = _under(prefix, f"runs/{EpisodeId.parse(ep_id).text}/{run_id}/{rest}")
    tail = _EPISODE_TAIL.fullmatch(ep_id) if EpisodeId.parse(ep_id).is_canonical else None
    if tail is None:
        return (legacy,)
    folder = f"{tail['show']}/s{tail['season']}/e{tail['episode']}"
    return (_under(prefix, f"runs/{folder}/{run_id}/{rest}"), legacy)


def local_key(key: str, prefix: str = "") -> str:
    """Return the local key that an S3 key stands for: the inverse of `s3_keys`.

    Raises:
        InvalidIdError: The key does not lie under `prefix`.
    """
    start = _under(prefix, "")
    if not key.startswith(start):
        raise InvalidIdError(thing=f"S3 key {key!r}", reason=f"is not under {start!r}", value=key)
    name = key[len(start) :]
    if match := _S3_CANONICAL.fullmatch(name):
        ep_id = f"{match['show']}-s{match['season']}e{match['episode']}"
        return f"{MANIFESTS}/{ep_id}/runs/{match['run']}/{match['rest']}"
    if match := _S3_LEGACY.fullmatch(name):
        return f"{MANIFESTS}/{match['ep']}/runs/{match['run']}/{match['rest']}"
    return name


def _under(prefix: str, key: str) -> str:
    return f"{prefix.strip('/')}/{key}" if prefix.strip("/") else key
