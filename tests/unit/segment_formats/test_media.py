"""What is read from the video's file."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from screenalytics_core.errors import VideoError
from screenalytics_core.segment_formats.media import media_file
from tests.videos import make_not_a_video, make_video, numbered


def test_a_file_is_named_as_a_url(tmp_path: Path) -> None:
    path = make_video(tmp_path / "an épisode #1.mp4", numbered(3), audio_s=0.1)

    media = media_file(path)

    assert media.url.startswith("file:///")
    assert media.url.endswith("/an%20%C3%A9pisode%20%231.mp4")
    assert media.has_audio
    assert media.start_timecode is None


def test_a_masters_timecode_is_found(tmp_path: Path) -> None:
    source = make_video(tmp_path / "plain.mp4", numbered(3))
    path = tmp_path / "master.mov"
    with av.open(str(source)) as plain, av.open(str(path), "w") as master:
        stream = master.add_stream_from_template(plain.streams.video[0])
        stream.metadata["timecode"] = "10:00:00:00"
        for packet in plain.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                master.mux(packet)

    media = media_file(path)

    assert media.start_timecode == "10:00:00:00"
    assert not media.has_audio


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoError):
        media_file(make_not_a_video(tmp_path / "text.mp4"))
