"""Damaged records: one clear error that names the file, or none; other runs are not stopped."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from screenalytics_assets.definitions import build_definitions
from screenalytics_assets.engine import Launch, PipelineStage, run_episode
from screenalytics_assets.instance import open_instance
from screenalytics_assets.jobs import EPISODE_JOB
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_assets.tags import PROCESS_TAG
from screenalytics_core.errors import ArtifactCorruptError
from tests.integration.support import EP_ID, CopyFinished, balanced

pytestmark = pytest.mark.models
JUNK = [b"", b"{}", b"[]", b"null", b"\xff", b'{"run_id": "../../x"}']


@pytest.fixture
def root(copy_finished: CopyFinished, tmp_path: Path) -> Settings:
    """A copy of the finished root, to be damaged."""
    return copy_finished(tmp_path / "data")


def runs_folder(settings: Settings) -> Path:
    return settings.data_root / "manifests" / EP_ID / "runs"


def said_by_relaunch(settings: Settings) -> str:
    """Relaunch `first`; return its error: raised before the run, or told by its result."""
    try:
        result = run_episode(
            EP_ID, None, balanced(), settings=settings, launch=Launch(run_id="first")
        )
    except ArtifactCorruptError as error:
        return str(error)
    assert result.error_code == ArtifactCorruptError.code
    return str(result.error)


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", ["first/manifest.json", "first/run.json", "active_run.json"])
def test_a_damaged_record_of_one_run_is_passed_over_when_others_are_looked_through(
    name: str, junk: bytes, root: Settings
) -> None:
    (runs_folder(root) / name).write_bytes(junk)
    stores = Stores.open(root.data_root)

    stores.runs.list_run_ids(EP_ID)
    stores.runs.active_run_id(EP_ID)
    assert stores.artifacts.find_reusable(EP_ID, ["tracks"], "no such print") is None  # type: ignore[list-item]


def test_a_new_run_completes_beside_a_damaged_one(root: Settings) -> None:
    (runs_folder(root) / "first" / "manifest.json").write_bytes(b"")
    (runs_folder(root) / "active_run.json").write_bytes(b"")

    result = run_episode(EP_ID, None, balanced(), settings=root, launch=Launch(run_id="beside"))

    assert result.success, result.error
    assert Stores.open(root.data_root).runs.active_run_id(EP_ID) == "beside"


@pytest.mark.parametrize("junk", JUNK[:5])
@pytest.mark.parametrize("name", ["run.json", "manifest.json", "attempts/0001.json"])
def test_relaunching_a_damaged_run_names_the_file(name: str, junk: bytes, root: Settings) -> None:
    (runs_folder(root) / "first" / name).write_bytes(junk)

    assert Path(name).name in said_by_relaunch(root)


def test_a_run_that_lost_its_record_is_not_bound_to_other_settings(root: Settings) -> None:
    (runs_folder(root) / "first" / "run.json").unlink()

    with pytest.raises(ArtifactCorruptError, match=r"run\.json.*missing"):
        run_episode(
            EP_ID,
            None,
            balanced(min_face_px=500),
            stages=(PipelineStage.SCREEN_TIME,),
            settings=root,
            launch=Launch(run_id="first"),
        )


def test_a_copied_run_folder_does_not_work_on_the_original(root: Settings) -> None:
    shutil.copytree(runs_folder(root) / "first", runs_folder(root) / "copy")

    with pytest.raises(ArtifactCorruptError, match=f"{EP_ID}/first"):
        run_episode(EP_ID, None, balanced(), settings=root, launch=Launch(run_id="copy"))


@pytest.mark.parametrize("tag", ["garbage", '{"pid": 1}', "[]"])
def test_a_tag_that_names_no_process_stops_no_launch(tag: str, root: Settings) -> None:
    job = build_definitions(root).resolve_job_def(EPISODE_JOB)
    with open_instance(root.dagster_home) as instance:
        run = instance.create_run_for_job(job, tags={PROCESS_TAG: tag})

    result = run_episode(EP_ID, None, balanced(), settings=root, launch=Launch(run_id="first"))

    assert result.success, result.error
    with open_instance(root.dagster_home) as instance:
        instance.delete_run(run.run_id)
