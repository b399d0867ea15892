"""A folder of video files taken in as episodes: what would happen, and then it happening."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any, Final

from screenalytics_core.episode_names import EpisodeNames, Named
from screenalytics_core.episode_registry import (
    EpisodeVideo,
    Probe,
    recorded_video,
    register_video,
)
from screenalytics_core.episode_selection import natural_order
from screenalytics_core.errors import DiskSpaceError, ScreenalyticsError, VideoError
from screenalytics_core.file_hashes import VideoHashCache
from screenalytics_core.storage.base import Storage

# What FFmpeg opens by these names; anything else in a folder is no video to most people.
VIDEO_SUFFIXES: Final = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".m2ts", ".mts",
     ".wmv", ".flv", ".ogv", ".mxf"}
)  # fmt: skip


class Action(StrEnum):
    """What would happen to a file."""

    NEW = "new"
    SAME = "same"
    REPLACES = "replaces"
    OTHER_VIDEO = "other video"
    CONFLICT = "conflict"
    UNREADABLE = "unreadable"
    NOT_RECOGNISED = "not recognised"
    FAILED = "failed"

    @property
    def is_registered(self) -> bool:
        """True for what registering does, also if it finds nothing to do."""
        return self in {Action.NEW, Action.SAME, Action.REPLACES}

    @property
    def is_failure(self) -> bool:
        """True for what was meant to be an episode and is none."""
        return not self.is_registered and self is not Action.NOT_RECOGNISED


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """The files of a folder.

    Attributes:
        videos: Relative to `root`, in natural order.
        skipped: How many others there were, by what they are.
    """

    root: Path
    videos: tuple[PurePosixPath, ...]
    skipped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Intake:
    """One file and what happens, or happened, to it."""

    path: Path
    shown: str
    ep_id: str | None
    action: Action
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        shown = os.fsencode(self.shown).decode(errors="replace")
        return {"file": shown, "ep_id": self.ep_id, "action": self.action, "note": self.note}


def find_files(place: Path) -> FoundFiles:
    """Return the video files at `place`: itself, or what lies in the folder and below it.

    Links and hidden files are not followed below it, since they lead to the same file twice,
    or to one that a player or a system keeps for itself.

    Raises:
        VideoError: There is nothing of that name, or it cannot be listed.
    """
    if not place.exists():
        raise VideoError(thing=str(place), reason="does not exist", way_out="Check the path.")
    if not place.is_dir():
        return FoundFiles(place.parent, (PurePosixPath(place.name),), {})
    skipped: Counter[str] = Counter()
    videos: list[PurePosixPath] = []

    def refuse(error: OSError) -> None:
        raise VideoError(
            thing=str(error.filename or place),
            reason=error.strerror or str(error),
            way_out="Check the path, and that the folder may be read.",
        ) from error

    for where, folders, files in os.walk(place, onerror=refuse):
        here = Path(where)
        for name in [*files, *folders]:
            kind = _skipped_as(here / name, is_folder=name in folders)
            if kind is not None:
                skipped[kind] += 1
            elif name in files:
                videos.append(PurePosixPath((here / name).relative_to(place).as_posix()))
        folders[:] = [f for f in folders if _skipped_as(here / f, is_folder=True) is None]
    ordered = sorted(videos, key=lambda path: natural_order(path.as_posix().lower()))
    return FoundFiles(place, tuple(ordered), dict(sorted(skipped.items())))


def _skipped_as(path: Path, *, is_folder: bool) -> str | None:
    """Say as what a file or folder is left out; None for one that counts."""
    if path.name.startswith("."):
        return "hidden"
    if path.is_symlink():
        return "symbolic link"
    if is_folder:
        return None
    if path.suffix.lower() not in VIDEO_SUFFIXES or not path.is_file():
        return "no video file"
    return None


def plan_intake(
    found: FoundFiles,
    names: EpisodeNames,
    storage: Storage,
    *,
    probe: Probe,
    may_replace: bool = False,
) -> Iterator[Intake]:
    """Yield what would happen to each file, in their order; registers nothing.

    Args:
        probe: Opens a file and returns its facts, or raises VideoError.
        may_replace: Another video may take the place of the registered one.
    """
    named = [(path, names.recognise(path)) for path in found.videos]
    by_id = _files_by_id(named)
    for path, name in named:
        item = Intake(
            found.root / path, path.as_posix(), name.ep_id, Action.NOT_RECOGNISED, name.why_not
        )
        if name.ep_id is None:
            yield item
            continue
        rivals = [p.as_posix() for p in by_id[name.ep_id] if p != path]
        if rivals:
            note = f"{name.ep_id} is also {', '.join(rivals)}"
            yield replace(item, action=Action.CONFLICT, note=note)
        else:
            yield _planned(item, name.ep_id, storage, probe, may_replace=may_replace)


def _files_by_id(
    named: Sequence[tuple[PurePosixPath, Named]],
) -> dict[str, list[PurePosixPath]]:
    by_id: dict[str, list[PurePosixPath]] = {}
    for path, name in named:
        if name.ep_id is not None:
            by_id.setdefault(name.ep_id, []).append(path)
    return by_id


def _planned(
    item: Intake, ep_id: str, storage: Storage, probe: Probe, *, may_replace: bool
) -> Intake:
    try:
        probe(item.path)
        known = recorded_video(storage, ep_id)
        if known is None:
            return replace(item, action=Action.NEW)
        if _is_same(storage, known, item.path):
            return replace(item, action=Action.SAME)
    except VideoError as error:
        return replace(item, action=Action.UNREADABLE, note=error.reason)
    except OSError as error:
        return replace(item, action=Action.UNREADABLE, note=error.strerror or str(error))
    except ScreenalyticsError as error:
        return replace(item, action=Action.FAILED, note=str(error))
    action = Action.REPLACES if may_replace else Action.OTHER_VIDEO
    return replace(item, action=action, note=f"registered is {known.source}")


def _is_same(storage: Storage, known: EpisodeVideo, path: Path) -> bool:
    """Compare the sizes first: most videos need not be read to be told apart."""
    if path.stat().st_size != known.size_bytes:
        return False
    return VideoHashCache(storage).sha256(path) == known.sha256


def take_in(
    item: Intake, storage: Storage, *, probe: Probe, may_replace: bool = False
) -> tuple[Intake, EpisodeVideo | None]:
    """Register the file of a plan; return what happened, and the video if it is registered.

    An error of one file is in what is returned, so that the others go on; a full disk is
    raised, since it is theirs as well.

    Raises:
        DiskSpaceError: It does not fit.
    """
    if item.ep_id is None or not item.action.is_registered:
        return item, None
    try:
        return item, register_video(
            storage, item.ep_id, item.path, probe=probe, replace=may_replace
        )
    except DiskSpaceError:
        raise
    except ScreenalyticsError as error:
        return replace(item, action=Action.FAILED, note=str(error)), None
