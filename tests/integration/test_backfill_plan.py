"""What a backfill finds stale, after one real run: fingerprints of today beside the manifest's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from screenalytics_assets.backfill_facts import Wanted
from screenalytics_assets.backfill_plan import Request, plan_and_record, plan_backfill
from screenalytics_assets.binding import silent
from screenalytics_assets.engine import EpisodeRunConfig
from screenalytics_assets.instance import open_instance
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.backfills.choice import Which
from screenalytics_core.backfills.record import BackfillRecord, BackfillStore
from screenalytics_core.decisions.records import Decision, Verb
from screenalytics_core.episode_registry import register_video, set_trims
from screenalytics_core.errors import RunExistsError
from screenalytics_core.processes import ProcessIdentity
from screenalytics_core.vision.decode import probe_video
from tests.command_line import in_this_process
from tests.integration.support import EP_ID, CopyFinished, balanced

pytestmark = pytest.mark.models
OTHER = "show-s01e02"


@pytest.fixture
def settings(tmp_path: Path, copy_finished: CopyFinished) -> Settings:
    """A copy of a data root with one finished run, `first`."""
    return copy_finished(tmp_path / "data")


def plan(
    settings: Settings,
    *which: Which,
    config: EpisodeRunConfig | None = None,
    is_recorded: bool = False,
    **given: Any,
) -> BackfillRecord:
    request = Request(("show-s01",), which or (Which.MISSING, Which.FAILED), **given)
    stores = Stores.open(settings.data_root)
    wanted = Wanted.of(settings, config or balanced(), silent)
    with open_instance(settings.dagster_home) as instance:
        make = plan_and_record if is_recorded else plan_backfill
        return make(instance, stores, wanted, request)


def why(record: BackfillRecord) -> str:
    """Say what the plan says of the episode."""
    (told,) = [*record.episodes, *record.skipped]
    return f"{told.why}: {told.reason}"


def test_a_run_of_the_same_settings_is_fresh(settings: Settings) -> None:
    assert why(plan(settings, Which.STALE)) == "fresh: run first is as it would be made now"


def test_a_changed_setting_is_named_with_the_outputs_that_read_it(settings: Settings) -> None:
    found = why(plan(settings, Which.STALE, config=balanced(stride=6, body_bridge_s=5.0)))

    assert found == (
        "stale: setting stride 12 -> 6 (detections); "
        "setting body_bridge_s 10.0 -> 5.0 (track_fusion)"
    )


def cli(settings: Settings, *arguments: str) -> CompletedProcess[str]:
    """Run `screenalytics backfill show-s01 --stale --dry-run ...`."""
    return in_this_process(
        "backfill", "show-s01", "--stale", "--dry-run", *arguments, data_root=settings.data_root
    )


def test_a_plan_says_which_settings_it_is_for_and_how_to_keep_those_that_were(
    settings: Settings,
) -> None:
    told = cli(settings, "--set", "stride=6").stderr

    assert told.startswith("settings asked for: models lite, stride=6")
    assert "--as-before keeps theirs" in told
    assert "--as-before keeps" not in cli(settings, "--as-before").stderr


def test_the_settings_of_the_runs_that_stand_make_nothing_stale(settings: Settings) -> None:
    plan = json.loads(cli(settings, "--as-before", "--json").stdout)

    assert [(s["ep_id"], s["why"]) for s in plan["skipped"]] == [(EP_ID, "fresh")]
    refused = cli(settings, "--as-before", "--set", "stride=6")
    assert (refused.returncode, "choose one of" in refused.stderr) == (2, True)


def test_a_number_that_no_video_was_added_for_is_listed(settings: Settings) -> None:
    done = in_this_process(
        "backfill", f"{EP_ID}..e03", "--stale", "--dry-run", "--json", data_root=settings.data_root
    )

    skipped = [(s["ep_id"], s["why"]) for s in json.loads(done.stdout)["skipped"]]
    assert skipped[1:] == [("show-s01e02", "not registered"), ("show-s01e03", "not registered")]


def test_a_setting_that_no_step_reads_makes_nothing_stale(settings: Settings) -> None:
    config = balanced(workers=1, jpeg_quality=20, force_recluster=True)

    assert why(plan(settings, Which.STALE, config=config)).startswith("fresh")


def test_changed_trims_are_named(settings: Settings) -> None:
    set_trims(Stores.open(settings.data_root).storage, EP_ID, recap=(0.0, 1.0))

    assert why(plan(settings, Which.STALE)) == "stale: trims were changed (screen_time)"
    (planned,) = plan(settings, Which.STALE).episodes
    assert planned.stages == ("screentime", "pdf")
    (all_anew,) = plan(settings, Which.ALL).episodes
    assert all_anew.stages == ()


def test_new_decisions_are_named(settings: Settings) -> None:
    decision = Decision(
        sequence=1,
        verb=Verb.LABEL,
        at=datetime(2026, 11, 21, tzinfo=UTC).isoformat(),
        by="me",
        run_id="first",
        label="Kyle",
    )
    Stores.open(settings.data_root).decisions.append(EP_ID, decision)

    assert why(plan(settings, Which.STALE)) == "stale: 1 new decisions (cast)"


def test_a_replaced_video_is_no_video_of_the_episode(settings: Settings) -> None:
    video = settings.data_root / "videos" / EP_ID / "episode.mp4"
    video.unlink()
    video.write_bytes(b"another")

    assert why(plan(settings, Which.ALL)).startswith("no video: ")


def test_an_episode_that_was_never_run_is_missing_and_its_run_gets_a_name(
    settings: Settings, clip: Path
) -> None:
    register_video(Stores.open(settings.data_root).storage, OTHER, clip, probe=probe_video)

    (planned,) = plan(settings).episodes

    assert (planned.ep_id, planned.why, planned.reason) == (OTHER, "missing", "no run yet")
    assert planned.video_s == pytest.approx(2.4)


def test_run_ids_of_a_template_that_are_taken_are_refused_before_anything_starts(
    settings: Settings,
) -> None:
    with pytest.raises(RunExistsError, match=f"{EP_ID}/first"):
        plan(settings, Which.ALL, template="first", is_recorded=True)

    assert BackfillStore(Stores.open(settings.data_root).storage).list_ids() == ()


def test_what_a_living_backfill_has_planned_is_not_planned_twice(settings: Settings) -> None:
    record = plan(settings, Which.ALL, is_recorded=True, how="queue")

    again = plan(settings, Which.ALL)

    assert why(again) == f"running: run {record.episodes[0].run_id} is planned by backfill " + (
        record.backfill_id
    )


def test_what_a_dead_backfill_had_planned_is_free(settings: Settings) -> None:
    record = plan(settings, Which.ALL)
    dead = ProcessIdentity.current()
    gone = {"host": dead.host, "boot_id": "an earlier boot", "pid_namespace": "", "pid": 1}
    store = BackfillStore(Stores.open(settings.data_root).storage)
    store.create(type(record)(**{**_fields(record), "process": {**gone, "started_s": 0.0}}))

    assert why(plan(settings, Which.ALL)).startswith("all")


def test_of_one_id_the_first_record_counts(settings: Settings) -> None:
    first = plan(settings, Which.ALL, is_recorded=True, backfill_id="tick", template="tick")
    second = plan(settings, Which.ALL, is_recorded=True, backfill_id="tick", template="other")

    assert second == first


def _fields(record: BackfillRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}
