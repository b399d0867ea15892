"""What the video's file says of itself that an editing program goes by."""

from __future__ import annotations

from pathlib import Path

from screenalytics_core.segment_formats.model import MediaFile
from screenalytics_core.vision import demux


def media_file(path: Path) -> MediaFile:
    """Return the facts of a video file.

    Raises:
        VideoError: It is missing, or no video.
    """
    with demux.open_container(path) as (container, stream):
        # QuickTime keeps the time code in a track of its own, MXF and AVI beside the rest.
        places = [stream.metadata, container.metadata, *(s.metadata for s in container.streams)]
        timecode = next((m["timecode"] for m in places if "timecode" in m), None)
        has_audio = bool(container.streams.audio)
    return MediaFile(path.name, path.absolute().as_uri(), has_audio, timecode)
