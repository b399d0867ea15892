"""The video that lies in an episode's place: which it should be, which it is, and its bytes."""

from __future__ import annotations

from pathlib import Path

from screenalytics_core import layout
from screenalytics_core.episode_video import EpisodeVideo
from screenalytics_core.episodes import EpisodeId
from screenalytics_core.errors import KeyMissingError, VideoChangedError, VideoError
from screenalytics_core.file_hashes import VideoHashCache
from screenalytics_core.records import read_record
from screenalytics_core.storage.base import Storage


def load_video(storage: Storage, ep_id: str) -> EpisodeVideo:
    """Return the episode's video, its content checked against what was registered.

    Raises:
        VideoError: None is registered, or the file is gone.
        VideoChangedError: The file is another one than was registered.
    """
    ep_id = EpisodeId.parse(ep_id).text
    video = recorded_video(storage, ep_id)
    if video is None:
        raise not_registered(ep_id)
    _check_content(storage, ep_id, video.sha256)
    return video


def _check_content(storage: Storage, ep_id: str, sha256: str) -> None:
    found = video_sha256(storage, ep_id)
    if found != sha256:
        raise VideoChangedError(
            thing=storage.location(layout.video_key(ep_id)),
            reason=f"was replaced: its sha256 is {found}, registered was {sha256}",
            way_out="Restore it, or register the new file with --replace-video.",
            over_http=f"Send the new file: PUT /episodes/{ep_id}/video?replace=true.",
            found_sha256=found,
            expected_sha256=sha256,
        )


def fetch_video(storage: Storage, ep_id: str, sha256: str | None = None) -> Path:
    """Return a file on this machine with the episode's video.

    Args:
        sha256: What a copy that is made now must be a copy of.

    Raises:
        VideoError: There is none.
        VideoChangedError: Another one lies there now.
    """
    key = layout.video_key(ep_id)
    try:
        stamp = storage.stamp(key)
        path = storage.fetch(key)
        if sha256 is not None and stamp is not None and stamp.etag:
            _check_content(storage, ep_id, sha256)
        return path
    except KeyMissingError as error:
        raise VideoError(
            thing=storage.location(key),
            reason=error.reason,
            way_out="Restore the file, or register it again.",
        ) from error


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
    return VideoHashCache(storage).sha256_of_key(layout.video_key(ep_id))


def not_registered(ep_id: str) -> VideoError:
    """Build the error for an episode without a video."""
    return VideoError(
        thing=f"episode {ep_id}",
        reason="has no registered video",
        way_out=f"Run `screenalytics episodes add VIDEO --ep-id {ep_id}`.",
        over_http=f"Send it: PUT /episodes/{ep_id}/video.",
    )
