"""The benches' own parts: a wrong measure would be worse than none."""

from __future__ import annotations

import hashlib
import sys
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks import folding
from benchmarks.bench import beside, measured
from benchmarks.media import cut_video, frame_count, loop_video
from benchmarks.naive_peer import SeenFace, cluster, describe, face_runs
from benchmarks.processes import BenchError, measure
from screenalytics_core.ledger.state import fold
from screenalytics_core.ledger.vocabulary import RunStatus, StageStatus


def make_clip(path: Path, frames: int) -> Path:
    """Write a clip of moving noise, with B-frames, at 25 frames per second, starting at 0.8 s."""
    random = np.random.default_rng(1)
    picture = random.integers(0, 255, (48, 64, 3), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"bf": "2", "x264-params": "keyint=12"}
        for shift in range(frames):
            frame = av.VideoFrame.from_ndarray(np.roll(picture, shift, axis=1), format="bgr24")
            frame.pts, frame.time_base = shift + 20, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def look(path: Path) -> tuple[list[float], list[str]]:
    """Return the timestamps and picture hashes of a video."""
    with av.open(str(path)) as container:
        frames = [
            (f.time, f.to_ndarray(format="gray").tobytes()) for f in container.decode(video=0)
        ]
    return [float(t or 0.0) for t, _ in frames], [hashlib.sha256(p).hexdigest() for _, p in frames]


def test_a_looped_video_shows_the_same_pictures_without_a_gap_in_time(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 31)
    times, pictures = look(clip)
    looped_times, looped_pictures = look(loop_video(clip, tmp_path / "looped.mp4", 3))

    assert looped_pictures == pictures * 3
    assert np.diff(looped_times) == pytest.approx(np.full(92, 0.04), abs=1e-6)
    assert looped_times[0] == times[0] == pytest.approx(0.8, abs=1e-6)


def test_a_cut_video_is_as_long_as_asked_for(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 50)

    count = frame_count(cut_video(clip, tmp_path / "cut.mp4", 1.0))

    assert 25 <= count <= 28


def test_a_process_is_measured_together_with_its_children() -> None:
    burn = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"

    assert measure([sys.executable, "-c", nested]).cpu_s >= 0.3


def test_the_peak_memory_is_that_of_the_measured_process() -> None:
    # From a small process, as a bench is: a child's peak starts at its parent's size.
    script = (
        "import sys\nfrom benchmarks.processes import measure\n"
        "for code in ('pass', 'x = b\"1\" * 200_000_000'):\n"
        "    sys.stdout.write(f'{measure([sys.executable, \"-c\", code]).peak_rss_mb}\\n')\n"
    )
    small, large = map(float, measure([sys.executable, "-c", script]).stdout.split())

    assert large - small == pytest.approx(200, rel=0.1)


def test_a_failed_process_is_an_error_with_what_it_said() -> None:
    with pytest.raises(BenchError, match="out of luck"):
        measure([sys.executable, "-c", "import sys; sys.exit('out of luck')"])


def face(frame_idx: int, x: float, person: int = 0) -> SeenFace:
    embedding = np.zeros(4, np.float32)
    embedding[person] = 1.0
    return SeenFace(frame_idx, np.array([x, 0, x + 10, 10], np.float32), embedding)


def test_the_naive_peer_groups_equal_faces_and_parts_others() -> None:
    labels = cluster([face(0, 0, 0), face(1, 0, 1), face(2, 0, 0)])

    assert labels[0] == labels[2] != labels[1]


@pytest.mark.parametrize("seen", [[], [face(0, 0)]])
def test_the_naive_peer_accepts_a_video_with_one_face_or_none(seen: list[SeenFace]) -> None:
    assert len(cluster(seen)) == len(seen)


def test_a_run_of_faces_ends_at_a_missing_frame_and_at_a_jump() -> None:
    runs = face_runs([face(0, 0), face(1, 1), face(3, 1), face(4, 80)])

    assert [[f.frame_idx for f in run] for run in runs] == [[0, 1], [3], [4]]


def test_two_faces_on_one_frame_are_two_runs() -> None:
    runs = face_runs([face(0, 0), face(0, 50), face(1, 50), face(1, 0)])

    assert [[f.bbox_xyxy[0] for f in run] for run in runs] == [[0, 0], [50, 50]]


def test_two_overlapping_faces_do_not_share_a_run() -> None:
    runs = face_runs([face(0, 0), face(1, 0), face(1, 1)])

    assert [len(run) for run in runs] == [2, 1]


def test_a_persons_seconds_are_their_frames_over_the_rate() -> None:
    seen = [face(0, 0), face(0, 50), face(1, 0), face(5, 0, 1)]

    tracks, identities = describe(seen, np.array([0, 0, 0, 1]), fps=10.0)

    assert [i["seconds"] for i in identities] == [0.2, 0.1]
    assert [i["track_ids"] for i in identities] == [[0, 1], [2]]
    assert sorted(t["frame_idxs"] for t in tracks) == [[0], [0, 1], [5]]


def test_the_log_that_is_folded_is_as_long_as_said_and_tells_a_whole_run() -> None:
    events = folding.realistic_log(501)
    state = fold(events)

    assert len({event.event_id for event in events}) == len(events) == 501
    assert [a.status for a in state.attempts] == [RunStatus.FAILED, RunStatus.COMPLETED]
    assert {stage.status for stage in state.stages.values()} == {StageStatus.SUCCESS}


def test_the_folding_bench_says_how_fast_and_whether_that_will_do() -> None:
    results = folding.measure(events=200, appends=3, rounds=1)

    assert min(results["folded_per_s"], results["read_per_s"], results["appended_per_s"]) > 0
    assert (
        "holds (at least 100,000 folded per s)"
        in folding.report({**results, "folded_per_s": 100_000})[0]
    )
    assert "MISSED" in folding.report({**results, "folded_per_s": 99_999})[0]


def test_what_is_not_measured_anew_stays_with_its_code_and_day() -> None:
    first, second = (datetime(2026, 3, day, 23, 30, tzinfo=UTC) for day in (1, 2))
    kept = {"speed": 1, "memory": 2, "measured": measured(["speed", "memory"], "abc", first)}

    together = beside(kept, {"speed": 3, "measured": measured(["speed"], "def-dirty", second)})

    assert together == {
        "speed": 3,
        "memory": 2,
        "measured": {
            "speed": {"code_ref": "def-dirty", "day": "2026-03-02"},
            "memory": {"code_ref": "abc", "day": "2026-03-01"},
        },
    }
