"""Jobs over real Dagster runs that nobody executes: what is said of them, and what ends them."""

from __future__ import annotations

import os
import shutil
import signal
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster._core.remote_origin import (
    GrpcServerCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._daemon.types import DaemonHeartbeat
from fastapi.testclient import TestClient

from screenalytics_assets.api.app import create_app
from screenalytics_assets.api.canceling import CANCELED_TAG, cancel_run
from screenalytics_assets.api.following import Following
from screenalytics_assets.api.job_view import JobViews
from screenalytics_assets.api.launching import REQUEST_TAG, Queued, Work
from screenalytics_assets.instance import open_instance, prepare_dagster_home
from screenalytics_assets.liveness import process_tag
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_assets.supervisor.place import Client, Pid, Place, Record
from screenalytics_assets.tags import PARTITION_TAG, RUN_ID_TAG
from screenalytics_core.processes import ProcessIdentity
from tests.api_reading import settings_of

EP_ID = "rhobh-s05e14"
QUEUED = dg.DagsterRunStatus.QUEUED


@dataclass
class Queue:
    """Makes Dagster's run of a job, as the real launcher does, and leaves it at that."""

    instance: dg.DagsterInstance
    stores: Stores
    works: list[Work] = field(default_factory=list)

    def submit(self, work: Work) -> Queued:
        self.works.append(work)
        assert work.job_id is not None
        add_run(self.instance, work.job_id, run_id="minted", digest=work.digest)
        return Queued(work.job_id, work.ep_id, "minted")

    def cancel(self, job_id: str) -> None:
        cancel_run(self.instance, self.stores, job_id)


def add_run(
    instance: dg.DagsterInstance,
    job_id: str | None = None,
    *,
    status: dg.DagsterRunStatus = QUEUED,
    run_id: str = "r1",
    digest: str = "",
    assets: tuple[str, ...] = (),
    **tags: str,
) -> str:
    job_id = job_id or str(uuid.uuid4())
    selection = frozenset(dg.AssetKey(name) for name in assets) or None
    known = {PARTITION_TAG: EP_ID, RUN_ID_TAG: run_id, REQUEST_TAG: digest, **tags}
    where = GrpcServerCodeLocationOrigin("localhost", socket="/nowhere", location_name="code")
    origin = RemoteRepositoryOrigin(where, "__repository__")
    pointer = ModuleCodePointer("screenalytics_assets.definitions", "defs", None)
    instance.add_run(
        dg.DagsterRun(
            "episode",
            job_id,
            tags=known,
            status=status,
            asset_selection=selection,
            remote_job_origin=RemoteJobOrigin(origin, "episode"),
            job_code_origin=JobPythonOrigin("episode", RepositoryPythonOrigin("python", pointer)),
        )
    )
    return job_id


@pytest.fixture(scope="module")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DAGSTER_HOME as the first opening leaves it, which takes a second to make."""
    return prepare_dagster_home(tmp_path_factory.mktemp("new") / "home")


@pytest.fixture
def settings(tmp_path: Path, new_home: Path) -> Settings:
    shutil.copytree(new_home, tmp_path / "data" / ".dagster")
    return settings_of(tmp_path / "data", video_folders=(tmp_path / "videos",))


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with open_instance(settings.dagster_home) as instance:
        yield instance


@pytest.fixture
def queue(settings: Settings, instance: dg.DagsterInstance) -> Queue:
    return Queue(instance, Stores.open(settings.data_root))


@pytest.fixture
def client(settings: Settings, queue: Queue) -> Iterator[TestClient]:
    with TestClient(create_app(settings, queue), base_url="http://localhost") as client:
        yield client


def test_a_reply_names_the_job_and_its_run(client: TestClient, queue: Queue) -> None:
    body = {
        "ep_id": EP_ID, "device": "auto", "stride": 1, "det_thresh": 0.65, "cluster_thresh": 0.75,
        "save_crops": True, "save_frames": False, "reuse_detections": False,
        "reuse_embeddings": False, "profile": "balanced",
    }  # fmt: skip
    answer = client.post("/jobs/episode-run", json=body)

    job_id = queue.works[0].job_id
    assert answer.status_code == 202
    assert answer.json() == {"job_id": job_id, "status": "running", "run_id": "minted"}
    assert queue.works[0].config.stride == 1
    assert queue.works[0].config.min_stride == 2, "what is not given is the profile's"


def test_a_job_that_waits_is_running_and_says_that_it_waits(
    client: TestClient, instance: dg.DagsterInstance
) -> None:
    job_id = add_run(instance)

    assert client.get(f"/jobs/{job_id}").json() == {
        "job_id": job_id, "job_type": "episode_run", "ep_id": EP_ID, "state": "running",
        "queued": True, "run_id": "r1", "started_at": None, "ended_at": None,
        "summary": None, "error": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("assets", "job_type"),
    [
        (("shots", "detections", "tracks"), "detect_track"),
        (("identities", "cast"), "cluster"),
        (("screen_time",), "screentime"),
        (("track_fusion",), "body_tracking_fusion"),
        (("cast", "screen_time"), "episode_run"),
    ],
)
def test_a_job_of_one_stage_is_called_after_it(
    client: TestClient, instance: dg.DagsterInstance, assets: tuple[str, ...], job_type: str
) -> None:
    job_id = add_run(instance, assets=assets)

    assert client.get(f"/jobs/{job_id}").json()["job_type"] == job_type


def test_a_stage_is_started_by_any_of_its_names(client: TestClient, queue: Queue) -> None:
    for name in ("detect_track", "detect", "pdf_export"):
        assert client.post(f"/jobs/{name}", json={"ep_id": EP_ID}).status_code == 202

    assert [work.stages for work in queue.works] == [("detect",), ("detect",), ("pdf",)]


def test_a_canceled_job_has_failed_with_that_word(
    client: TestClient, instance: dg.DagsterInstance
) -> None:
    job_id = add_run(instance)
    assert client.get(f"/jobs/{job_id}").json()["state"] == "running"

    first, second = (client.post(f"/jobs/{job_id}/cancel") for _ in range(2))
    ended = poll(client, job_id)
    third = client.post(f"/jobs/{job_id}/cancel")

    assert [answer.status_code for answer in (first, second, third)] == [202, 202, 202]
    assert (ended["state"], ended["error"]) == ("failed", "canceled")
    assert ended["ended_at"] is not None
    assert third.json() == ended


def poll(client: TestClient, job_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60.0
    while True:
        view: dict[str, Any] = client.get(f"/jobs/{job_id}").json()
        if view["state"] != "running":
            return view
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_job_that_has_ended_is_not_canceled(
    client: TestClient, instance: dg.DagsterInstance
) -> None:
    job_id = add_run(instance)
    run = instance.get_run_by_id(job_id)
    assert run is not None
    instance.report_run_failed(run, "the disk is full")

    refused = client.post(f"/jobs/{job_id}/cancel")

    assert (refused.status_code, refused.json()["code"]) == (409, "job_ended")
    view = client.get(f"/jobs/{job_id}").json()
    assert (view["state"], view["error"]) == ("failed", "the disk is full")


def test_a_run_that_the_queue_revives_is_canceled_again(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    stores = Stores.open(settings.data_root)
    starting = dg.DagsterRunStatus.STARTING
    revived = add_run(instance, status=starting, **{CANCELED_TAG: "0.0"})
    other = add_run(instance, status=starting, run_id="r2")

    Following(instance, stores, JobViews(instance, stores)).look()

    canceled = [r.run_id for r in instance.get_runs(status(dg.DagsterRunStatus.CANCELED))]
    assert canceled == [revived]
    assert [r.run_id for r in instance.get_runs(status(starting))] == [other]


def test_what_waits_is_canceled_once_nobody_can_have_taken_it(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    stores = Stores.open(settings.data_root)
    following = Following(instance, stores, JobViews(instance, stores))
    job_id = add_run(instance)

    cancel_run(instance, stores, job_id)
    instance.add_run_tags(job_id, {CANCELED_TAG: str(time.time() + 1000.0)})
    following.look()
    at_once = instance.get_runs(status(dg.DagsterRunStatus.CANCELING))
    instance.add_run_tags(job_id, {CANCELED_TAG: "0.0"})
    following.look()
    later = instance.get_runs(status(dg.DagsterRunStatus.CANCELED))

    assert [run.run_id for run in at_once] == [run.run_id for run in later] == [job_id]


@pytest.mark.parametrize("tags", [{CANCELED_TAG: "100.0"}, {}], ids=["here", "in Dagster's UI"])
def test_a_canceled_run_that_goes_on_is_interrupted_again_now_and_then(
    settings: Settings, instance: dg.DagsterInstance, tags: dict[str, str]
) -> None:
    stores, here = Stores.open(settings.data_root), process_tag(ProcessIdentity.current())
    canceled = begun_run(instance, "r1", **here, **tags)
    begun_run(instance, "r2", **here)
    instance.report_run_canceling(canceled)
    times_s, told_s = [100.0], []
    following = Following(instance, stores, JobViews(instance, stores), clock=lambda: times_s[-1])

    before = signal.signal(signal.SIGINT, lambda *_: told_s.append(times_s[-1]))
    try:
        for now_s in (100.0, 109.0, 111.0, 120.0, 122.0):
            times_s.append(now_s)
            following.look()
    finally:
        signal.signal(signal.SIGINT, before)

    assert told_s == [111.0, 122.0]


def begun_run(instance: dg.DagsterInstance, run_id: str, **tags: str) -> dg.DagsterRun:
    """Add a run that a process works on."""
    job_id = add_run(instance, status=dg.DagsterRunStatus.STARTING, run_id=run_id, **tags)
    start = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, "episode")
    instance.report_dagster_event(start, job_id)
    run = instance.get_run_by_id(job_id)
    assert run is not None
    return run


def test_what_a_killed_server_created_is_queued_by_the_next(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    stores = Stores.open(settings.data_root)
    created = add_run(instance, status=dg.DagsterRunStatus.NOT_STARTED)

    with Following(instance, stores, JobViews(instance, stores)):
        pass

    assert [run.run_id for run in instance.get_runs(status(QUEUED))] == [created]


def status(wanted: dg.DagsterRunStatus) -> dg.RunsFilter:
    return dg.RunsFilter(statuses=[wanted])


def test_what_was_asked_for_lately_is_kept_current(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    now_s = 100.0
    views = JobViews(instance, Stores.open(settings.data_root), clock=lambda: now_s)
    job_id = add_run(instance)
    views.load(job_id)
    run = instance.get_run_by_id(job_id)
    assert run is not None
    instance.report_run_canceled(run)

    before = views.fresh(job_id)
    views.refresh()
    after = views.fresh(job_id)

    assert before is not None
    assert after is not None
    assert b'"running"' in before
    assert b'"canceled"' in after


def test_a_job_whose_run_was_removed_has_succeeded_without_a_summary(
    client: TestClient, instance: dg.DagsterInstance
) -> None:
    job_id = add_run(instance, status=dg.DagsterRunStatus.SUCCESS, run_id="gone")

    view = client.get(f"/jobs/{job_id}").json()

    assert (view["state"], view["summary"], view["error"]) == ("succeeded", None, None)


def test_a_job_that_cannot_be_read_stops_no_other(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    views = JobViews(instance, Stores.open(settings.data_root), clock=lambda: 100.0)
    bad, good = (add_run(instance, run_id=run_id) for run_id in ("bad", "good"))
    for job_id in (bad, good):
        views.load(job_id)
    instance.delete_run(bad)
    run = instance.get_run_by_id(good)
    assert run is not None
    instance.report_run_canceled(run)

    views.refresh()

    after = views.fresh(good)
    assert after is not None
    assert b'"canceled"' in after
    assert views.fresh(bad) is None


def test_a_job_that_failed_before_it_could_be_canceled_says_why(
    client: TestClient, instance: dg.DagsterInstance
) -> None:
    job_id = add_run(instance, **{CANCELED_TAG: "0.0"})
    run = instance.get_run_by_id(job_id)
    assert run is not None
    instance.report_run_failed(run, "the disk is full")

    view = client.get(f"/jobs/{job_id}").json()

    assert (view["state"], view["error"]) == ("failed", "the disk is full")


def test_what_nobody_looked_after_is_read_again(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    times_s = [100.0]
    views = JobViews(instance, Stores.open(settings.data_root), clock=lambda: times_s[0])
    job_id = add_run(instance)
    views.load(job_id)
    times_s[0] = 200.0

    assert views.fresh(job_id) is None


def test_a_request_that_is_repeated_gives_the_same_job(client: TestClient, queue: Queue) -> None:
    headers, body = {"Idempotency-Key": "monday"}, {"ep_id": EP_ID, "stride": 4}
    first, again = (client.post("/jobs/episode-run", json=body, headers=headers) for _ in range(2))
    other = client.post("/jobs/episode-run", json=body, headers={"Idempotency-Key": "tuesday"})

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json() != other.json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(queue.works) == 2


@pytest.mark.parametrize(
    ("path", "body"),
    [("/jobs/episode-run", {"ep_id": EP_ID, "stride": 5}), ("/jobs/cluster", {"ep_id": EP_ID})],
    ids=["other settings", "other job"],
)
def test_a_key_is_good_for_one_request(
    client: TestClient, queue: Queue, path: str, body: dict[str, Any]
) -> None:
    headers = {"Idempotency-Key": "monday"}
    client.post("/jobs/episode-run", json={"ep_id": EP_ID}, headers=headers)

    refused = client.post(path, json=body, headers=headers)

    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert len(queue.works) == 1


def deep(levels: int) -> list[Any]:
    return [deep(levels - 1)] if levels else []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param({"strid": 4}, "Did you mean 'stride'?", id="misspelt setting"),
        pytest.param({"vido_path": "x"}, "Did you mean 'video_path'?", id="misspelt key"),
        pytest.param({"stride": 0}, "stride", id="out of range"),
        pytest.param({"stride": deep(300)}, "stride", id="nested deeper than can be written"),
        pytest.param({"strid": deep(300)}, "'stride'?", id="misspelt and nested"),
        pytest.param({"profile": "fast"}, "not valid", id="no such profile"),
        pytest.param({"video_path": "/etc/passwd"}, "allowed folder", id="a file of the system"),
        pytest.param({"video_path": "videos/a.mp4"}, "allowed folder", id="a relative path"),
        pytest.param({"video_path": "/a\0b"}, "allowed folder", id="no path"),
        pytest.param({"models": "/etc"}, "is no installed pack", id="models of the system"),
        pytest.param({"models": "/nowhere"}, "is no installed pack", id="models nowhere"),
        pytest.param({"models": ".."}, "is no installed pack", id="models in the folder above"),
        pytest.param({"models": "tests"}, "is no installed pack", id="models beside the server"),
        pytest.param({"models": "a" * 5000}, "is no installed pack", id="models of no name"),
    ],
)
def test_a_request_is_refused_with_what_is_wrong(
    client: TestClient, queue: Queue, body: dict[str, Any], said: str
) -> None:
    refused = client.post("/jobs/episode-run", json={"ep_id": EP_ID, **body})

    assert refused.status_code == 422
    assert said in refused.json()["detail"]
    assert refused.headers["content-type"] == "application/problem+json"
    assert queue.works == []


def test_a_link_out_of_an_allowed_folder_leads_nowhere(
    client: TestClient, queue: Queue, tmp_path: Path
) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / "inside.mp4").touch()
    (tmp_path / "outside.mp4").touch()
    (folder / "link.mp4").symlink_to(tmp_path / "outside.mp4")

    def post(name: str) -> int:
        body = {"ep_id": EP_ID, "video_path": str(folder / name)}
        return client.post("/jobs/episode-run", json=body).status_code

    assert (post("inside.mp4"), post("link.mp4")) == (202, 422)
    assert [work.video_path for work in queue.works] == [folder / "inside.mp4"]


def test_a_link_within_an_allowed_folder_is_not_followed_once_more(
    client: TestClient, queue: Queue, tmp_path: Path
) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / "inside.mp4").touch()
    (folder / "link.mp4").symlink_to("inside.mp4")

    client.post("/jobs/episode-run", json={"ep_id": EP_ID, "video_path": str(folder / "link.mp4")})

    assert [work.video_path for work in queue.works] == [folder / "inside.mp4"]


def test_models_are_packs_and_folders_where_models_may_lie(
    client: TestClient, queue: Queue, tmp_path: Path
) -> None:
    (tmp_path / "data" / "models" / "ours").mkdir(parents=True)
    (tmp_path / "data" / "models" / "ours" / "pack.json").touch()
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "link").symlink_to("/etc")
    given = ["auto", "lite", "ours", str(tmp_path / "videos")]

    def post(models: str) -> int:
        return client.post("/jobs/cluster", json={"ep_id": EP_ID, "models": models}).status_code

    assert [post(models) for models in given] == [202] * 4
    assert [work.config.models for work in queue.works] == given
    assert post(str(tmp_path / "videos" / "link")) == 422


def test_jobs_are_listed_newest_first_and_page_by_page(
    client: TestClient, instance: dg.DagsterInstance
) -> None:
    ids = [add_run(instance, run_id=f"r{n}") for n in range(3)]
    foreign = str(uuid.uuid4())
    instance.add_run(dg.DagsterRun("season", foreign, tags={PARTITION_TAG: "rhobh-s05"}))
    client.post(f"/jobs/{ids[0]}/cancel")
    poll(client, ids[0])

    first = client.get("/jobs", params={"limit": 2}).json()
    rest = client.get("/jobs", params={"limit": 2, "after": first["next"]}).json()
    failed = client.get("/jobs", params={"state": "failed", "ep_id": EP_ID}).json()

    assert [job["job_id"] for job in first["jobs"] + rest["jobs"]] == ids[::-1]
    assert rest["next"] is None
    assert [job["job_id"] for job in failed["jobs"]] == [ids[0]]
    assert client.get(f"/jobs/{foreign}").status_code == 404


@pytest.mark.parametrize("job_id", ["nothing", "..%2F..", "%00", "a" * 300])
def test_a_job_that_does_not_exist_is_not_found(client: TestClient, job_id: str) -> None:
    answers = [client.get(f"/jobs/{job_id}"), client.post(f"/jobs/{job_id}/cancel")]

    assert [answer.status_code for answer in answers] == [404, 404]


def test_health_is_that_of_the_daemon(client: TestClient, instance: dg.DagsterInstance) -> None:
    missing = client.get("/health")
    beat(instance, age_s=91.0)
    gone = client.get("/health")
    beat(instance)

    assert (missing.status_code, missing.json()["code"]) == (503, "daemon_missing")
    assert gone.json() == missing.json()
    assert client.get("/health").json() == {"status": "ok"}
    assert instance.root_directory not in missing.text


def beat(instance: dg.DagsterInstance, age_s: float = 0.0) -> None:
    for daemon in ("SENSOR", "QUEUED_RUN_COORDINATOR"):
        instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - age_s, daemon, None, []))


ALIVE = Pid.of(os.getpid())
DEAD = replace(ALIVE, started_s=ALIVE.started_s - 100.0)


@pytest.mark.parametrize(
    ("supervisor", "children", "has_server", "status"),
    [
        pytest.param(ALIVE, {"daemon": ALIVE}, True, 200, id="it works"),
        pytest.param(ALIVE, {"daemon": DEAD}, True, 503, id="it has gone"),
        pytest.param(ALIVE, {"code_server": ALIVE}, True, 503, id="not started yet"),
        pytest.param(DEAD, {"daemon": DEAD}, True, 503, id="gone with its supervisor"),
        pytest.param(DEAD, {"daemon": ALIVE}, True, 200, id="its supervisor has gone"),
        pytest.param(DEAD, {"daemon": DEAD}, False, 200, id="another's works on the queue"),
    ],
)
def test_health_knows_at_once_that_the_supervisors_daemon_has_gone(
    client: TestClient,
    instance: dg.DagsterInstance,
    supervisor: Pid,
    children: dict[str, Pid],
    has_server: bool,
    status: int,
) -> None:
    beat(instance)
    place = Place(Path(instance.root_directory))
    place.write_record(Record(supervisor, "data", "socket", children))
    if has_server:
        place.write_client(Client("api", ALIVE, "http://localhost"))

    assert client.get("/health").status_code == status
