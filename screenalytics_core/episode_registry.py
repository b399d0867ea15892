"""Which video an episode is: puts it in place once, and notices when it is replaced."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

from screenalytics_core import layout
from screenalytics_core.episode_selection import natural_order
from screenalytics_core.episode_survey import survey
from screenalytics_core.episodes import EpisodeId, is_path_safe
from screenalytics_core.errors import (
    EpisodeVideoConflictError,
    SettingsError,
    VideoChangedError,
    VideoError,
)
from screenalytics_core.file_hashes import VideoHashCache
from screenalytics_core.records import read_record
from screenalytics_core.storage.base import Storage
from screenalytics_core.vision.intervals import Interval
from screenalytics_core.vision.trims import Trims, parse_trims
from screenalytics_core.vision.video import VideoFacts

SCHEMA_VERSION: Final = 1
Probe = Callable[[Path], VideoFacts]


def _no_trims() -> Trims:
    return parse_trims({})


@dataclass(frozen=True, slots=True)
class EpisodeVideo:
    """video.json: the registered video.

    Attributes:
        source: Name of the file it came from.
        fps: Average rate as a fraction, e.g. 30000/1001.
        trims: Stretches that are not counted, `recap` and `credits`, each [start_s, end_s) in
            the video's own clock or null; see `vision.trims`.
    """

    ep_id: str
    source: str
    sha256: str
    size_bytes: int
    duration_s: float
    fps: str
    width_px: int
    height_px: int
    codec: str
    pixel_format: str
    container: str
    has_audio: bool
    rotation_deg: int
    trims: Trims = field(default_factory=_no_trims)
    schema_version: int = SCHEMA_VERSION

    def to_dict(self) -> dict[str, Any]:
        """Return it as it stands in video.json."""
        return {**asdict(self), "episode_id": self.ep_id}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Self:
        """Build it from video.json; ValueError or TypeError if it is not one."""
        given = dict(record)
        given.pop("episode_id", None)
        given["trims"] = parse_trims(given.get("trims", {}))
        video = cls(**given)
        if not (isinstance(video.size_bytes, int) and isinstance(video.sha256, str)):
            raise TypeError("size_bytes must be a whole number and sha256 a text")
        return video


def register_video(
    storage: Storage, ep_id: str, video_path: Path, *, probe: Probe, replace: bool = False
) -> EpisodeVideo:
    """Make a file the episode's video; registering the same content again changes nothing.

    A file that somebody copied into its place already is left there. Trims belong to a
    content: another video begins without.

    Args:
        probe: Opens the file and returns its facts, or raises VideoError.
        replace: Let it replace another video.

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
        trims = same.trims if same else _no_trims()
        video = _describe(ep_id, video_path, facts, sha256, size_bytes, trims)
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
            raise _not_registered(ep_id)
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
            video = replace(video, trims=trims)
            _write(storage, video, keep_time=True)
    return video


def load_video(storage: Storage, ep_id: str) -> EpisodeVideo:
    """Return the episode's video, its content checked against what was registered.

    Raises:
        VideoError: None is registered, or the file is gone.
        VideoChangedError: The file is another one than was registered.
    """
    ep_id = EpisodeId.parse(ep_id).text
    video = recorded_video(storage, ep_id)
    if video is None:
        raise _not_registered(ep_id)
    found = video_sha256(storage, ep_id)
    if found != video.sha256:
        raise VideoChangedError(
            thing=str(episode_video_path(storage, ep_id)),
            reason=f"was replaced: its sha256 is {found}, registered was {video.sha256}",
            way_out="Restore it, or register the new file with --replace-video.",
            found_sha256=found,
            expected_sha256=video.sha256,
        )
    return video


def episode_video_path(storage: Storage, ep_id: str) -> Path:
    """Return where the episode's video lies."""
    return storage.local_path(layout.video_key(ep_id))


def list_episodes(storage: Storage) -> tuple[str, ...]:
    """Return the ep_ids that have a registered video, in natural order."""
    names = (name for name, it in survey(storage).items() if it.facts and is_path_safe(name))
    return tuple(sorted(names, key=natural_order))


def recorded_video(storage: Storage, ep_id: str) -> EpisodeVideo | None:
    """Return what was registered, whatever became of the file; None if nothing was."""
    return read_record(
        storage,
        layout.video_facts_key(ep_id),
        EpisodeVideo.from_dict,
        "Restore it from a copy, or move it away and register the video again.",
    )


def video_sha256(storage: Storage, ep_id: str) -> str:
    """Return the sha256 of the file that lies there now; VideoError if there is none."""
    return VideoHashCache(storage).sha256(episode_video_path(storage, ep_id))


def _is_in_place(storage: Storage, video: EpisodeVideo) -> bool:
    is_there = storage.exists(layout.video_key(video.ep_id))
    return is_there and video_sha256(storage, video.ep_id) == video.sha256


def _place(storage: Storage, ep_id: str, video_path: Path, sha256: str) -> int:
    """Link or copy the video into place; its content must be what was probed."""
    target = episode_video_path(storage, ep_id)
    if target.is_file() and not target.is_symlink() and target.samefile(video_path):
        return target.stat().st_size  # hashing saw that it did not change meanwhile
    staged = storage.stage_file(layout.video_key(ep_id), video_path)
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
    staged = storage.stage(key, content)
    try:
        if keep_time:
            since_ns = storage.local_path(key).stat().st_mtime_ns
            os.utime(staged.temp_path, ns=(since_ns, since_ns))
        storage.commit(staged)
    finally:
        storage.discard(staged)


def _not_registered(ep_id: str) -> VideoError:
    return VideoError(
        thing=f"episode {ep_id}",
        reason="has no registered video",
        way_out=f"Run `screenalytics episodes add VIDEO --ep-id {ep_id}`.",
    )


def _conflict(known: EpisodeVideo, video_path: Path, sha256: str) -> EpisodeVideoConflictError:
    return EpisodeVideoConflictError(
        thing=str(video_path),
        reason=f"episode {known.ep_id} has another video, {known.source} "
        f"(sha256 {known.sha256[:12]}, this one {sha256[:12]})",
        way_out="Use another ep_id, or --replace-video to put this one in its place.",
        ep_id=known.ep_id,
        registered_sha256=known.sha256,
        found_sha256=sha256,
    )
