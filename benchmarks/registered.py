"""Ten thousand registered episodes: what listing, a tick, a launch and the UI's page then take.

`python -m benchmarks.registered` prints the table. CPU seconds are judged where they can be
measured, since waiting for other processes of the machine is not ours; wall seconds stand
beside them. What a start of Python and its imports take is measured over one episode, and
what ten thousand add is ours.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchmarks.processes import BIN
from benchmarks.processes import measure as measure_process
from screenalytics_assets.data_storage import open_storage
from screenalytics_assets.settings import Settings
from screenalytics_core.episode_registry import list_episodes, register_video
from screenalytics_core.storage.local import LocalStorage
from screenalytics_core.vision.decode import probe_video
from tests.videos import make_video, numbered

COUNT: Final = 10_000
ROUNDS: Final = 3
LIMIT_S: Final = 1.0
LIMIT_TICK_S: Final = 0.5
_LISTS: Final = ("episodes list", "episodes list --json", "runs list")
# What the page of an asset's partitions asks for.
PAGE: Final = """
query Page($assetKey: AssetKeyInput!) {
  assetNodeOrError(assetKey: $assetKey) {
    ... on AssetNode {
      id
      partitionKeysByDimension { name type partitionKeys }
      assetPartitionStatuses {
        ... on DefaultPartitionStatuses {
          materializedPartitions materializingPartitions failedPartitions
        }
      }
    }
  }
}
"""

Row = dict[str, Any]


def measure(count: int = COUNT, rounds: int = ROUNDS, *, with_page: bool = True) -> Row:
    """Register `count` episodes and measure, best of `rounds`."""
    with tempfile.TemporaryDirectory(prefix="screenalytics-registered-") as folder:
        one, many = Path(folder) / "one", Path(folder) / "many"
        for root, episodes in ((one, 1), (many, count)):
            build_root(root, episodes)
        rows = [_list_row(one, many, words, rounds) for words in _LISTS]
        rows.append(_tick_row(_settings(many), rounds))
        rows.append(_launch_row(_settings(one), _settings(many), rounds))
        if with_page:
            rows.append(_page_row(_settings(many), count, rounds))
    return {"episodes": count, "rounds": rounds, "rows": rows}


def report(results: Row) -> list[str]:
    """Return the results as lines for people."""
    head = f"{results['episodes']:,} episodes"
    lines = [f"{head:<28}{'cpu s':>8}{'wall s':>9}{'with one':>10}{'ours':>8}"]
    for row in results["rows"]:
        word = "holds" if row["ours_s"] <= row["limit_s"] else "MISSED"
        cells = [f"{row[k]:.2f}" if row.get(k) is not None else "-" for k in _CELLS]
        lines.append(
            f"{row['what']:<28}{cells[0]:>8}{cells[1]:>9}{cells[2]:>10}{cells[3]:>8}   "
            f"{word} (at most {row['limit_s']:g} s)"
        )
    return lines


_CELLS: Final = ("cpu_s", "wall_s", "one_s", "ours_s")


def build_root(root: Path, count: int) -> None:
    """Register one episode, and `count` - 1 more by copying its record and its file."""
    source = make_video(root.with_suffix(".mp4"), numbered(8))
    storage = LocalStorage(root)
    first = register_video(storage, _ep_id(0), source, probe=probe_video)
    for n in range(1, count):
        folder = root / "videos" / _ep_id(n)
        folder.mkdir()
        shutil.copyfile(source, folder / "episode.mp4")
        record = json.dumps(replace(first, ep_id=_ep_id(n)).to_dict(), indent=1)
        (folder / "video.json").write_text(record + "\n")


def _ep_id(n: int) -> str:
    season, episode = divmod(n // 7, 25)
    return f"show{n % 7}-s{season + 1:02d}e{episode + 1:02d}"


def _settings(root: Path) -> Settings:
    return replace(Settings.from_env(data_root=root), dagster_home=root / ".dagster")


def _list_row(one: Path, many: Path, words: str, rounds: int) -> Row:
    def cpu_s(root: Path) -> tuple[float, float]:
        command = [str(BIN / "screenalytics"), *words.split(), "--data-root", str(root)]
        measured = [measure_process(command) for _ in range(rounds)]
        return min(m.cpu_s for m in measured), min(m.wall_s for m in measured)

    (base_s, _), (all_s, wall_s) = cpu_s(one), cpu_s(many)
    return _row(words, all_s, wall_s, base_s, all_s - base_s, LIMIT_S)


def _tick_row(settings: Settings, rounds: int) -> Row:
    """Measure the sensor's own function on a home that knows all partitions."""
    import dagster as dg

    from screenalytics_assets.instance import open_instance
    from screenalytics_assets.video_sensor import build_video_sensor

    sensor = build_video_sensor(settings)
    with open_instance(settings.dagster_home) as instance:
        cursor = sensor(dg.build_sensor_context(instance=instance)).cursor
        times = []
        for _ in range(rounds):
            context = dg.build_sensor_context(instance=instance, cursor=cursor)
            times.append(_timed(lambda c=context: sensor(c)))  # type: ignore[misc]
    cpu_s, wall_s = (min(t) for t in zip(*times, strict=True))
    return _row("sensor tick, nothing new", cpu_s, wall_s, None, cpu_s, LIMIT_TICK_S)


def _launch_row(one: Settings, many: Settings, rounds: int) -> Row:
    """Launch an episode that has its results: what is left is ours, Dagster's and the models'."""
    from screenalytics_assets.engine import EpisodeRunConfig, run_episode

    config = EpisodeRunConfig.from_mapping({"models": "lite"}, profile="low_power")

    def best(settings: Settings) -> tuple[float, float]:
        ep_id = list_episodes(open_storage(settings.data_root))[-1]
        times = [
            _timed(lambda: run_episode(ep_id, config=config, settings=settings))
            for _ in range(rounds + 1)
        ]
        cpu_s, wall_s = (min(t) for t in zip(*times[1:], strict=True))
        return cpu_s, wall_s

    (base_s, _), (all_s, wall_s) = best(one), best(many)
    return _row("launch, results reused", all_s, wall_s, base_s, all_s - base_s, LIMIT_S)


def _page_row(settings: Settings, count: int, rounds: int) -> Row:
    """Ask a real webserver what the page of an asset's partitions asks."""
    from tests.integration.dev_server import dev_server

    variables = {"assetKey": {"path": ["screen_time"]}}
    with dev_server(settings) as server:
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            node = server.ask(PAGE, variables)["assetNodeOrError"]
            times.append(time.perf_counter() - start)
            keys = node["partitionKeysByDimension"][0]["partitionKeys"]
            if len(keys) != count:
                raise RuntimeError(f"the page shows {len(keys):,} of {count:,} partitions")
    return _row("partitions page", None, min(times), None, min(times), LIMIT_S)


def _row(
    what: str,
    cpu_s: float | None,
    wall_s: float,
    one_s: float | None,
    ours_s: float,
    limit_s: float,
) -> Row:
    values = {"cpu_s": cpu_s, "wall_s": wall_s, "one_s": one_s, "ours_s": max(0.0, ours_s)}
    rounded = {k: None if v is None else round(v, 3) for k, v in values.items()}
    return {"what": what, **rounded, "limit_s": limit_s}


def _timed(act: Callable[[], object]) -> tuple[float, float]:
    """Return CPU and wall seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return time.process_time() - cpu, time.perf_counter() - wall


if __name__ == "__main__":
    print("\n".join(report(measure())))
