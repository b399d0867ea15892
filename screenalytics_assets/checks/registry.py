"""Which asset has which checks; few each, since every one costs a run two Dagster events."""

from __future__ import annotations

from typing import Final

from screenalytics_assets.checks import faces, people, scan, time, tracks
from screenalytics_assets.checks.base import Check

CHECKS: Final[dict[str, tuple[Check, ...]]] = {
    "shots": scan.SHOTS,
    "detections": scan.DETECTIONS,
    "body_detections": scan.BODY_DETECTIONS,
    "tracks": tracks.TRACKS,
    "faces": faces.FACES,
    "embeddings": faces.EMBEDDINGS,
    "identities": people.IDENTITIES,
    "cast": people.CAST,
    "body_tracks": tracks.BODY_TRACKS,
    "track_fusion": people.TRACK_FUSION,
    "screen_time": time.SCREEN_TIME,
    "report": time.REPORT,
}
"""The checks of each asset, by its name."""
