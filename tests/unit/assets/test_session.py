"""What one attempt takes from earlier runs, and what it leaves on disk when it fails."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

import numpy as np
import pytest

from screenalytics_assets.binding import Bound
from screenalytics_assets.measuring import Usage
from screenalytics_assets.session import RunSession
from screenalytics_assets.stores import Stores as Opened
from screenalytics_assets.work import PendingOutput
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.errors import AttemptSupersededError, SchemaMismatchError
from screenalytics_core.steps.base import (
    ArtifactData,
    Step,
    StepInput,
    StepOutput,
    no_progress,
)
from screenalytics_core.storage.local import LocalStorage
from tests.stores import EP, MODEL_SHA256, Stores, binding, detection_parts

SHOTS, DETECTIONS = ArtifactKind.SHOTS, ArtifactKind.DETECTIONS
FRAMES = 30


def shot_parts(detector: str) -> dict[str, Any]:
    """One shot, or as many as another detector finds."""
    bounds = [0, FRAMES] if detector == "off" else [0, 12, FRAMES]
    rows = [
        {"shot_id": i, "start_frame": a, "end_frame": b, "start_s": a / 25, "end_s": b / 25}
        for i, (a, b) in enumerate(pairwise(bounds))
    ]
    document = {
        "fps": "25", "width_px": 64, "height_px": 48, "frame_count": FRAMES,
        "start_s": 0.0, "duration_s": FRAMES / 25, "shots": rows,
    }  # fmt: skip
    return {"shots": document, "frame_times": np.arange(FRAMES + 1) / 25}


class FakeScan:
    """Two outputs of one step; counts how often it ran."""

    def __init__(self) -> None:
        self.wanted: list[frozenset[ArtifactKind]] = []
        self.detections: ArtifactData | None = None
        self.error: Exception | None = None
        self.version = "1"

    def run(self, step: StepInput) -> Mapping[ArtifactKind, ArtifactData]:
        self.wanted.append(step.wanted)
        if self.error is not None:
            raise self.error
        stride = step.settings.stride
        return {
            SHOTS: shot_parts(step.settings.scene_detector),
            DETECTIONS: self.detections or detection_parts(FRAMES // stride),
        }

    def step(self) -> Step:
        outputs = (
            StepOutput(
                "shots", (SHOTS,), self.version, settings=("scene_detector",), reads_video=True
            ),
            StepOutput(
                "detections",
                (DETECTIONS,),
                "1",
                settings=("scene_detector", "stride", "body_tracking"),
                model_roles=("face_detector",),
                reads_video=True,
            ),
        )
        return Step("scan", outputs, self.run, "a scan")


class World:
    """One data root whose runs share a fake scan."""

    def __init__(self, root: Path) -> None:
        self.stores = Stores(root)
        self.scan = FakeScan()

    def session(self, run_id: str, *, is_fresh: bool = False, **given: Any) -> RunSession:
        """Claim a run, which is reserved if it is new, bound to what is given."""
        if run_id in self.stores.runs.list_run_ids(EP):
            record = self.stores.runs.require(EP, run_id)
            self.stores.claim(run_id, f"dagster-{run_id}-again")
        else:
            record = self.stores.run(run_id, **given)
        bound_to = binding(**given)
        sha256s = {"face_detector": given.get("model_sha256", MODEL_SHA256)}
        pack: Any = SimpleNamespace(info=SimpleNamespace(sha256s=lambda: sha256s))
        opened = Opened.open(self.stores.root)
        attempt = self.stores.attempts.newest(EP, run_id)
        assert attempt is not None
        bound = Bound(bound_to, bound_to.settings, pack)
        return RunSession(opened, bound, record, attempt, None, is_fresh=is_fresh)

    def produce(self, session: RunSession) -> list[PendingOutput]:
        step = self.scan.step()
        return session.produce(session.begin(step, step.outputs, {}), no_progress)

    def run(self, run_id: str, **given: Any) -> dict[ArtifactKind, tuple[str, str | None]]:
        """Run the scan; return of each artifact its source and the run it came from.

        Args:
            given: `is_fresh`, and what the run is bound to.
        """
        session = self.session(run_id, **given)
        for pending in self.produce(session):
            session.publish(pending)
        entries = self.stores.artifacts.manifest(EP, run_id).entries
        return {kind: (e.source, e.from_run_id) for kind, e in entries.items()}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("screenalytics_assets.session.fetch_video", lambda *_: None)
    monkeypatch.setattr("screenalytics_assets.session.open_video", lambda path: None)
    return World(tmp_path / "data")


COMPUTED = ("computed", None)


def test_shots_and_detections_of_other_settings_come_from_one_run(world: World) -> None:
    """The newest run's detections stand in its shots, not in those of an equal setting."""
    world.run("a", scene_detector="off", stride=3)
    world.run("b", scene_detector="content", stride=5)

    found = world.run("c", scene_detector="off", stride=10, reuse_detections=True)

    assert found == {SHOTS: ("checkpoint", "b"), DETECTIONS: ("checkpoint", "b")}
    entries = world.stores.artifacts.manifest(EP, "c").entries
    assert all("reuse_detections" in str(e.taken_because) for e in entries.values())


@pytest.mark.parametrize("wanted", [True, False])
def test_bodies_that_were_not_looked_for_do_not_stand_for_bodies(
    world: World, wanted: bool
) -> None:
    world.run("a", stride=3, body_tracking=not wanted)

    found = world.run("b", stride=5, body_tracking=wanted, reuse_detections=True)

    assert found[DETECTIONS] == COMPUTED


def test_without_a_run_that_has_all_of_them_the_rest_is_computed(world: World) -> None:
    world.run("a", scene_detector="off", stride=3)
    world.stores.file("a", "detections.jsonl").unlink()

    found = world.run("b", scene_detector="off", stride=5, reuse_detections=True)

    assert found == {SHOTS: ("checkpoint", "a"), DETECTIONS: COMPUTED}
    assert world.scan.wanted[-1] == {DETECTIONS}


@pytest.mark.parametrize("other", [{"video_sha256": "c" * 64}, {"model_sha256": "d" * 64}])
def test_results_of_another_video_or_model_are_not_reused(
    world: World, other: dict[str, str]
) -> None:
    world.run("a", stride=3)

    assert world.run("b", stride=5, reuse_detections=True, **other)[DETECTIONS] == COMPUTED
    assert world.run("c", stride=5, reuse_detections=True)[DETECTIONS] == ("checkpoint", "a")


def test_a_fresh_run_takes_no_result_of_another_run(world: World) -> None:
    world.run("a", stride=3)

    assert world.run("b", stride=3, is_fresh=True) == {SHOTS: COMPUTED, DETECTIONS: COMPUTED}


def test_a_fresh_run_resumes_with_its_own_results(world: World) -> None:
    world.run("a", stride=3)
    world.run("b", stride=3, is_fresh=True)
    world.stores.file("b", "detections.jsonl").unlink()

    again = world.run("b", stride=3, is_fresh=True)

    assert again == {SHOTS: COMPUTED, DETECTIONS: COMPUTED}
    assert world.scan.wanted[2:] == [{DETECTIONS}]


def test_a_fresh_run_resumes_only_with_results_of_the_same_step(world: World) -> None:
    world.run("a", stride=3, is_fresh=True)
    world.scan.version = "2"
    world.run("a", stride=3, is_fresh=True)

    assert world.scan.wanted == [{SHOTS, DETECTIONS}, {SHOTS}]


def test_what_a_run_took_from_another_is_computed_when_it_starts_afresh(world: World) -> None:
    world.run("a", stride=3)
    assert world.run("b", stride=3)[SHOTS] == ("checkpoint", "a")

    assert world.run("b", stride=3, is_fresh=True) == {SHOTS: COMPUTED, DETECTIONS: COMPUTED}


def test_what_a_step_used_up_is_told_by_the_first_output_that_it_computed(world: World) -> None:
    shots, detections = world.produce(world.session("a", scene_detector="off", stride=3))
    assert shots.usage.compute_s > 0
    assert detections.usage == Usage()
    world.run("b", scene_detector="off", stride=3)

    shots, detections = world.produce(world.session("c", scene_detector="off", stride=5))
    assert shots.usage == Usage()
    assert detections.usage.compute_s > 0


def test_a_step_whose_outputs_are_all_there_tells_that_it_did_nothing(world: World) -> None:
    world.run("a", stride=3)
    shots, detections = world.produce(world.session("b", stride=3))

    assert (shots.usage.frames, shots.usage.inferences, shots.usage.compute_s) == (0, 0, 0.0)
    assert shots.usage.peak_rss_bytes
    assert detections.usage == Usage()


def test_a_step_that_fails_is_known_by_what_it_was_computing(world: World) -> None:
    world.run("a", scene_detector="off", stride=3)
    session = world.session("b", scene_detector="off", stride=5)
    step = world.scan.step()
    work = session.begin(step, step.outputs, {})
    world.scan.error = ValueError("a bug")

    assert work.fingerprint is None
    with pytest.raises(ValueError, match="a bug"):
        session.produce(work, no_progress)

    world.scan.error = None
    _, detections = world.produce(session)
    assert work.fingerprint == detections.fingerprint
    assert work.meter.usage().compute_s > 0
    assert work.code_ref == session.code_ref


def test_a_reused_file_is_read_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.run("a", stride=3)
    read: list[str] = []
    open_read = LocalStorage.open_read

    def counting(self: LocalStorage, key: str, sha256: str | None = None) -> BinaryIO:
        read.append(key.rpartition("/")[2])
        return open_read(self, key, sha256)

    monkeypatch.setattr(LocalStorage, "open_read", counting)
    found = world.run("b", stride=3)

    assert found[DETECTIONS] == ("checkpoint", "a")
    assert sorted(read) == [
        "detections.jsonl", "frame_times.npy", "sampled_frames.npy", "shots.json"
    ]  # fmt: skip


def test_a_damaged_result_is_computed_again_and_fails_nothing(world: World) -> None:
    world.run("a", stride=3)
    world.stores.file("a", "detections.jsonl").write_bytes(b"rot")

    found = world.run("b", stride=3)

    assert found == {SHOTS: ("checkpoint", "a"), DETECTIONS: COMPUTED}


def test_a_bad_second_artifact_leaves_nothing_of_the_first(world: World) -> None:
    session = world.session("a", stride=3)
    world.scan.detections = {"detections": "no table", "sampled_frames": np.arange(3)}

    with pytest.raises(SchemaMismatchError):
        world.produce(session)

    assert world.stores.leftovers() == []


def test_publishing_that_fails_leaves_nothing_of_the_steps_other_outputs(world: World) -> None:
    session = world.session("a", stride=3)
    shots, _ = world.produce(session)
    assert world.stores.leftovers()
    world.stores.claim("a", "dagster-2")

    with pytest.raises(AttemptSupersededError):
        session.publish(shots)

    assert world.stores.leftovers() == []


# --- trims ---------------------------------------------------------------------------------


def counts_trims(world: World, run_id: str, trims: object) -> tuple[str, Mapping[str, Any]]:
    """Run a step that reads trims while the episode has these; return fingerprint and input."""
    given: list[Mapping[str, Any]] = []

    def run(step: StepInput) -> Mapping[ArtifactKind, ArtifactData]:
        given.append(step.trims)
        return {DETECTIONS: detection_parts()}

    session = world.session(run_id)
    session._bound.binding.video["trims"] = trims
    output = StepOutput("detections", (DETECTIONS,), "1", reads_trims=True)
    step = Step("counting", (output,), run, "counts")
    (pending,) = session.produce(session.begin(step, (output,), {}), no_progress)
    session.publish(pending)
    return pending.fingerprint, given[0] if given else {}


def test_a_changed_trim_makes_a_result_stale_and_reaches_the_step(world: World) -> None:
    none, given = counts_trims(world, "one", {})
    assert given == {"recap": None, "credits": None}
    trimmed, given = counts_trims(world, "one", {"recap": [0, 5]})
    assert given == {"recap": [0.0, 5.0], "credits": None}

    assert none != trimmed
    again, given = counts_trims(world, "one", {"credits": None, "recap": [0.0, 5.0]})
    assert (again, given) == (trimmed, {})


def test_a_step_that_reads_no_trims_does_not_depend_on_them(world: World) -> None:
    first = world.session("one")
    (before, _) = world.produce(first)
    second = world.session("one")
    second._bound.binding.video["trims"] = {"recap": [0, 5]}
    (after, _) = world.produce(second)

    assert before.fingerprint == after.fingerprint
