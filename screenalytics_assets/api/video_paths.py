"""Which videos of this machine a request may name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from screenalytics_assets.settings import Settings
from screenalytics_core.errors import VideoError
from screenalytics_core.storage.data_root import DataRoot


def allowed_video(settings: Settings, text: str) -> Path:
    """Return the path that a request names, if it lies where videos may lie.

    What a link points to counts, and that is what is returned: a link that is turned elsewhere
    afterwards is not followed. Nothing is said of a file elsewhere, not even whether there is one.

    Raises:
        VideoError: It lies outside the data root and the allowed folders.
    """
    path = resolved_inside(text, (settings.data_root, *settings.api.video_folders))
    if path is not None:
        return path
    raise VideoError(
        thing=f"video {text!r}",
        reason="is not an absolute path in the data root or in an allowed folder",
        way_out="Upload it with PUT /episodes/{ep_id}/video, or start the server with its folder "
        "in SCREENALYTICS_API_VIDEO_FOLDERS.",
    )


def resolved_inside(text: str, folders: Iterable[DataRoot]) -> Path | None:
    """Return where an absolute path leads, if that lies in one of the folders; else None."""
    try:
        given = Path(text)
        path = given.resolve()
        roots = [folder.resolve() for folder in folders if isinstance(folder, Path)]
    except (OSError, ValueError, RuntimeError):  # a null byte, a name too long, a loop of links
        return None
    is_inside = given.is_absolute() and any(path.is_relative_to(root) for root in roots)
    return path if is_inside else None
