"""A decision that is asked for twice with one key is made once, whatever comes between."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from screenalytics_assets.api.app import create_app
from screenalytics_assets.api.launching import Queued, Work
from screenalytics_assets.instance import open_instance, prepare_dagster_home
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores as OpenStores
from screenalytics_assets.tags import UPSTREAM_RUN_ID_TAG
from screenalytics_core.errors import DaemonMissingError
from tests.api_reading import seen_run, settings_of
from tests.stores import EP, Stores
from tests.unit.api.test_jobs import Queue, add_run

LOCK = {"person": "id_0001"}


class Refusing(Queue):
    """It takes no job at first; those that it takes say what they are made from."""

    is_down = False

    def submit(self, work: Work) -> Queued:
        if self.is_down:
            raise DaemonMissingError(thing="daemon", reason="is not there")
        self.works.append(work)
        upstream = {UPSTREAM_RUN_ID_TAG: str(work.launch.upstream_run_id)}
        add_run(self.instance, work.job_id, run_id="minted", digest=work.digest, **upstream)
        return Queued(work.job_id, work.ep_id, "minted")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with a run that can be decided about, and its DAGSTER_HOME."""
    root = tmp_path_factory.mktemp("made") / "data"
    root.mkdir()
    seen_run(Stores(root), "first")
    prepare_dagster_home(root / ".dagster")
    return root


@pytest.fixture
def settings(made: Path, tmp_path: Path) -> Settings:
    shutil.copytree(made, tmp_path / "data")
    return settings_of(tmp_path / "data")


@contextmanager
def server(settings: Settings) -> Iterator[tuple[TestClient, Refusing]]:
    """A server over what is on disk; the next one knows nothing else."""
    with open_instance(settings.dagster_home) as instance:
        queue = Refusing(instance, OpenStores.open(settings.data_root))
        with TestClient(create_app(settings, queue), base_url="http://localhost") as client:
            yield client, queue


def post(client: TestClient, verb: str, body: dict[str, Any], key: str, **headers: str) -> Any:
    path = f"/episodes/{EP}/identities/{verb}"
    return client.post(path, json=body, headers={"Idempotency-Key": key, **headers})


def lines(settings: Settings) -> list[dict[str, Any]]:
    text = (settings.data_root / "manifests" / EP / "decisions.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def same(first: httpx.Response, again: httpx.Response) -> bool:
    one, other = first.json(), again.json()
    assert first.status_code == again.status_code
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    return all(one.get(name) == other.get(name) for name in ("decision", "job", "looked_at"))


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("label", {"person": "id_0001", "name": "Ann", "enrol": False}),
        ("merge", {"person": "id_0001", "other": "id_0002"}),
        ("split", {"person": "id_0001", "track_ids": [0]}),
        ("move-track", {"track_id": 0, "nobody": True}),
        ("lock", LOCK),
    ],
)
def test_a_decision_that_is_repeated_after_a_restart_is_the_same(
    settings: Settings, verb: str, body: dict[str, Any]
) -> None:
    with server(settings) as (client, queue):
        first = post(client, verb, body, "k")
        assert len(queue.works) == 1
    with server(settings) as (client, queue):
        again = post(client, verb, body, "k")
        assert queue.works == []

    assert first.status_code == 201, first.text
    assert same(first, again)
    assert len(lines(settings)) == 1


def test_an_undo_and_an_apply_are_repeated_too(settings: Settings) -> None:
    with server(settings) as (client, queue):
        post(client, "lock", LOCK, "lock")
        undone, undone_again = (post(client, "undo", {"sequence": 1}, "undo") for _ in range(2))
        applied, applied_again = (post(client, "apply", {}, "apply") for _ in range(2))

    assert same(undone, undone_again)
    assert same(applied, applied_again)
    assert applied.json()["looked_at"] == "first"
    assert [line["verb"] for line in lines(settings)] == ["lock", "undo"]
    assert len(queue.works) == 3


def test_of_racing_requests_one_decides(settings: Settings) -> None:
    with server(settings) as (client, queue), ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: post(client, "lock", LOCK, "k"), range(4)))

    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({json.dumps([a.json()["decision"], a.json()["job"]]) for a in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 3
    assert (len(lines(settings)), len(queue.works)) == (1, 1)


def at_once(settings: Settings, asked: list[tuple[str, dict[str, Any]]]) -> list[int]:
    """Send requests of different keys at the same time; return their statuses, ascending."""
    with server(settings) as (client, _), ThreadPoolExecutor(len(asked)) as pool:
        answers = pool.map(
            lambda n: post(client, asked[n][0], {**asked[n][1], "apply": False}, f"k{n}"),
            range(len(asked)),
        )
        return sorted(answer.status_code for answer in answers)


def test_people_named_at_once_get_ids_of_their_own_unless_their_names_are_one(
    settings: Settings,
) -> None:
    names = ("Zoe Slug", "Zoe-Slug", "zoe  slug", "Zoe.Slug", "Ann")
    asked = [("label", {"person": "id_0001", "name": n, "enrol": False}) for n in names]

    assert at_once(settings, asked) == [201] * 5

    decided = lines(settings)
    of = {line["label"].casefold().replace("  ", " "): line["cast_id"] for line in decided}
    assert len(set(of.values())) == len(of) == 4
    assert [line["at"] for line in decided] == sorted(line["at"] for line in decided)


def test_of_undoings_at_once_one_holds(settings: Settings) -> None:
    with server(settings) as (client, _):
        post(client, "lock", {**LOCK, "apply": False}, "lock")

    assert at_once(settings, [("undo", {"sequence": 1})] * 4) == [201, 422, 422, 422]
    assert [line["verb"] for line in lines(settings)] == ["lock", "undo"]


@pytest.mark.parametrize(
    ("verb", "body", "headers"),
    [
        ("lock", {"person": "id_0002"}, {}),
        ("label", {**LOCK, "nobody": True}, {}),
        ("lock", LOCK, {"X-Screenalytics-By": "bob"}),
        ("apply", {}, {}),
    ],
    ids=["other body", "other verb", "other caller", "apply"],
)
@pytest.mark.parametrize("applies", [True, False])
def test_a_key_is_good_for_one_decision(
    settings: Settings, verb: str, body: dict[str, Any], headers: dict[str, str], applies: bool
) -> None:
    with server(settings) as (client, queue):
        post(client, "lock", {**LOCK, "apply": applies}, "k")
        if verb != "apply":
            body = {**body, "apply": applies}
        refused = post(client, verb, body, "k", **headers)

    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert (len(lines(settings)), len(queue.works)) == (1, int(applies))


def test_a_key_of_an_apply_is_not_good_for_a_decision(settings: Settings) -> None:
    with server(settings) as (client, _):
        post(client, "apply", {}, "k")
        refused = post(client, "lock", LOCK, "k")

    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert not (settings.data_root / "manifests" / EP / "decisions.jsonl").exists()


def test_a_decision_whose_job_was_refused_gets_it_when_it_is_repeated(settings: Settings) -> None:
    with server(settings) as (client, queue):
        queue.is_down = True
        first = post(client, "lock", LOCK, "k")
        queue.is_down = False
        again = post(client, "lock", LOCK, "k")

    assert (first.json()["job"], first.json()["problem"]["code"]) == (None, "daemon_missing")
    assert (again.json()["job"]["job_id"], again.json()["problem"]) == (queue.works[0].job_id, None)
    assert again.json()["decision"] == first.json()["decision"]
    assert len(lines(settings)) == 1


def test_decisions_without_a_key_stand_as_they_always_did(settings: Settings) -> None:
    with server(settings) as (client, _):
        for _ in range(2):
            client.post(f"/episodes/{EP}/identities/lock", json={**LOCK, "apply": False})
        keyed = post(client, "lock", {**LOCK, "apply": False}, "k")

    assert ["request" in line for line in lines(settings)] == [False, False, True]
    assert keyed.json()["decision"]["sequence"] == 3
    assert "k" not in lines(settings)[-1]["request"].split("/")
