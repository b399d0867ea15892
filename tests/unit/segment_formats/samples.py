"""An episode's segments, as artifacts hold them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from screenalytics_core.segment_formats.model import (
    EpisodeSegments,
    MediaFile,
    episode_segments,
)

MEDIA = MediaFile("episode.mp4", "file:///videos/an%20episode.mp4", has_audio=True)
# Name, start and end in s after the first frame, and what shows the person.
Span = tuple[str, float, float, str]


def row(
    label: str | None, start_s: float, end_s: float, source: str, **more: Any
) -> dict[str, Any]:
    return {
        "ep_id": "show-s01e02",
        "identity_id": "id_" + "".join(c for c in label or "" if c.isascii() and c.isalnum()),
        "cast_id": None,
        "label": label,
        "start_s": start_s,
        "end_s": end_s,
        "source": source,
        "track_ids": [1],
        "body_track_ids": [],
        "confidence": 0.875,
        **more,
    }


def shots(fps: Fraction, *, start_s: float = 0.0, duration_s: float = 7200.0) -> dict[str, Any]:
    return {
        "fps": str(fps),
        "start_s": start_s,
        "duration_s": duration_s,
        "width_px": 1920,
        "height_px": 1080,
    }


def episode(
    *spans: Span,
    fps: Fraction = Fraction(25),
    first_frame_s: float = 0.0,
    media: MediaFile = MEDIA,
) -> EpisodeSegments:
    rows = [row(n, first_frame_s + a, first_frame_s + b, source) for n, a, b, source in spans]
    return episode_segments("show-s01e02", "first", shots(fps, start_s=first_frame_s), rows, media)
