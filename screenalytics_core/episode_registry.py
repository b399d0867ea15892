"""Which video an episode is: puts it in place once, and notices when it is replaced."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from screenalytics_core import layout
from screenalytics_core.episode_file import (
    fetch_video,
    load_video,
    not_registered,
    recorded_video,
    video_sha256,
)
from screenalytics_core.episode_selection import natural_order
from screenalytics_core.episode_survey import survey
from screenalytics_core.episode_video import EpisodeVideo, no_trims
from screenalytics_core.episodes import EpisodeId, is_path_safe
from screenalytics_core.errors import (
    EpisodeVideoConflictError,
    SettingsError,
    VideoChangedError,
)
from screenalytics_core.file_hashes import VideoHashCache
from screenalytics_core.storage.base import Storage
from screenalytics_core.vision.intervals import Interval
from screenalytics_core.vision.trims import Trims, parse_trims
from screenalytics_core.vision.video import VideoFacts

__all__ = [
    "EpisodeVideo",
    "Probe",
    "fetch_video",
    "list_episodes",
    "load_video",
    "recorded_video",
    "register_in_place",
    "register_video",
    "set_trims",
    "video_sha256",
]

Probe = Callable[[Path], VideoFacts]


def register_video(
    storage: Storage,
    ep_id: str,
    video_path: Path,
    *,
    probe: Probe,
    replace: bool = False,
    source: str | None = None,
) -> EpisodeVideo:
    """Make a file the episode's video; registering the same content again changes nothing.

    A file that somebody copied into its place already is left there. Trims belong to a
    content: another video begins without.

    Args:
        probe: Opens the file and returns its facts, or raises VideoError.
        replace: Let it replace another video.
        source: What the file was called where it came from; None = as it is called here.

    Raises:
        VideoError: The file is missing or unusable, or changed while it was taken in.
        EpisodeVideoConflictError: The episode has another video, and `replace` is False.
        DiskSpaceError: It does not fit; the old video is still in place.
    """
    ep_id = EpisodeId.parse(ep_id).text
    facts = probe(video_path)
    sha256 = VideoHashCache(storage).sha256(video_path)
    with storage.lock(layout.video_facts_key(ep_id)):
        known = recorded_video(storage, ep_id)
        if known is not None and known.sha256 != sha256 and not replace:
            raise _conflict(known, video_path, sha256)
        if known is not None and known.sha256 == sha256 and _is_in_place(storage, known):
            return known
        size_bytes = _place(storage, ep_id, video_path, sha256)
        same = known if known is not None and known.sha256 == sha256 else None
        trims = same.trims if same else no_trims()
        named = video_path if source is None else Path(source)
        video = _describe(ep_id, named, facts, sha256, size_bytes, trims)
        _write(storage, video)
    return video


def register_in_place(storage: Storage, ep_id: str, *, probe: Probe) -> EpisodeVideo:
    """Make the file that somebody copied into the episode's place its video.

    Raises:
        VideoError: It is missing or unusable, or was replaced while it was read.
        EpisodeVideoConflictError: The episode has another video.
    """
    ep_id = EpisodeId.parse(ep_id).text
    key = layout.video_key(ep_id)
    before = storage.stamp(key)
    path = fetch_video(storage, ep_id)
    facts, sha256 = probe(path), video_sha256(storage, ep_id)
    with storage.lock(layout.video_facts_key(ep_id)):
        known = recorded_video(storage, ep_id)
        if known is not None and known.sha256 != sha256:
            raise _conflict(known, path, sha256)
        if storage.stamp(key) != before or before is None:
            raise VideoChangedError(
                thing=storage.location(key),
                reason="changed while it was registered",
                way_out="Wait until it is written completely, then try again.",
            )
        if known is not None:
            return known
        video = _describe(ep_id, path, facts, sha256, before.size_bytes, no_trims())
        _write(storage, video)
    return video


def set_trims(
    storage: Storage,
    ep_id: str,
    *,
    recap: Interval | None = None,
    credits: Interval | None = None,
    clear: bool = False,
) -> EpisodeVideo:
    """Say which stretches of the episode's video are not counted.

    The next run computes screen time and report anew, also in a run that is finished.

    Args:
        recap: [start_s, end_s) in the video's own clock; None leaves it as it is.
        credits: The same.
        clear: Drop what is not given.

    Raises:
        VideoError: The episode has no registered video.
        SettingsError: A stretch does not end after its start.
    """
    ep_id = EpisodeId.parse(ep_id).text
    given = {"recap": recap, "credits": credits}
    with storage.lock(layout.video_facts_key(ep_id)):
        video = recorded_video(storage, ep_id)
        if video is None:
            raise not_registered(ep_id)
        kept = {} if clear else video.trims
        try:
            trims = parse_trims({**kept, **{k: v for k, v in given.items() if v is not None}})
        except (TypeError, ValueError) as error:
            raise SettingsError(
                thing=f"trims of {ep_id}",
                reason=str(error),
                way_out="Write --recap 0:00-1:35 or --credits 41:10-43:00.",
            ) from error
        if trims != video.trims:
            _check_dated(storage, video)
            video = replace(video, trims=trims)
            _write(storage, video, keep_time=True)
    return video


def list_episodes(storage: Storage) -> tuple[str, ...]:
    """Return the ep_ids that have a registered video, in natural order."""
    names = (name for name, it in survey(storage).items() if it.facts and is_path_safe(name))
    return tuple(sorted(names, key=natural_order))


def _is_in_place(storage: Storage, video: EpisodeVideo) -> bool:
    is_there = storage.exists(layout.video_key(video.ep_id))
    return is_there and video_sha256(storage, video.ep_id) == video.sha256


def _place(storage: Storage, ep_id: str, video_path: Path, sha256: str) -> int:
    """Link or copy the video into place; its content must be what was probed."""
    key = layout.video_key(ep_id)
    if storage.is_same_file(key, video_path):
        return storage.size(key)  # hashing saw that it did not change meanwhile
    staged = storage.stage_file(key, video_path)
    try:
        if staged.sha256 != sha256:
            raise VideoChangedError(
                thing=str(video_path),
                reason="changed while it was registered",
                way_out="Wait until it is written completely, then try again.",
            )
        storage.commit(staged)
    finally:
        storage.discard(staged)
    VideoHashCache(storage).note(key, sha256)
    return staged.size_bytes


def _describe(
    ep_id: str, video_path: Path, facts: VideoFacts, sha256: str, size_bytes: int, trims: Trims
) -> EpisodeVideo:
    return EpisodeVideo(
        ep_id=ep_id,
        # A name of other bytes than UTF-8 has characters that no JSON file can hold.
        source=os.fsencode(video_path.name).decode(errors="replace"),
        sha256=sha256,
        size_bytes=size_bytes,
        duration_s=facts.duration_s,
        fps=f"{facts.fps.numerator}/{facts.fps.denominator}",
        width_px=facts.width_px,
        height_px=facts.height_px,
        codec=facts.codec,
        pixel_format=facts.pixel_format,
        container=facts.container,
        has_audio=facts.has_audio,
        rotation_deg=facts.rotation_deg,
        trims=trims,
    )


def _write(storage: Storage, video: EpisodeVideo, *, keep_time: bool = False) -> None:
    """Write video.json; its time says since when the file in place is known to be this video."""
    key = layout.video_facts_key(video.ep_id)
    content = json.dumps(video.to_dict(), indent=1, ensure_ascii=False).encode() + b"\n"
    since = storage.stamp(key) if keep_time else None
    if since is None:
        storage.write_atomic(key, content)
    else:
        storage.write_dated(key, content, since.modified_ns)


def _check_dated(storage: Storage, video: EpisodeVideo) -> None:
    """Where a file's time cannot be kept, make sure that the new one tells no lie."""
    stamp = storage.stamp(layout.video_key(video.ep_id))
    if stamp is not None and stamp.etag:
        load_video(storage, video.ep_id)


def _conflict(known: EpisodeVideo, video_path: Path, sha256: str) -> EpisodeVideoConflictError:
    return EpisodeVideoConflictError(
        thing=str(video_path),
        reason=f"episode {known.ep_id} has another video, {known.source} "
        f"(sha256 {known.sha256[:12]}, this one {sha256[:12]})",
        way_out="Use another ep_id, or --replace-video to put this one in its place.",
        over_http="Use another ep_id, or `replace` to put this one in its place: "
        f"PUT /episodes/{known.ep_id}/video?replace=true.",
        ep_id=known.ep_id,
        registered_sha256=known.sha256,
        found_sha256=sha256,
    )
