"""Whether an episode's registered video is still the one that lies there."""

from __future__ import annotations

from typing import Literal

from screenalytics_core import layout
from screenalytics_core.episode_registry import EpisodeVideo, video_sha256
from screenalytics_core.episode_survey import Seen
from screenalytics_core.errors import StorageError, VideoError
from screenalytics_core.storage.base import Storage

VideoState = Literal["ok", "replaced", "missing"]


def video_state(storage: Storage, video: EpisodeVideo, seen: Seen) -> VideoState:
    """Tell what became of a registered video; reads it only if its stamp leaves a doubt.

    Args:
        seen: The look at its folder.
    """
    if seen.video is None:
        return "missing"
    if seen.is_untouched:
        return "ok"
    if seen.video.size_bytes != video.size_bytes:
        return "replaced"
    try:
        if video_sha256(storage, video.ep_id) != video.sha256:
            return "replaced"
    except VideoError:
        return "missing"
    note_same(storage, video.ep_id, seen)
    return "ok"


def note_same(storage: Storage, ep_id: str, seen: Seen) -> None:
    """Note that the file of this look was read and is the registered one.

    video.json gets the file's time of change, so that later looks need not read it again: it
    has another as soon as anybody touches it. Deleting what a video was linked from, as people
    do once it is registered, touches every video of a season.
    """
    video, facts = seen.video, seen.facts
    key = layout.video_facts_key(ep_id)
    # Written anew since the look: then it says of itself since when it holds.
    if video is None or facts is None or storage.stamp(key) != facts:
        return
    if storage.stamp(layout.video_key(ep_id)) == video:
        try:
            storage.set_modified(key, video.changed_ns)
        except StorageError:
            return  # only read here: the next look reads the video again
