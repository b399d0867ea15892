"""What every step tells Dagster of itself: what it read, made and used up, even if it fails."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from screenalytics_assets.beta import without_beta_warnings
from screenalytics_assets.code_ref import current_code_ref
from screenalytics_assets.definitions import build_definitions
from screenalytics_assets.engine import (
    EpisodeRunResult,
    Launch,
    PipelineStage,
    run_episode,
    run_stage,
)
from screenalytics_assets.graph import KINDS_OF_ASSET, OUTPUTS, STEPS
from screenalytics_assets.instance import open_instance
from screenalytics_assets.jobs import EPISODE_JOB
from screenalytics_assets.resources import ProgressThrottle
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_assets.tags import FRESH_TAG, PARENT_RUN_ID_TAG, TRACE_ID_TAG
from screenalytics_core.artifact_store import ArtifactStore
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.errors import ArtifactCorruptError, InvalidIdError, SettingsError
from screenalytics_core.ledger.cost import invoice
from screenalytics_core.stages import stage_of
from screenalytics_core.vision.models.appearance import HsvStripes
from screenalytics_core.vision.models.arcface import ArcFaceEmbedder
from screenalytics_core.vision.models.mtcnn import MtcnnDetector
from screenalytics_core.vision.models.nanodet import NanodetDetector
from tests.integration.support import (
    EP_ID,
    CopyFinished,
    balanced,
    content,
    real_face_frames,
    settings_for,
)

pytestmark = pytest.mark.models
Finished = tuple[Settings, EpisodeRunResult]
Facts = dict[str, Any]

CLIP_FRAMES = sum(1 for _ in real_face_frames())
KIND = ArtifactKind
NUMBERS = ("rows_in", "rows_out", "frames", "inferences", "cpu_s", "gpu_s", "compute_s")
FIRST_OUTPUTS = {step.outputs[0].name for step in STEPS}
# Artifacts of an earlier stage that each asset's step reads.
READ_OF_EARLIER_STAGES = {
    "shots": (),
    "tracks": (),
    "faces": (KIND.DETECTIONS, KIND.TRACKS),
    "embeddings": (),
    "identities": (KIND.TRACKS, KIND.FACES, KIND.FACES_EMBEDDINGS, KIND.TRACK_REPS),
    "cast": (KIND.SHOTS, KIND.TRACKS, KIND.TRACK_REPS),
    "body_tracks": (KIND.SHOTS,),
    "track_fusion": tuple(OUTPUTS["track_fusion"].inputs),
    "screen_time": tuple(OUTPUTS["screen_time"].inputs),
    "report": tuple(OUTPUTS["report"].inputs),
}


def told(settings: Settings, dagster_run_id: str, kind: dg.DagsterEventType) -> list[Facts]:
    """The metadata of a run's events of one kind, with `asset`, in order."""
    with open_instance(settings.dagster_home) as instance:
        records = instance.get_records_for_run(dagster_run_id, of_type=kind).records
    found = []
    for record in records:
        event = record.event_log_entry.dagster_event
        assert event is not None
        if kind is dg.DagsterEventType.ASSET_OBSERVATION:
            said: Any = event.asset_observation_data.asset_observation
        else:
            said = event.step_materialization_data.materialization
        values = {name: value.value for name, value in said.metadata.items()}
        found.append({"asset": said.asset_key.to_user_string(), **values})
    return found


def published(settings: Settings, result: EpisodeRunResult) -> dict[str, Facts]:
    """What each asset of a run says of itself."""
    found = told(settings, result.dagster_run_id, dg.DagsterEventType.ASSET_MATERIALIZATION)
    return {facts["asset"]: facts for facts in found}


def observed(settings: Settings, result: EpisodeRunResult) -> list[Facts]:
    return told(settings, result.dagster_run_id, dg.DagsterEventType.ASSET_OBSERVATION)


def measured(settings: Settings, result: EpisodeRunResult) -> list[Facts]:
    """What the steps of a run that failed say of themselves."""
    return [facts for facts in observed(settings, result) if "measured" in facts]


def rows(settings: Settings, run_id: str) -> dict[ArtifactKind, int]:
    entries = Stores.open(settings.data_root).artifacts.manifest(EP_ID, run_id).entries
    return {kind: entry.files[0].rows or 0 for kind, entry in entries.items()}


@dataclass
class Calls:
    """What the models were really asked."""

    detected: int = 0
    embedded: int = 0
    persons: int = 0
    _lock: Any = field(default_factory=threading.Lock)

    def count(self, patch: pytest.MonkeyPatch) -> None:
        detect, embed = MtcnnDetector.detect, ArcFaceEmbedder.embed
        find, describe = NanodetDetector.detect, HsvStripes.embed

        def counted_find(detector: NanodetDetector, image_bgr: Any) -> Any:
            with self._lock:
                self.persons += 1
            return find(detector, image_bgr)

        def counted_describe(stripes: HsvStripes, image_bgr: Any, boxes: Any) -> Any:
            with self._lock:
                self.persons += len(boxes)
            return describe(stripes, image_bgr, boxes)

        def counted_detect(detector: MtcnnDetector, image_bgr: Any, *where: Any) -> Any:
            with self._lock:
                self.detected += 1
            return detect(detector, image_bgr, *where)

        def counted_embed(embedder: ArcFaceEmbedder, crops_bgr: Any) -> Any:
            with self._lock:
                # Opening the embedder tries it out on two black pictures.
                self.embedded += len(crops_bgr) if crops_bgr.any() else 0
            return embed(embedder, crops_bgr)

        patch.setattr(MtcnnDetector, "detect", counted_detect)
        patch.setattr(ArcFaceEmbedder, "embed", counted_embed)
        patch.setattr(NanodetDetector, "detect", counted_find)
        patch.setattr(HsvStripes, "embed", counted_describe)


@dataclass
class Watched:
    """A fresh run whose models were counted and whose every progress report was observed."""

    settings: Settings
    result: EpisodeRunResult
    calls: Calls


@pytest.fixture(scope="module")
def known(
    finished: Finished, copy_finished: CopyFinished, tmp_path_factory: pytest.TempPathFactory
) -> Finished:
    """A copy of the finished root: fresh results in it are nobody else's newest ones."""
    return copy_finished(tmp_path_factory.mktemp("known") / "data"), finished[1]


@pytest.fixture(scope="module")
def watched(known: Finished) -> Watched:
    settings, _ = known
    calls = Calls()
    with pytest.MonkeyPatch.context() as patch:
        calls.count(patch)
        patch.setattr(ProgressThrottle, "PERIOD_S", 0.0)
        result = run_episode(
            EP_ID, None, balanced(), settings=settings, launch=Launch(run_id="anew", fresh=True)
        )
    assert result.success, result.error
    return Watched(settings, result, calls)


def test_every_asset_tells_all_of_its_facts(known: Finished) -> None:
    settings, result = known
    found = published(settings, result)

    assert set(found) == set(OUTPUTS)
    for name, facts in found.items():
        assert facts["run_id"] == "first"
        assert facts["source"] == "computed"
        assert facts["code_ref"] == current_code_ref()
        assert all(isinstance(facts[number], int | float) for number in NUMBERS), name
        assert ("peak_rss_bytes" in facts) is (name in FIRST_OUTPUTS)


def test_the_fingerprint_is_that_of_the_manifest(known: Finished) -> None:
    settings, result = known
    entries = Stores.open(settings.data_root).artifacts.manifest(EP_ID, "first").entries

    for name, facts in published(settings, result).items():
        kinds = OUTPUTS[name].kinds
        assert {entries[kind].fingerprint for kind in kinds} == {facts["fingerprint"]}


def test_rows_are_those_of_the_manifest(known: Finished) -> None:
    settings, result = known
    found, held = published(settings, result), rows(settings, "first")

    for name, facts in found.items():
        assert facts["rows_out"] == sum(held[kind] for kind in OUTPUTS[name].kinds), name
    for name, kinds in READ_OF_EARLIER_STAGES.items():
        assert found[name]["rows_in"] == sum(held[kind] for kind in kinds), name
    assert found["embeddings"]["rows_out"] > result.faces_count > 0
    assert found["faces"]["rows_in"] == held[KIND.DETECTIONS] + held[KIND.TRACKS] > 0


def test_the_frames_are_those_that_each_step_looked_at(known: Finished) -> None:
    settings, result = known
    found = published(settings, result)
    faces = Stores.open(settings.data_root).require(EP_ID, "first", KIND.FACES).read()
    visited = {
        idx
        for idx, reason in zip(
            faces["frame_idx"].to_pylist(), faces["reject_reason"].to_pylist(), strict=True
        )
        if reason != "too_small"
    }

    assert found["shots"]["frames"] == CLIP_FRAMES
    assert found["faces"]["frames"] == len(visited) > 0
    others = set(found) - {"shots", "faces"}
    assert {found[name]["frames"] for name in others} == {0}


def test_the_inferences_are_the_models_calls(watched: Watched) -> None:
    found = published(watched.settings, watched.result)

    assert found["shots"]["inferences"] == watched.calls.detected > 0
    assert found["embeddings"]["inferences"] == watched.calls.embedded
    # And as many again, up to 16, are made unrecognisable to learn what the embedder says of them.
    faces = watched.result.faces_count
    assert watched.calls.embedded == faces + min(faces, 16)
    assert found["body_detections"]["inferences"] == watched.calls.persons > 0
    others = set(found) - {"shots", "embeddings", "body_detections"}
    assert {found[name]["inferences"] for name in others} == {0}


def test_what_a_step_used_up_is_told_once(known: Finished) -> None:
    settings, result = known
    found = published(settings, result)

    siblings = set(found) - FIRST_OUTPUTS
    assert siblings == {"detections", "body_detections"}
    detections, bodies = found["detections"], found["body_detections"]
    told_again = ("rows_in", "frames", "inferences", "cpu_s", "gpu_s", "compute_s")
    assert {detections[name] for name in told_again} == {0}
    assert (bodies["rows_in"], bodies["frames"]) == (0, 0)
    assert bodies["cpu_s"] > 0, "what the person models took of the scan"
    assert found["shots"]["cpu_s"] > 0
    assert found["shots"]["compute_s"] > 0
    assert found["shots"]["peak_rss_bytes"] > 50 * 2**20


def test_what_computing_took_is_kept_with_each_artifact_and_billed(known: Finished) -> None:
    settings, result = known
    found, stores = published(settings, result), Stores.open(settings.data_root)
    entries = stores.artifacts.manifest(EP_ID, "first").entries

    for asset, kinds in KINDS_OF_ASSET.items():
        first, *others = (entries[kind] for kind in kinds)
        assert first.used == {name: found[asset][name] for name in ("cpu_s", "gpu_s")}
        assert all(entry.used == {"cpu_s": 0, "gpu_s": 0} for entry in others)
        assert found[asset]["stored_bytes"] == sum(entries[kind].size_bytes for kind in kinds)
    bill = invoice(stores.ledger.facts(EP_ID, "first"))
    assert bill is not None
    cpu_s = sum(facts["cpu_s"] for facts in found.values())
    assert float(bill.used.quantity("cpu_s")) == pytest.approx(cpu_s, abs=1e-6)
    assert bill.used.total > 0
    assert bill.saved.lines == ()


def test_what_another_run_computed_is_saved_and_its_storage_is_not_billed_again(
    known: Finished,
) -> None:
    settings, _ = known
    launch = Launch(run_id="saving")
    run_episode(EP_ID, None, balanced(), settings=settings, launch=launch)
    stores = Stores.open(settings.data_root)
    entries = stores.artifacts.manifest(EP_ID, "saving").entries
    bill = invoice(stores.ledger.facts(EP_ID, "saving"))

    assert bill is not None
    taken = [entry for entry in entries.values() if entry.source == "checkpoint"]
    took_s = sum((entry.used or {}).get("cpu_s", 0) for entry in taken)
    assert float(bill.saved.quantity("cpu_s")) == pytest.approx(took_s, abs=1e-6)
    assert bill.saved.total > 0
    stored = {line.stage for line in bill.used.lines if line.item == "storage_gb_months"}
    assert stored == {stage_of(e.kind).value for e in entries.values() if e.source == "computed"}


def test_a_relaunched_run_says_that_it_did_nothing_and_which_code_did_it(
    known: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, first = known
    monkeypatch.setattr("screenalytics_assets.binding.current_code_ref", lambda: "f" * 40)
    again = run_episode(EP_ID, None, balanced(), settings=settings, launch=Launch(run_id="first"))
    before, found = published(settings, first), published(settings, again)

    for name, facts in found.items():
        assert facts["source"] == "checkpoint"
        assert facts["code_ref"] == "f" * 40
        assert (facts["frames"], facts["inferences"], facts["compute_s"]) == (0, 0, 0)
        for same in ("fingerprint", "rows_in", "rows_out"):
            assert facts[same] == before[name][same]


def test_a_result_of_other_settings_says_why_it_was_taken(known: Finished) -> None:
    settings, _ = known
    result = run_stage(
        EP_ID, None, balanced(stride=6, reuse_detections=True), PipelineStage.DETECT_TRACK,
        settings=settings,
    )  # fmt: skip
    facts = published(settings, result)["detections"]

    assert facts["source"] == "checkpoint"
    assert "reuse_detections" in facts["note"]


def test_a_fresh_run_computes_everything_anew_and_gets_the_same(watched: Watched) -> None:
    found = published(watched.settings, watched.result)

    assert {facts["source"] for facts in found.values()} == {"computed"}
    anew, first = content(watched.settings, "anew"), content(watched.settings, "first")
    for name in ("report.pdf", "report.html"):
        assert anew.pop(name) != first.pop(name)  # it names the run
    assert anew == first


def test_a_fresh_run_resumes_with_what_it_computed_itself(watched: Watched) -> None:
    settings = watched.settings
    again = run_episode(
        EP_ID, None, balanced(), settings=settings, launch=Launch(run_id="anew", fresh=True)
    )

    found = published(settings, again)
    assert {facts["source"] for facts in found.values()} == {"checkpoint"}


def test_progress_tells_what_is_being_worked_on(watched: Watched) -> None:
    found = published(watched.settings, watched.result)
    scanning = [o for o in observed(watched.settings, watched.result) if o["asset"] == "shots"]

    assert (scanning[-1]["done"], scanning[-1]["total"]) == (CLIP_FRAMES, CLIP_FRAMES)
    assert {o["message"] for o in scanning[1:]} == {"frames scanned"}
    for observation in scanning[1:]:
        for fact in ("fingerprint", "code_ref", "rows_in"):
            assert observation[fact] == found["shots"][fact]
    # What was used up so far: all that is known of a process that is killed later.
    used_s = [observation["cpu_s"] for observation in scanning]
    assert used_s == sorted(used_s)
    assert 0 < used_s[-1] <= found["shots"]["cpu_s"] + found["body_detections"]["cpu_s"] + 0.01
    faces = [o for o in observed(watched.settings, watched.result) if o["asset"] == "faces"]
    assert faces[-1]["rows_in"] == found["faces"]["rows_in"] > 0


@pytest.mark.parametrize(
    "error", [ValueError("a bug"), dg.DagsterExecutionInterruptedError("Ctrl-C")]
)
def test_a_step_whose_model_fails_tells_what_it_had_used_up(
    known: Finished, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    settings, first = known
    detect, lock, calls = MtcnnDetector.detect, threading.Lock(), [0]

    def failing(detector: MtcnnDetector, image_bgr: Any, *where: Any) -> Any:
        with lock:
            calls[0] += 1
            if calls[0] > 4:
                raise error
        return detect(detector, image_bgr, *where)

    monkeypatch.setattr(MtcnnDetector, "detect", failing)
    result = run_stage(
        EP_ID, None, balanced(), PipelineStage.DETECT_TRACK,
        settings=settings, launch=Launch(fresh=True),
    )  # fmt: skip

    assert not result.success
    [facts] = measured(settings, result)
    assert facts["asset"] == "shots"
    assert facts["measured"] is True
    assert facts["fingerprint"] == published(settings, first)["shots"]["fingerprint"]
    assert facts["code_ref"] == current_code_ref()
    assert (facts["rows_in"], facts["inferences"]) == (0, 4)
    assert 4 <= facts["frames"] <= CLIP_FRAMES
    assert facts["cpu_s"] > 0
    assert facts["compute_s"] > 0
    assert facts["peak_rss_bytes"] > 50 * 2**20


def test_a_step_with_a_damaged_input_tells_what_it_was_given(known: Finished) -> None:
    settings, _ = known
    anew = Launch(run_id="damaged", fresh=True)  # with files of its own
    run_stage(EP_ID, None, balanced(), PipelineStage.DETECT_TRACK, settings=settings, launch=anew)
    held = rows(settings, "damaged")
    file = settings.data_root / "manifests" / EP_ID / "runs" / "damaged" / "detections.jsonl"
    file.write_bytes(b"rot")

    result = run_stage(
        EP_ID, None, balanced(), PipelineStage.FACES_EMBED, settings=settings, launch=anew
    )

    assert result.error_code == ArtifactCorruptError.code
    [facts] = measured(settings, result)
    assert facts["asset"] == "faces"
    assert facts["rows_in"] == held[KIND.DETECTIONS] + held[KIND.TRACKS]
    assert (facts["frames"], facts["inferences"]) == (0, 0)


def test_an_output_that_cannot_be_published_tells_what_it_cost(
    known: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, _ = known

    def refuse(*_: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(ArtifactStore, "publish", refuse)
    result = run_stage(
        EP_ID, None, balanced(), PipelineStage.DETECT_TRACK,
        settings=settings, launch=Launch(fresh=True),
    )  # fmt: skip

    assert "a bug" in str(result.error)
    [facts] = measured(settings, result)
    assert facts["asset"] == "shots"
    assert facts["frames"] == CLIP_FRAMES
    assert facts["compute_s"] > 0


def test_a_reused_output_that_cannot_be_published_costs_nothing(
    known: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, _ = known

    def refuse(*_: object, **__: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(ArtifactStore, "adopt", refuse)
    result = run_stage(EP_ID, None, balanced(), PipelineStage.DETECT_TRACK, settings=settings)

    assert "a bug" in str(result.error)
    assert measured(settings, result) == []


def test_the_launch_stands_in_the_tags(known: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, _ = known
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    monkeypatch.setenv("TRACEPARENT", f"00-{trace_id}-00f067aa0ba902b7-01")
    result = run_stage(
        EP_ID, None, balanced(), PipelineStage.CLUSTER,
        settings=settings_for(settings.data_root),
        launch=Launch(run_id="traced", upstream_run_id="first", parent_run_id="first", fresh=True),
    )  # fmt: skip

    assert result.success, result.error
    with open_instance(settings.dagster_home) as instance:
        run = instance.get_run_by_id(result.dagster_run_id)
    assert run is not None
    assert run.tags[TRACE_ID_TAG] == trace_id
    assert run.tags[FRESH_TAG] == "true"
    assert run.tags[PARENT_RUN_ID_TAG] == "first"


@pytest.mark.parametrize(
    ("launch", "given", "error"),
    [
        pytest.param({"fresh": True}, {"reuse_detections": True}, SettingsError, id="both"),
        pytest.param(
            {"tags": {FRESH_TAG: "true"}}, {"reuse_embeddings": True}, SettingsError, id="by tag"
        ),
        pytest.param({"parent_run_id": "../x"}, {}, InvalidIdError, id="unsafe parent"),
    ],
)
def test_a_launch_that_contradicts_itself_is_refused_before_a_run_exists(
    launch: dict[str, Any], given: dict[str, Any], error: type[Exception], tmp_path: Path
) -> None:
    with pytest.raises(error):
        run_episode(
            EP_ID, None, balanced(**given),
            settings=settings_for(tmp_path / "data"), launch=Launch(**launch),
        )  # fmt: skip
    assert not (tmp_path / "data").exists()


def test_the_ui_cannot_launch_a_contradiction_either(known: Finished) -> None:
    """It launches by tags and settings alone; the engine is not asked."""
    settings, _ = known
    with without_beta_warnings():
        job = build_definitions(settings).resolve_job_def(EPISODE_JOB)
    given = {"models": "lite", "reuse_detections": True}
    with open_instance(settings.dagster_home) as instance, without_beta_warnings():
        result = job.execute_in_process(
            run_config={"resources": {"settings": {"config": given}}},
            instance=instance,
            partition_key=EP_ID,
            raise_on_error=False,
            asset_selection=[dg.AssetKey("shots"), dg.AssetKey("detections")],
            tags={FRESH_TAG: "true"},
        )
        [failure] = result.get_step_failure_events()

    told_of = failure.step_failure_data.user_failure_data
    assert told_of is not None
    assert "fresh run with reuse_detections" in str(told_of.description)
