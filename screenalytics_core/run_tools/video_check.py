"""Is the video that a run is bound to the one that is registered, and still on disk?"""

from __future__ import annotations

from collections.abc import Callable

from screenalytics_core import layout
from screenalytics_core.episode_registry import recorded_video
from screenalytics_core.errors import KeyMissingError, ScreenalyticsError
from screenalytics_core.run_record import RunRecord
from screenalytics_core.run_tools.file_content import read_content
from screenalytics_core.storage.base import Storage


class VideoCheck:
    """Reads the video of each episode once, whatever the cache of hashes says."""

    def __init__(self, storage: Storage, on_bytes: Callable[[int], None]) -> None:
        self._storage = storage
        self._on_bytes = on_bytes
        self._known: dict[str, tuple[str | None, str]] = {}

    def problem_of(self, record: RunRecord) -> str | None:
        """Say what is wrong with a run's video; "" if nothing, None if there is no video."""
        if record.ep_id not in self._known:
            self._known[record.ep_id] = self._look_at(record.ep_id)
        found, problem = self._known[record.ep_id]
        if problem or found is None:
            return problem or None
        bound = str(record.video.get("sha256"))
        return "" if found == bound else f"sha256 is {found}, the run is bound to {bound}"

    def _look_at(self, ep_id: str) -> tuple[str | None, str]:
        """Return the sha256 of an episode's video, and what is wrong with it by itself."""
        try:
            registered = recorded_video(self._storage, ep_id)
            content = read_content(self._storage, layout.video_key(ep_id), self._on_bytes)
        except KeyMissingError:
            return None, ""
        except ScreenalyticsError as error:
            return None, str(error)
        if registered is not None and registered.sha256 != content.sha256:
            return None, f"sha256 is {content.sha256}, registered was {registered.sha256}"
        return content.sha256, ""
