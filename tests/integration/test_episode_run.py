"""A real episode through the asset graph: what a run leaves, what the next one reuses."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from screenalytics_assets.engine import (
    EpisodeRunResult,
    Launch,
    PipelineStage,
    run_cluster,
    run_episode,
    run_stage,
)
from screenalytics_assets.graph import OUTPUTS
from screenalytics_assets.instance import open_instance
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.errors import (
    InputConflictError,
    RunSettingsConflictError,
)
from tests.integration.support import EP_ID, balanced, content, settings_for

pytestmark = pytest.mark.models
Finished = tuple[Settings, EpisodeRunResult]

GRAPH_KINDS = {kind for output in OUTPUTS.values() for kind in output.kinds}


def sources(settings: Settings, run_id: str) -> dict[ArtifactKind, str]:
    manifest = Stores.open(settings.data_root).artifacts.manifest(EP_ID, run_id)
    return {kind: str(entry.source) for kind, entry in manifest.entries.items()}


def test_a_run_finds_the_six_people_and_leaves_every_artifact(finished: Finished) -> None:
    settings, result = finished

    assert result.identities_count == 6
    assert set(result.artifacts) == {kind.value for kind in GRAPH_KINDS}
    assert Path(result.artifacts["report"]).read_bytes().startswith(b"%PDF")
    assert set(sources(settings, "first").values()) == {"computed"}


def test_screen_time_follows_the_shots(finished: Finished) -> None:
    _, result = finished
    assert result.screen_time is not None

    # 22 frames at 25 fps in each of the first two shots; nobody in the third.
    for person in result.screen_time["people"]:
        assert person["total_s"] == pytest.approx(22 / 25, abs=0.05)
    assert result.screen_time["covered_s"] == pytest.approx(44 / 25, abs=0.1)


def test_every_step_is_a_materialised_asset_of_the_episodes_partition(finished: Finished) -> None:
    settings, _ = finished
    with open_instance(settings.dagster_home) as instance:
        for name in OUTPUTS:
            partitions = instance.get_materialized_partitions(dg.AssetKey(name))
            assert EP_ID in partitions, name


def test_the_same_settings_in_another_root_give_the_same_bytes(
    finished: Finished, clip: Path, tmp_path: Path
) -> None:
    elsewhere = settings_for(tmp_path / "other")
    # One worker against one per core: the order of the work must not show.
    run_episode(EP_ID, clip, balanced(workers=1), settings=elsewhere, launch=Launch(run_id="first"))

    assert content(elsewhere, "first") == content(finished[0], "first")


def test_a_second_run_with_the_same_settings_reuses_everything_but_the_report(
    finished: Finished,
) -> None:
    settings, first = finished
    second = run_episode(EP_ID, None, balanced(), settings=settings)

    found = sources(settings, second.run_id)
    assert found.pop(ArtifactKind.REPORT) == "computed"  # it names the run
    assert set(found.values()) == {"checkpoint"}
    one, two = Path(first.artifacts["tracks"]), Path(second.artifacts["tracks"])
    assert one.stat().st_ino == two.stat().st_ino


def test_clustering_alone_with_another_threshold_leaves_a_whole_run_folder(
    finished: Finished,
) -> None:
    settings, _ = finished
    result = run_cluster(
        EP_ID,
        None,
        balanced(cluster_thresh=0.9),
        settings=settings,
        launch=Launch(upstream_run_id="first"),
    )

    assert result.success, result.error
    found = sources(settings, result.run_id)
    assert found[ArtifactKind.IDENTITIES] == "computed"
    upstream = set(found) - {ArtifactKind.IDENTITIES, ArtifactKind.CAST}
    assert {found[kind] for kind in upstream} == {"inherited"}
    assert ArtifactKind.DETECTIONS in upstream
    assert ArtifactKind.FACES_EMBEDDINGS in upstream
    stores = Stores.open(settings.data_root)
    for kind in found:
        stores.require(EP_ID, result.run_id, kind).read()


def test_inputs_of_other_settings_are_refused_unless_asked_for(finished: Finished) -> None:
    settings, _ = finished
    result = run_stage(EP_ID, None, balanced(stride=2), PipelineStage.CLUSTER, settings=settings)

    assert not result.success
    assert result.error_code == InputConflictError.code
    assert "stride" in str(result.error)


def test_a_run_cannot_be_relaunched_with_other_settings(finished: Finished) -> None:
    settings, _ = finished
    before = content(settings, "first")

    with pytest.raises(RunSettingsConflictError, match="stride"):
        run_episode(
            EP_ID, None, balanced(stride=2), settings=settings, launch=Launch(run_id="first")
        )
    assert content(settings, "first") == before


def test_relaunching_a_finished_run_changes_nothing(finished: Finished) -> None:
    settings, _ = finished
    before = content(settings, "first")
    again = run_episode(EP_ID, None, balanced(), settings=settings, launch=Launch(run_id="first"))

    assert again.success, again.error
    assert content(settings, "first") == before
    assert {s.source for s in again.stages} == {"checkpoint"}


def test_an_older_run_that_ends_late_does_not_become_active(finished: Finished) -> None:
    settings, _ = finished
    newer = run_episode(EP_ID, None, balanced(), settings=settings)
    run_episode(EP_ID, None, balanced(), settings=settings, launch=Launch(run_id="first"))

    assert Stores.open(settings.data_root).runs.active_run_id(EP_ID) == newer.run_id


def test_reused_detections_of_other_settings_say_so(finished: Finished) -> None:
    settings, _ = finished
    result = run_episode(
        EP_ID, None, balanced(det_max_side_px=480, reuse_detections=True), settings=settings
    )

    assert result.success, result.error
    manifest = Stores.open(settings.data_root).artifacts.manifest(EP_ID, result.run_id)
    entry = manifest.entries[ArtifactKind.DETECTIONS]
    assert "reuse_detections" in str(entry.taken_because)


def test_loose_pictures_are_written_when_asked_for_though_the_faces_are_known(
    finished: Finished,
) -> None:
    settings, _ = finished
    result = run_episode(
        EP_ID, None, balanced(save_crops=True), settings=settings, launch=Launch(run_id="pictures")
    )

    assert result.success, result.error
    folder = settings.data_root / "frames" / EP_ID / "runs" / "pictures"
    assert len(list(folder.rglob("*.jpg"))) >= result.faces_count
    found = sources(settings, "pictures")
    assert found[ArtifactKind.FACES] == "computed"
    assert found[ArtifactKind.FACES_EMBEDDINGS] == "checkpoint"


def test_a_result_is_plain_data_with_the_seeds_keys(finished: Finished) -> None:
    plain = finished[1].to_dict()
    seeds = ["episode_id", "success", "tracks_count", "faces_count", "identities_count",
             "runtime_sec", "stages", "error"]  # fmt: skip

    assert [key for key in plain if key in seeds] == seeds
    assert plain["ep_id"] == EP_ID
    assert finished[1].to_json().startswith("{")
