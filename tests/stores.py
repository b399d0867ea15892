"""Builders of stores, runs and artifacts, and what racing processes run."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from screenalytics_core.artifact_store import ArtifactStore, EntryFacts
from screenalytics_core.artifacts import DETECTIONS, TRACKS, ArtifactKind
from screenalytics_core.attempts import AttemptRecord, AttemptStore, ProcessIdentity
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.errors import AttemptSupersededError, RunBusyError
from screenalytics_core.manifest import ManifestEntry
from screenalytics_core.runs import RunBinding, RunRecord, RunStore
from screenalytics_core.storage.local import LocalStorage

EP = "rhobh-s05e14"
VIDEO_SHA256 = "a" * 64
MODEL_SHA256 = "b" * 64
PROCESS = ProcessIdentity("host", "boot", "pid:[1]", 42, 1000.0)


class FakeClock:
    """Gives the same time until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def binding(
    video_sha256: str = VIDEO_SHA256, model_sha256: str = MODEL_SHA256, **settings: Any
) -> RunBinding:
    return RunBinding(
        settings=EpisodeRunConfig.from_mapping(settings, profile="balanced"),
        video={"sha256": video_sha256, "size_bytes": 7},
        models={"pack": "fake", "files": [{"role": "face_detector", "sha256": model_sha256}]},
        code_ref="unknown",
        source="episode.mp4",
    )


def detections(count: int = 3, first_s: float = 0.0) -> pa.Table:
    return DETECTIONS.from_rows(
        [
            {
                "detection_id": i,
                "frame_idx": 3 * i,
                "timestamp_s": first_s + i / 10,
                "shot_id": 0,
                "bbox_xyxy": [0.1, 0.2, 30.5 + i, 40.0],
                "confidence": 0.9,
            }
            for i in range(count)
        ]
    )


def detection_parts(count: int = 3) -> dict[str, Any]:
    """Return the value of a `detections` artifact: rows, and the frames looked at."""
    return {"detections": detections(count), "sampled_frames": np.arange(count, dtype=np.int64)}


def tracks(count: int = 1) -> pa.Table:
    return TRACKS.from_rows(
        [
            {
                "track_id": i,
                "shot_id": 0,
                "first_frame_idx": 0,
                "last_frame_idx": 3,
                "start_s": 0.0,
                "end_s": 0.2,
                "frame_idxs": [0, 3],
                "bboxes_xyxy": [[0.1, 0.2, 30.5, 40.0], [0.1, 0.2, 31.5, 40.0]],
                "detection_ids": [0, None],
                "mean_confidence": 0.9,
            }
            for i in range(count)
        ]
    )


@dataclass
class Stores:
    """All stores of one data root, with a clock that the test moves."""

    root: Path
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.storage = LocalStorage(self.root)
        self.runs = RunStore(self.storage, self.clock)
        self.attempts = AttemptStore(self.storage, self.clock)
        self.artifacts = ArtifactStore(self.storage, self.runs, self.attempts)

    def run(self, run_id: str, **settings: Any) -> RunRecord:
        """Reserve and claim a run, a second after the one before."""
        self.clock.pass_s(1)
        record = self.runs.reserve(EP, binding(**settings), run_id)
        self.claim(run_id, f"dagster-{run_id}")
        return record

    def claim(self, run_id: str, dagster_run_id: str, *, alive: bool = False) -> AttemptRecord:
        return self.attempts.claim(EP, run_id, dagster_run_id, PROCESS, lambda _: alive)

    def publish(
        self, run_id: str, kind: ArtifactKind, data: dict[str, Any], attempt: int = 1, **facts: Any
    ) -> ManifestEntry:
        prepared = self.artifacts.prepare(EP, run_id, kind, data)
        made_by = EntryFacts(**{"fingerprint": f"print of {kind}", "step_version": "1", **facts})
        return self.artifacts.publish(prepared, attempt, made_by)

    def publish_detections(self, run_id: str, count: int = 3, **facts: Any) -> ManifestEntry:
        data = detection_parts(count)
        return self.publish(run_id, ArtifactKind.DETECTIONS, data, **facts)

    def publish_tracks(self, run_id: str, count: int = 1, **facts: Any) -> ManifestEntry:
        """Publish tracks made from the detections that the run holds now."""
        held = self.artifacts.manifest(EP, run_id).entries[ArtifactKind.DETECTIONS]
        inputs = {ArtifactKind.DETECTIONS: held.content_sha256}
        data = {"tracks": tracks(count)}
        return self.publish(run_id, ArtifactKind.TRACKS, data, **{"inputs": inputs, **facts})

    def file(self, run_id: str, name: str) -> Path:
        return self.root / "manifests" / EP / "runs" / run_id / name

    def leftovers(self) -> list[Path]:
        """Return temporary files, wherever they lie."""
        return sorted(self.root.rglob("*.tmp"))


def race(work: Callable[..., Any], arguments: list[tuple[Any, ...]]) -> list[Any]:
    """Run `work` in one process per argument tuple and return what they gave."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.stores"])
    with ProcessPoolExecutor(len(arguments), mp_context=context) as pool:
        futures = [pool.submit(work, *args) for args in arguments]
        return [future.result(timeout=120) for future in futures]


def reserve_many(root: Path, count: int, scheme: str) -> list[str]:
    runs = RunStore(LocalStorage(root))
    return [runs.reserve(EP, binding(), scheme=scheme).run_id for _ in range(count)]  # type: ignore[arg-type]


def try_to_claim(root: Path, run_id: str, dagster_run_id: str) -> int | None:
    """Claim while everybody else counts as alive; return the attempt's number if it won."""
    attempts = AttemptStore(LocalStorage(root))
    try:
        return attempts.claim(EP, run_id, dagster_run_id, PROCESS, lambda _: True).n
    except RunBusyError:
        return None


def take_over_and_publish(root: Path, run_id: str, dagster_run_id: str) -> tuple[int, bool]:
    """Claim from whoever has the run, then publish; return the attempt and if it could."""
    stores = Stores(root)
    n = stores.claim(run_id, dagster_run_id).n
    prepared = stores.artifacts.prepare(EP, run_id, ArtifactKind.DETECTIONS, detection_parts(n))
    try:
        stores.artifacts.publish(prepared, n, EntryFacts(fingerprint=str(n), step_version="1"))
    except AttemptSupersededError:
        return n, False
    return n, True


def create_once(root: Path, key: str, content: bytes) -> bool:
    return LocalStorage(root).create_exclusive(key, content)


def add_to_counter(root: Path, key: str, times: int) -> None:
    storage = LocalStorage(root)
    for _ in range(times):
        with storage.lock(key):
            count = int(storage.read_bytes(key)) if storage.exists(key) else 0
            storage.write_atomic(key, str(count + 1).encode())


def chunks_then_crash(content: bytes) -> Iterator[bytes]:
    yield content
    raise KeyboardInterrupt
