"""No key leaves the root, the seeds' paths hold, and S3 keys can be read backwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenalytics_core import layout, s3_layout
from screenalytics_core.artifacts import ARTIFACTS, ArtifactKind
from screenalytics_core.errors import InvalidIdError, SettingsError
from screenalytics_core.layout import get_artifact_path
from screenalytics_core.stages import STAGE_PHASES, PipelineStage

EP_KEYS: list[Callable[[str], str]] = [
    layout.video_key,
    layout.video_facts_key,
    layout.episode_prefix,
    layout.runs_prefix,
    layout.active_run_key,
    layout.decisions_key,
    lambda ep: layout.legacy_marker_key(ep, PipelineStage.CLUSTER),
    lambda ep: layout.legacy_artifact_key(ep, "faces.jsonl"),
    lambda ep: layout.media_prefix(ep, ArtifactKind.THUMBS_DIR),
]
RUN_KEYS: list[Callable[[str, str], str]] = [
    layout.run_prefix,
    layout.run_record_key,
    layout.run_lock_key,
    layout.manifest_key,
    layout.events_key,
    layout.status_key,
    layout.attempts_prefix,
    layout.run_index_key,
    lambda ep, run: layout.attempt_key(ep, run, 3),
    lambda ep, run: layout.heartbeat_key(ep, run, 3),
    lambda ep, run: layout.run_marker_key(ep, run, PipelineStage.DETECT_TRACK),
    lambda ep, run: layout.artifact_key(ep, run, "body_tracking/body_tracks.jsonl"),
    lambda ep, run: layout.media_prefix(ep, ArtifactKind.CROPS_DIR, run),
]

any_text = st.text(max_size=20) | st.text(alphabet="aZ09./\\-_ \0\n", max_size=20)
path_safe = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,30}", fullmatch=True).filter(
    lambda text: ".." not in text
)
canonical = st.from_regex(r"[a-z0-9][a-z0-9-]{0,12}-s[0-9]{2,3}e[0-9]{2,3}", fullmatch=True)


def stays_inside(key: str) -> bool:
    path = PurePosixPath(key)
    return bool(key) and not path.is_absolute() and ".." not in path.parts and "\\" not in key


@given(any_text)
def test_no_ep_id_makes_a_key_leave_the_root(ep_id: str) -> None:
    for key_of in EP_KEYS:
        try:
            key = key_of(ep_id)
        except InvalidIdError:
            continue
        assert stays_inside(key)


@given(any_text)
def test_no_run_id_makes_a_key_leave_the_root(run_id: str) -> None:
    for key_of in RUN_KEYS:
        try:
            key = key_of("rhobh-s05e14", run_id)
        except InvalidIdError:
            continue
        assert stays_inside(key)


@given(canonical | path_safe, path_safe, st.sampled_from(RUN_KEYS), st.sampled_from(["", "a/b"]))
def test_an_s3_key_reads_backwards(
    ep_id: str, run_id: str, key_of: Callable[[str, str], str], prefix: str
) -> None:
    try:
        key = key_of(ep_id, run_id)
    except InvalidIdError:
        return

    assert {s3_layout.local_key(k, prefix) for k in s3_layout.s3_keys(key, prefix)} == {key}


@given(st.lists(st.tuples(canonical, path_safe), min_size=2, max_size=2, unique=True))
def test_two_runs_never_share_an_s3_folder(runs: list[tuple[str, str]]) -> None:
    first, second = (s3_layout.s3_keys(layout.manifest_key(ep, "r" + run)) for ep, run in runs)

    assert set(first).isdisjoint(second)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param(
            "manifests/rhobh-s05e14/runs/r1/faces.jsonl",
            ("runs/rhobh/s05/e14/r1/faces.jsonl", "runs/rhobh-s05e14/r1/faces.jsonl"),
            id="a run's file is canonical, legacy is the fallback",
        ),
        pytest.param(
            "manifests/rhobh-s05e14/runs/r1/body_tracking/body_tracks.jsonl",
            (
                "runs/rhobh/s05/e14/r1/body_tracking/body_tracks.jsonl",
                "runs/rhobh-s05e14/r1/body_tracking/body_tracks.jsonl",
            ),
            id="so are files in a folder of the run",
        ),
        pytest.param(
            "manifests/Pilot_1/runs/r1/faces.jsonl",
            ("runs/Pilot_1/r1/faces.jsonl",),
            id="an ep_id that does not parse is legacy alone",
        ),
        pytest.param(
            "manifests/rhobh-s05e14/runs/active_run.json",
            ("manifests/rhobh-s05e14/runs/active_run.json",),
            id="what stands beside the run folders keeps its name",
        ),
        pytest.param("registry/_log/1.json", ("registry/_log/1.json",), id="so does the rest"),
    ],
)
def test_s3_keys(key: str, expected: tuple[str, ...]) -> None:
    assert s3_layout.s3_keys(key) == expected
    assert s3_layout.s3_key(key, "bucket/prefix/") == f"bucket/prefix/{expected[0]}"


def test_an_s3_key_outside_the_prefix_is_refused() -> None:
    with pytest.raises(InvalidIdError, match="is not under 'p/'"):
        s3_layout.local_key("other/registry/runs.parquet", "p")


@pytest.mark.parametrize("name", [*STAGE_PHASES.values(), "active_run"])
def test_a_run_cannot_take_the_name_of_a_file_beside_it(name: str) -> None:
    for run_id in (f"{name}.json", f"{name}.JSON"):
        with pytest.raises(InvalidIdError, match="name of a file beside the run folders"):
            layout.run_prefix("rhobh-s05e14", run_id)
    assert layout.run_prefix("rhobh-s05e14", name).endswith(name)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("video", "videos/rhobh-s05e14/episode.mp4"),
        ("detections", "manifests/rhobh-s05e14/detections.jsonl"),
        ("tracks", "manifests/rhobh-s05e14/tracks.jsonl"),
        ("faces", "manifests/rhobh-s05e14/faces.jsonl"),
        ("identities", "manifests/rhobh-s05e14/identities.json"),
        ("track_reps", "manifests/rhobh-s05e14/track_reps.jsonl"),
        ("frames_root", "frames/rhobh-s05e14"),
        ("crops_dir", "frames/rhobh-s05e14/crops"),
        ("thumbs_dir", "frames/rhobh-s05e14/thumbs"),
        ("faces_embeddings", "manifests/rhobh-s05e14/faces_embeddings.npy"),
    ],
)
def test_the_ten_paths_of_the_seed_hold(kind: str, path: str) -> None:
    assert get_artifact_path("rhobh-s05e14", kind) == Path("data") / path
    assert get_artifact_path("RHOBH-S05E14", ArtifactKind(kind), data_root=Path("/d")) == (
        Path("/d") / path
    )


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("video", "videos/rhobh-s05e14/episode.mp4"),
        ("faces", "manifests/rhobh-s05e14/runs/r1/faces.jsonl"),
        ("body_tracks", "manifests/rhobh-s05e14/runs/r1/body_tracking/body_tracks.jsonl"),
        ("frames_root", "frames/rhobh-s05e14/runs/r1"),
        ("crops_dir", "frames/rhobh-s05e14/runs/r1/crops"),
    ],
)
def test_with_a_run_id_the_path_is_the_runs_own(kind: str, path: str) -> None:
    assert get_artifact_path("rhobh-s05e14", kind, "r1") == Path("data") / path


def test_every_kind_has_a_path() -> None:
    paths = {get_artifact_path("rhobh-s05e14", kind, "r1") for kind in ArtifactKind}

    assert len(paths) == len(ArtifactKind)


def test_an_unknown_kind_is_named_with_those_that_exist() -> None:
    with pytest.raises(SettingsError, match=r"'face': does not exist. Use one of video, shots"):
        get_artifact_path("rhobh-s05e14", "face")


def test_the_other_places() -> None:
    assert layout.facebank_prefix("rhobh", "kyle-richards") == "facebank/rhobh/kyle-richards"
    assert layout.season_prefix("rhobh-s05") == "seasons/rhobh-s05"
    assert layout.video_hash_key("abc") == "videos/_hashes/abc.json"
    for escape in ("../x", "a/b", ""):
        with pytest.raises(InvalidIdError):
            layout.facebank_prefix("rhobh", escape)
        with pytest.raises(InvalidIdError):
            layout.season_prefix(escape)
    for escape in ("../x", "a/../b", "/a", ".hidden", ""):
        with pytest.raises(InvalidIdError):
            layout.artifact_key("rhobh-s05e14", "r1", escape)


def test_no_artifact_file_has_the_name_of_machinery() -> None:
    machinery = {"run.json", "manifest.json", "events.jsonl", "episode_status.json", "attempts"}
    names = {file.filename for spec in ARTIFACTS.values() for file in spec.files}

    assert names.isdisjoint(machinery | {f"{phase}.json" for phase in STAGE_PHASES.values()})
