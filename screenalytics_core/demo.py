"""The demo episode: composed from real face pictures, with its truth known from geometry."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av

from screenalytics_core.demo_render import Image, draw_shot, load_pictures
from screenalytics_core.demo_scenes import FPS, HEIGHT_PX, STORYBOARD, WIDTH_PX, Shot
from screenalytics_core.demo_truth import truth_of
from screenalytics_core.errors import VideoError

VIDEO_NAME: Final = "demo.mp4"
TRUTH_NAME: Final = "demo.truth.json"

_ENCODER: Final = "libx264"
# One thread: x264's decisions depend on how many there are. A keyframe every two seconds
# keeps seeking cheap.
_CODEC_OPTIONS: Final = {"preset": "superfast", "crf": "18", "threads": "1", "g": str(2 * FPS)}


@dataclass(frozen=True, slots=True)
class DemoEpisode:
    """The composed video and the JSON file with its truth."""

    video_path: Path
    truth_path: Path


def compose_demo(folder: Path, storyboard: Sequence[Shot] = STORYBOARD) -> DemoEpisode:
    """Write the demo's video and truth into `folder`, replacing earlier ones.

    The same libraries give the same bytes.

    Raises:
        VideoError: A picture is missing or another one, or this build of PyAV cannot
            encode H.264.
    """
    pictures = load_pictures()
    folder.mkdir(parents=True, exist_ok=True)
    episode = DemoEpisode(folder / VIDEO_NAME, folder / TRUTH_NAME)
    unfinished = episode.video_path.with_suffix(".part.mp4")
    _encode(unfinished, (frame for shot in storyboard for frame in draw_shot(shot, pictures)))
    unfinished.replace(episode.video_path)
    truth = json.dumps(truth_of(storyboard, VIDEO_NAME), indent=1)
    episode.truth_path.write_text(truth + "\n", encoding="utf-8")
    return episode


def _encode(path: Path, frames: Iterable[Image]) -> None:
    try:
        av.Codec(_ENCODER, "w")
    except av.codec.codec.UnknownCodecError as error:
        raise VideoError(
            thing="demo episode",
            reason="this build of PyAV cannot encode H.264",
            way_out="Install PyAV from its wheels: pip install --force-reinstall av.",
        ) from error
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(_ENCODER, rate=FPS, options=dict(_CODEC_OPTIONS))
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
