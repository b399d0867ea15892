"""The bench of many registered episodes measures real ones, and says what it misses."""

from __future__ import annotations

from pathlib import Path

from benchmarks.registered import build_root, report
from screenalytics_core.episode_registry import list_episodes, load_video
from screenalytics_core.episode_state import video_state
from screenalytics_core.episode_survey import survey
from screenalytics_core.storage.local import LocalStorage


def test_the_episodes_of_the_bench_are_registered_as_any(tmp_path: Path) -> None:
    build_root(tmp_path / "root", 9)
    storage = LocalStorage(tmp_path / "root")
    episodes, seen = list_episodes(storage), survey(storage)

    assert len(episodes) == 9
    states = {video_state(storage, load_video(storage, ep_id), seen[ep_id]) for ep_id in episodes}
    assert states == {"ok"}


def test_the_report_says_what_holds_and_what_is_missed() -> None:
    row = {"what": "list", "cpu_s": 1.4, "wall_s": 2.0, "one_s": 0.5, "limit_s": 1.0}
    page = {"what": "page", "cpu_s": None, "wall_s": 0.4, "one_s": None, "limit_s": 1.0}
    rows = [{**row, "ours_s": 0.9}, {**row, "ours_s": 1.01}, {**page, "ours_s": 0.4}]

    head, *lines = report({"episodes": 10_000, "rounds": 1, "rows": rows})

    assert head.startswith("10,000 episodes")
    assert [("holds" in line, "MISSED" in line) for line in lines] == [
        (True, False), (False, True), (True, False),
    ]  # fmt: skip
