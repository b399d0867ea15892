"""Whether an episode's registered video is still the one that lies there."""

from __future__ import annotations

import os
from typing import Literal

from screenalytics_core import layout
from screenalytics_core.episode_registry import EpisodeVideo, episode_video_path, video_sha256
from screenalytics_core.episode_survey import Seen, stamp_of
from screenalytics_core.errors import VideoError
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
    path = storage.local_path(layout.video_facts_key(ep_id))
    # Written anew since the look: then it says of itself since when it holds.
    if video is None or facts is None or stamp_of(path) != facts:
        return
    if stamp_of(episode_video_path(storage, ep_id)) == video:
        try:
            os.utime(path, ns=(video.changed_ns, video.changed_ns))
        except OSError:
            return  # only read here: the next look reads the video again
