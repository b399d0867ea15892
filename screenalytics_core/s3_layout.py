"""Where a local key lies on S3, and back. Pure.

A run folder's files get a folder for show, season and episode; everything else keeps its name.
A log lies there as a folder of parts, since an object cannot be added to.
"""

from __future__ import annotations

import re
from typing import Final

from screenalytics_core.episodes import EpisodeId
from screenalytics_core.errors import InvalidIdError
from screenalytics_core.layout import MANIFESTS, check_key
from screenalytics_core.run_ids import normalize_run_id

# `events.jsonl.parts/`, so that listing what starts with the name finds all of a log.
PARTS_SUFFIX: Final = ".parts"

_LOCAL_RUN: Final = re.compile(r"manifests/(?P<ep>[^/]+)/runs/(?P<run>[^/]+)/(?P<rest>.+)")
_LOCAL_RUNS: Final = re.compile(r"manifests/(?P<ep>[^/]+)(/runs)?")
_S3_CANONICAL: Final = re.compile(
    r"runs/(?P<show>[a-z0-9][a-z0-9-]*)/s(?P<season>[0-9]{2,})/e(?P<episode>[0-9]{2,})"
    r"/(?P<run>[^/]+)/(?P<rest>.+)"
)
_S3_LEGACY: Final = re.compile(r"runs/(?P<ep>[^/]+)/(?P<run>[^/]+)/(?P<rest>.+)")
_EPISODE_TAIL: Final = re.compile(r"(?P<show>.+)-s(?P<season>[0-9]{2,})e(?P<episode>[0-9]{2,})")
# What is only ever added to: event logs, people's decisions, and the audits.
_LOGS: Final = frozenset(
    {"events.jsonl", "decisions.jsonl", "link_decisions.jsonl", "gc.jsonl", "forget.jsonl"}
)


def is_log(key: str) -> bool:
    """Tell whether a file is one that lines are appended to."""
    return key.rpartition("/")[2] in _LOGS


def is_parts_folder(name: str) -> bool:
    """Tell whether a folder of this name holds the parts of a log."""
    return name.endswith(PARTS_SUFFIX) and is_log(name.removesuffix(PARTS_SUFFIX))


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
    folders = _run_folders(match["ep"])
    rest = f"{normalize_run_id(match['run'])}/{match['rest']}"
    return tuple(_under(prefix, f"{folder}/{rest}") for folder in folders)


def legacy_folder(key: str, prefix: str = "") -> str | None:
    """Return the S3 folder of the second place that a local key is read from, if it has one."""
    match = _LOCAL_RUN.fullmatch(check_key(key))
    folders = _run_folders(match["ep"]) if match else ()
    return _under(prefix, f"{folders[1]}/") if len(folders) > 1 else None


def s3_prefixes(folder: str, prefix: str = "") -> tuple[str, ...]:
    """Return the S3 prefixes that the files of a local folder lie under.

    Each ends in a slash. Other files may lie there too: `local_key` tells which is whose.
    """
    if folder == MANIFESTS:
        names: tuple[str, ...] = (folder, "runs")
    elif match := _LOCAL_RUNS.fullmatch(check_key(folder)):
        names = (folder, *_run_folders(match["ep"]))
    elif match := _LOCAL_RUN.fullmatch(f"{folder}/-"):
        rest = f"{normalize_run_id(match['run'])}/{match['rest']}".removesuffix("/-")
        names = tuple(f"{place}/{rest}" for place in _run_folders(match["ep"]))
    else:
        names = (folder,)
    return tuple(_under(prefix, f"{name}/") for name in names)


def local_key(key: str, prefix: str = "") -> str:
    """Return the local key that an S3 key stands for: the inverse of `s3_keys`.

    A part of a log stands for the log.

    Raises:
        InvalidIdError: The key does not lie under `prefix`.
    """
    start = _under(prefix, "")
    if not key.startswith(start):
        raise InvalidIdError(thing=f"S3 key {key!r}", reason=f"is not under {start!r}", value=key)
    name = _without_part(key[len(start) :])
    if match := _S3_CANONICAL.fullmatch(name):
        ep_id = f"{match['show']}-s{match['season']}e{match['episode']}"
        return f"{MANIFESTS}/{ep_id}/runs/{match['run']}/{match['rest']}"
    if match := _S3_LEGACY.fullmatch(name):
        return f"{MANIFESTS}/{match['ep']}/runs/{match['run']}/{match['rest']}"
    return name


def _run_folders(ep: str) -> tuple[str, ...]:
    """Return the folders that an episode's runs lie in: first where they are written."""
    ep_id = EpisodeId.parse(ep)
    tail = _EPISODE_TAIL.fullmatch(ep_id.text) if ep_id.is_canonical else None
    legacy = f"runs/{ep_id.text}"
    if tail is None:
        return (legacy,)
    return (f"runs/{tail['show']}/s{tail['season']}/e{tail['episode']}", legacy)


def _without_part(name: str) -> str:
    folder = name.rpartition("/")[0]
    return folder.removesuffix(PARTS_SUFFIX) if is_parts_folder(folder) else name


def _under(prefix: str, key: str) -> str:
    return f"{prefix.strip('/')}/{key}" if prefix.strip("/") else key
