"""A season of two real episodes: rolled up, linked, named once, and launched by the sensor."""

from __future__ import annotations

import json
import shutil
import time
import uuid
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context

from screenalytics_assets.checks.season import SEASON_CHECKS
from screenalytics_assets.definitions import build_definitions
from screenalytics_assets.engine import Launch, run_episode
from screenalytics_assets.instance import open_instance
from screenalytics_assets.jobs import SEASON_JOB
from screenalytics_assets.season_sensor import SIGNATURE_TAG, Memory, Tick, look
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.episode_registry import set_trims
from screenalytics_core.seasons.launching import Verdict
from screenalytics_core.seasons.specs import PART_FILES
from tests.command_line import in_this_process
from tests.integration.support import CopyFinished, balanced, settings_for

pytestmark = pytest.mark.models
SEASON = "show-s01"


@pytest.fixture(scope="module")
def made(
    clip: Path, copy_finished: CopyFinished, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """A data root with the same clip as two episodes, a gap after them, and one without a run."""
    settings = copy_finished(tmp_path_factory.mktemp("season") / "data")
    launch = Launch(run_id="first")
    second = run_episode(f"{SEASON}e02", clip, balanced(), settings=settings, launch=launch)
    assert second.success, second.error
    videos = settings.data_root / "videos"
    shutil.copytree(videos / f"{SEASON}e02", videos / f"{SEASON}e04")
    (videos / f"{SEASON}e04" / "video.json").write_text(
        (videos / f"{SEASON}e02" / "video.json").read_text().replace("e02", "e04")
    )
    assert season(settings, "rollup")["success"]
    return settings


@pytest.fixture
def settings(made: Settings, tmp_path: Path) -> Settings:
    """A rolled up season of this test's own."""
    shutil.copytree(made.data_root, tmp_path / "data")
    return settings_for(tmp_path / "data")


def season(settings: Settings, command: str, *arguments: str) -> Any:
    """Run `screenalytics season COMMAND show-s01 ... --json`."""
    done = in_this_process(
        "season", command, SEASON, *arguments, "--json", data_root=settings.data_root
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def links(settings: Settings) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = season(settings, "link")["links"]
    return rows


def members(settings: Settings, link_id: str) -> list[tuple[str, str]]:
    rows = season(settings, "link")["members"]
    return [(m["ep_id"], m["person_id"]) for m in rows if m["link_id"] == link_id]


def test_a_season_is_rolled_up_with_every_episode_told(made: Settings) -> None:
    document = season(made, "show")

    assert [(e["ep_id"], e["state"]) for e in document["episodes"]] == [
        ("show-s01e01", "done"),
        ("show-s01e02", "done"),
        ("show-s01e03", "unregistered"),
        ("show-s01e04", "missing"),
    ]
    assert {p["episode_count"] for p in document["people"]} == {2}
    folder = made.data_root / "seasons" / SEASON
    assert {f.filename for part in PART_FILES.values() for f in part} <= {
        p.name for p in folder.iterdir()
    }


def test_the_same_roll_up_again_gives_the_same_bytes(settings: Settings) -> None:
    folder = settings.data_root / "seasons" / SEASON
    before = {p.name: p.read_bytes() for p in folder.glob("season*")}
    season(settings, "rollup")

    assert {p.name: p.read_bytes() for p in folder.glob("season*")} == before


def test_dagster_knows_the_roll_up_and_its_checks(made: Settings) -> None:
    with open_instance(made.dagster_home) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey("season_screen_time"))
        keys = [dg.AssetCheckKey(dg.AssetKey("season_screen_time"), c.name) for c in SEASON_CHECKS]
        checks = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
        assert event is not None
        assert event.asset_materialization is not None
        assert event.asset_materialization.partition == SEASON
        shown = event.asset_materialization.metadata
        assert {"totals", "trend", "to look at", "season_report.pdf"} <= shown.keys()
        assert "| ? |" in str(shown["trend"].value)
        assert SEASON in instance.get_dynamic_partitions("season")
        assert {k.name: c.status.value for k, c in checks.items()} == dict.fromkeys(
            (c.name for c in SEASON_CHECKS), "SUCCEEDED"
        )


def test_naming_one_names_the_others_after_confirmation(settings: Settings) -> None:
    link_id = links(settings)[0]["link_id"]
    ((_, identity_id), second) = members(settings, link_id)
    labelled = in_this_process(
        "identities", "label", f"{SEASON}e01", identity_id, "Anna Low",
        data_root=settings.data_root,
    )  # fmt: skip
    assert labelled.returncode == 0, labelled.stderr
    season(settings, "rollup")

    (proposal,) = [k for k in links(settings) if k["status"] == "proposal"]
    assert (proposal["label"], proposal["link_id"]) == ("Anna Low", link_id)
    confirmed = season(settings, "confirm", link_id)
    assert [(d["verb"], d["via"]) for d in confirmed["decisions"]] == [("label", "season")]

    (agreed,) = [k for k in links(settings) if k["link_id"] == link_id]
    assert agreed["status"] == "agreed"
    (anna,) = [p for p in season(settings, "show")["people"] if p["kind"] == "cast"]
    assert (anna["label"], anna["episode_count"]) == ("Anna Low", 2)
    decisions = Stores.open(settings.data_root).decisions.read(second[0])
    assert [d.label for d in decisions] == ["Anna Low"]


def test_a_confirmation_goes_on_when_the_run_of_one_episode_cannot_start(
    settings: Settings,
) -> None:
    link_id = links(settings)[0]["link_id"]
    ((first, _), (second, _)) = members(settings, link_id)
    shutil.rmtree(settings.data_root / "videos" / first)
    done = in_this_process(
        "season", "confirm", SEASON, link_id, "--name", "Anna Low", "--json",
        data_root=settings.data_root,
    )  # fmt: skip

    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert (told["success"], list(told["failed"])) == (False, [first])
    assert [d["label"] for d in told["decisions"]] == ["Anna Low", "Anna Low"]
    assert f"{first}: " in done.stderr
    now = season(settings, "link")["members"]
    assert {m["ep_id"] for m in now if m["cast_id"] == "anna-low"} == {second}


def test_a_link_without_a_name_needs_one(settings: Settings) -> None:
    link_id = links(settings)[0]["link_id"]
    refused = in_this_process("season", "confirm", SEASON, link_id, data_root=settings.data_root)

    assert refused.returncode == 1
    assert f"season confirm {SEASON} {link_id} --name NAME" in refused.stderr


def test_a_rejected_link_is_not_proposed_again(settings: Settings) -> None:
    first, *others = links(settings)
    was = members(settings, first["link_id"])
    season(settings, "reject", first["link_id"])

    now = season(settings, "link")
    together = [
        {(m["ep_id"], m["person_id"]) for m in now["members"] if m["link_id"] == k["link_id"]}
        for k in now["links"]
    ]
    assert not any(set(was) <= link for link in together)
    assert {k["link_id"] for k in others} <= {k["link_id"] for k in now["links"]}


def test_a_link_of_runs_that_have_changed_is_not_decided_about(settings: Settings) -> None:
    link_id = links(settings)[0]["link_id"]
    set_trims(Stores.open(settings.data_root).storage, f"{SEASON}e02", recap=(0.0, 0.4))
    again = run_episode(f"{SEASON}e02", None, balanced(), settings=settings,
                        launch=Launch(run_id="first"))  # fmt: skip
    assert again.success, again.error

    refused = in_this_process(
        "season", "confirm", SEASON, link_id, "--name", "X", data_root=settings.data_root
    )
    assert refused.returncode == 1
    assert "show-s01e02 has changed since" in refused.stderr
    assert Stores.open(settings.data_root).decisions.read(f"{SEASON}e02") == ()


def test_new_trims_make_an_episode_stale_until_it_is_run_again(settings: Settings) -> None:
    set_trims(Stores.open(settings.data_root).storage, f"{SEASON}e02", recap=(0.0, 0.4))
    season(settings, "rollup")

    stale = season(settings, "show")["episodes"][1]
    assert (stale["state"], stale["reason"]) == (
        "stale", "trims were changed (screen_time)",
    )  # fmt: skip


def test_a_face_more_in_the_gallery_makes_episodes_stale_without_their_models(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, (second, identity_id) = members(settings, links(settings)[0]["link_id"])
    labelled = in_this_process(
        "identities", "label", second, identity_id, "Anna Low", data_root=settings.data_root
    )
    assert labelled.returncode == 0, labelled.stderr
    monkeypatch.setenv("SCREENALYTICS_MODELS_DIR", str(tmp_path / "no models"))
    season(settings, "rollup")

    first, other = season(settings, "show")["episodes"][:2]
    assert (first["state"], first["reason"]) == (
        "stale", "a gallery, which there was none of (cast)",
    )  # fmt: skip
    assert (other["state"], other["reason"]) == ("done", None)


def test_a_decision_that_came_after_makes_an_episode_stale(settings: Settings) -> None:
    _, (second, identity_id) = members(settings, links(settings)[0]["link_id"])
    labelled = in_this_process(
        "identities", "lock", second, identity_id, "--no-run", data_root=settings.data_root
    )
    assert labelled.returncode == 0, labelled.stderr
    season(settings, "rollup")

    stale = season(settings, "show")["episodes"][1]
    assert (stale["state"], stale["reason"]) == ("stale", "1 new decisions (cast)")


def test_a_damaged_artifact_fails_the_roll_up_by_name_and_the_old_one_stands(
    settings: Settings,
) -> None:
    stores = Stores.open(settings.data_root)
    stores.require(f"{SEASON}e02", "first", ArtifactKind.CAST).fetch().write_text("{}")
    failed = in_this_process("season", "rollup", SEASON, data_root=settings.data_root)

    assert failed.returncode == 1
    assert "cast.json: sha256 is" in failed.stderr
    assert season(settings, "show")["episodes_counted"] == 2


class Ticks:
    """The sensor's ticks over one instance, at times that the test tells."""

    def __init__(self, instance: dg.DagsterInstance, settings: Settings) -> None:
        self._instance = instance
        self._stores = Stores.open(settings.data_root)
        self._memory = Memory()
        self.now_s = time.time() + 3600

    def tick(self, after_s: float) -> Tick:
        self.now_s += after_s
        ticked = look(self._instance, self._stores, self._memory, self.now_s)
        self._memory = Memory.parse(ticked.memory.to_cursor())
        return ticked


def a_run(instance: dg.DagsterInstance, job: str, partition: str, status: str, **tags: str) -> str:
    """Put a run into Dagster's storage as it stands while it runs, or after it."""
    run = dg.DagsterRun(
        job_name=job,
        run_id=str(uuid.uuid4()),
        status=dg.DagsterRunStatus(status),
        tags={"dagster/partition": partition, **tags},
    )
    instance.run_storage.add_run(run)
    return run.run_id


def test_the_sensor_rolls_up_once_and_only_when_something_changed(settings: Settings) -> None:
    with open_instance(settings.dagster_home) as instance:
        ticks = Ticks(instance, settings)
        assert ticks.tick(0).verdicts == {SEASON: Verdict.CURRENT}
        assert ticks.tick(30).verdicts == {}

    set_trims(Stores.open(settings.data_root).storage, f"{SEASON}e02", recap=(0.0, 0.4))
    with open_instance(settings.dagster_home) as instance:
        ticks = Ticks(instance, settings)
        assert ticks.tick(0).verdicts == {SEASON: Verdict.QUIET}
        assert ticks.tick(30).verdicts == {SEASON: Verdict.QUIET}
        assert ticks.tick(31).launched == [SEASON]
        a_run(instance, SEASON_JOB, SEASON, "STARTED")
        assert ticks.tick(30).verdicts == {SEASON: Verdict.ROLLING}


def test_the_sensor_waits_for_episodes_at_work_and_does_not_repeat_a_failure(
    settings: Settings,
) -> None:
    set_trims(Stores.open(settings.data_root).storage, f"{SEASON}e02", recap=(0.0, 0.4))
    with open_instance(settings.dagster_home) as instance:
        ticks = Ticks(instance, settings)
        running = a_run(instance, "episode", f"{SEASON}e02", "STARTED")
        for _ in range(5):
            assert ticks.tick(60).verdicts == {SEASON: Verdict.AT_WORK}
        instance.run_storage.delete_run(running)
        assert ticks.tick(30).verdicts == {SEASON: Verdict.QUIET}
        launching = ticks.tick(61)
        assert launching.launched == [SEASON]
        tag = {SIGNATURE_TAG: launching.signatures[SEASON]}
        a_run(instance, SEASON_JOB, SEASON, "FAILURE", **tag)
        assert ticks.tick(30).verdicts == {SEASON: Verdict.FAILED}
        assert ticks.tick(30).verdicts == {}


def test_the_sensor_makes_a_season_anew_that_lost_its_record(settings: Settings) -> None:
    with open_instance(settings.dagster_home) as instance:
        ticks = Ticks(instance, settings)
        assert ticks.tick(0).verdicts == {SEASON: Verdict.CURRENT}
        (settings.data_root / "seasons" / SEASON / "season.json").unlink()
        assert ticks.tick(30).verdicts == {SEASON: Verdict.QUIET}
        assert ticks.tick(61).launched == [SEASON]


def test_the_sensor_looks_once_at_a_season_without_figures(settings: Settings) -> None:
    (settings.data_root / "seasons" / SEASON / "season.json").unlink()
    for ep_id in (f"{SEASON}e01", f"{SEASON}e02"):
        shutil.rmtree(settings.data_root / "manifests" / ep_id / "runs")
    with open_instance(settings.dagster_home) as instance:
        ticks = Ticks(instance, settings)
        assert ticks.tick(0).verdicts == {SEASON: Verdict.EMPTY}
        assert ticks.tick(30).verdicts == {}


def test_the_sensor_makes_partitions_and_asks_for_the_season(settings: Settings) -> None:
    set_trims(Stores.open(settings.data_root).storage, f"{SEASON}e02", recap=(0.0, 0.4))
    definitions = build_definitions(settings)
    sensor = definitions.resolve_sensor_def("seasons")

    def tick(instance: dg.DagsterInstance, cursor: str | None) -> Any:
        context = dg.build_sensor_context(instance, cursor=cursor, definitions=definitions)
        with partition_loading_context(dynamic_partitions_store=instance):
            return sensor.evaluate_tick(context)

    with open_instance(settings.dagster_home) as instance:
        instance.delete_dynamic_partition("season", SEASON)
        first = tick(instance, None)
        assert first.skip_message == "show-s01 waits for a quiet minute"
        assert [r.partition_keys for r in first.dynamic_partitions_requests] == [[SEASON]]
        instance.add_dynamic_partitions("season", [SEASON])
        (signature, since_s) = Memory.parse(first.cursor).open[SEASON]
        waited = Memory(time.time(), {SEASON: (signature, since_s - 100)})
        (request,) = tick(instance, waited.to_cursor()).run_requests

    assert request.tags["dagster/partition"] == SEASON
    assert request.tags[SIGNATURE_TAG] == signature


def test_a_cursor_that_cannot_be_read_looks_at_every_season() -> None:
    assert Memory.parse("[]") == Memory.parse(None) == Memory()
