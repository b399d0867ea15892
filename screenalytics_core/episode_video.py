"""video.json: what is recorded of an episode's registered video."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from screenalytics_core.vision.trims import Trims, parse_trims

SCHEMA_VERSION: Final = 1


def no_trims() -> Trims:
    """Return what a video begins with: nothing is left out."""
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
    trims: Trims = field(default_factory=no_trims)
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
