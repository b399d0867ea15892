"""What the observable video asset sees: the files themselves, one by one."""

from __future__ import annotations

from pathlib import Path

from screenalytics_assets.assets.video import observed_videos
from screenalytics_core.episode_registry import register_video
from screenalytics_core.errors import VideoError
from screenalytics_core.file_hashes import sha256_file
from screenalytics_core.storage.local import LocalStorage
from screenalytics_core.vision.decode import probe_video
from tests.videos import make_video, numbered


def test_a_replaced_file_is_observed_and_a_lost_one_hides_no_other(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "data")
    for ep_id, frames in (("a-s01e01", 8), ("a-s01e02", 9), ("a-s01e03", 10)):
        source = make_video(tmp_path / f"{ep_id}.mp4", numbered(frames))
        register_video(storage, ep_id, source, probe=probe_video)
    videos = tmp_path / "data" / "videos"
    (videos / "a-s01e01" / "episode.mp4").unlink()
    with (videos / "a-s01e02" / "episode.mp4").open("ab") as file:
        file.write(b"more")

    seen = observed_videos(storage)

    assert isinstance(seen["a-s01e01"], VideoError)
    for ep_id in ("a-s01e02", "a-s01e03"):
        assert seen[ep_id] == sha256_file(videos / ep_id / "episode.mp4")
