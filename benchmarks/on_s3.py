"""The demo's run on an S3 server against the same run on the local disk, in pairs.

`make bench-s3` starts Ceph's gateway for it, which takes cores of its own, as a real server
would not. Writes benchmarks/results/s3.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.bench import RESULTS, machine
from benchmarks.material import demo_episode
from benchmarks.processes import BIN, BenchError, Measured, measure
from screenalytics_assets.data_storage import open_storage
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.manifest import read_manifest
from screenalytics_core.storage.data_root import CacheFolder, DataRoot, S3Root

LIMIT: Final = 1.15
_EP: Final = "demo-s01e01"
_RUN: Final = "bench"


@dataclass(frozen=True, slots=True)
class Server:
    """Where the S3 server is, and who asks it; the names are those of the tests."""

    endpoint: str
    access_key: str
    secret_key: str

    @property
    def variables(self) -> dict[str, str]:
        """Return the environment of a process that works on it."""
        return {
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": "us-east-1",
        }


def server() -> Server:
    """Return the server that the environment names; BenchError if none."""
    names = ("S3_TEST_ENDPOINT", "S3_TEST_ACCESS_KEY", "S3_TEST_SECRET_KEY")
    found = [os.environ.get(name) for name in names]
    if not all(found):
        raise BenchError(f"no S3 server: set {', '.join(names)}, or use `make bench-s3`")
    return Server(*map(str, found))


def bench_s3(at: Server, rounds: int, work: Path) -> dict[str, Any]:
    """Run the demo `rounds` times on either, taking turns, each in a root of its own."""
    import boto3

    os.environ.update(at.variables)
    bucket = f"bench-{uuid.uuid4().hex[:12]}"
    boto3.client("s3").create_bucket(Bucket=bucket)
    video = demo_episode(work)
    pairs: list[dict[str, Any]] = []
    for turn in range(-1, rounds):
        roots: dict[str, DataRoot] = {
            "local": work / f"local{turn}",
            "s3": S3Root(bucket, f"root{turn}", CacheFolder(work / f"read{turn}", 10**9)),
        }
        order = sorted(roots, reverse=turn % 2 == 1)
        ran = {name: _run(video, roots[name], work / f"home-{name}{turn}") for name in order}
        same = len({_published(root) for root in roots.values()}) == 1
        # The first pair fills the caches of disk and server.
        if turn >= 0:
            pairs.append({"same_bytes": same} | {k: v.figures() for k, v in ran.items()})
    return {
        "server": at.endpoint,
        "limit": LIMIT,
        "files": len(_published(roots["s3"])),
        "pairs": pairs,
        "same_bytes": all(pair["same_bytes"] for pair in pairs),
        **{
            f"{what}_ratio": round(
                statistics.median(p["s3"][f"{what}_s"] / p["local"][f"{what}_s"] for p in pairs), 3
            )
            for what in ("wall", "cpu")
        },
    }


def _run(video: Path, root: DataRoot, home: Path) -> Measured:
    return measure(
        [
            *(str(BIN / "screenalytics"), "run", str(video), "--ep-id", _EP, "--run-id", _RUN),
            *("--models", "lite", "--data-root", str(root)),
        ],
        DAGSTER_HOME=str(home),
        SCREENALYTICS_CACHE_DIR=str(home / "cache"),
    )  # fmt: skip


def _published(root: DataRoot) -> tuple[tuple[ArtifactKind, str, str], ...]:
    """Return every file that the run has published, by its content."""
    entries = read_manifest(open_storage(root), _EP, _RUN).entries
    return tuple(
        (kind, file.path, file.sha256) for kind in sorted(entries) for file in entries[kind].files
    )


def report(found: dict[str, Any]) -> list[str]:
    """Return the figures as lines for people."""
    lines = [f"{'pair':<6}{'S3 s':>8}{'local s':>9}{'ratio':>8}  bytes"]
    for number, pair in enumerate(found["pairs"], 1):
        s3, local = (pair[name]["wall_s"] for name in ("s3", "local"))
        same = "the same" if pair["same_bytes"] else "NOT THE SAME"
        lines.append(f"{number:<6}{s3:>8.1f}{local:>9.1f}{s3 / local:>8.2f}  {same}")
    holds = found["same_bytes"] and found["wall_ratio"] <= found["limit"]
    return [
        *lines,
        f"median wall {found['wall_ratio']:.2f}, CPU {found['cpu_ratio']:.2f}, "
        f"{found['files']} files   {'holds' if holds else 'MISSED'}: at most {found['limit']:.2f}",
    ]


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS / "s3.json")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="screenalytics-bench-") as folder:
        found = {"machine": machine()} | bench_s3(server(), args.rounds, Path(folder))
    args.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print("\n".join(report(found)))


if __name__ == "__main__":
    main()
