"""Which videos of this machine a request may name."""

from __future__ import annotations

from pathlib import Path

from screenalytics_assets.settings import Settings
from screenalytics_core.errors import VideoError


def allowed_video(settings: Settings, text: str) -> Path:
    """Return the path that a request names, if it lies where videos may lie.

    What a link points to counts. Nothing is said of a file elsewhere, not even whether there is
    one.

    Raises:
        VideoError: It lies outside the data root and the allowed folders.
    """
    path = Path(text)
    folders = [f for f in (settings.data_root, *settings.api.video_folders) if isinstance(f, Path)]
    for folder in folders:
        if path.is_absolute() and _inside(path, folder):
            return path
    raise VideoError(
        thing=f"video {text!r}",
        reason="is not an absolute path in the data root or in an allowed folder",
        way_out="Upload it with PUT /episodes/{ep_id}/video, or start the server with its folder "
        "in SCREENALYTICS_API_VIDEO_FOLDERS.",
    )


def _inside(path: Path, folder: Path) -> bool:
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # a null byte, a name too long, a loop of links
        return False
