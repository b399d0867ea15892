"""Who is who over HTTP: read, decided at once, carried out by a job."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from screenalytics_assets.api import cast, deciding, faces, identities
from screenalytics_assets.api.contents import Contents
from screenalytics_assets.api.faces import face_pictures
from screenalytics_assets.deciding import STAGES
from screenalytics_assets.stores import Stores as OpenStores
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.errors import DaemonMissingError
from screenalytics_core.run_record import RunKey
from screenalytics_core.vision.models import packs
from tests.api_reading import KeptLauncher, client_of, seen_run
from tests.stores import EP, Stores

VERBS = f"/episodes/{EP}/identities"
RUN = f"/runs/{EP}/first"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with a run that can be decided about."""
    root = tmp_path_factory.mktemp("made")
    seen_run(Stores(root), "first")
    return root


@pytest.fixture
def stores(made: Path, tmp_path: Path) -> Stores:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return Stores(tmp_path)


@pytest.fixture
def launcher() -> KeptLauncher:
    return KeptLauncher()


@pytest.fixture
def client(stores: Stores, launcher: KeptLauncher) -> Iterator[TestClient]:
    routers = [identities.router, deciding.router, cast.router, faces.router]
    with client_of(stores.root, routers, launcher) as client:
        yield client


def decided(client: TestClient, verb: str, **body: Any) -> dict[str, Any]:
    answer = client.post(f"{VERBS}/{verb}", json=body)
    assert answer.status_code == 201, answer.text
    said: dict[str, Any] = answer.json()
    return said


def decisions(client: TestClient) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(f"/episodes/{EP}/decisions").json()["decisions"]
    return rows


def test_people_are_told_with_their_tracks_and_a_picture(client: TestClient) -> None:
    said = client.get(f"{RUN}/identities").json()

    assert [p["person_id"] for p in said["people"]] == ["id_0001", "id_0002", "id_0003"]
    assert said["tracks_of_nobody"] == []
    for person in said["people"]:
        picture = client.get(person["picture"])
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")


def test_the_tracks_of_a_person_are_told_in_the_order_of_time(client: TestClient) -> None:
    people = client.get(f"{RUN}/identities").json()["people"]
    rows = client.get(f"{RUN}/tracks", params={"person": "id_0002"}).json()["tracks"]
    every = client.get(f"{RUN}/tracks").json()["tracks"]

    assert [r["track_id"] for r in rows] == people[1]["tracks"]
    assert [r["start_s"] for r in rows] == sorted(r["start_s"] for r in rows)
    assert sorted(r["track_id"] for r in every) == sorted(t for p in people for t in p["tracks"])
    assert all(client.get(r["picture"]).status_code == 200 for r in every)
    assert client.get(f"{RUN}/tracks", params={"person": "nobody"}).status_code == 422


def test_a_face_is_its_own_entry_of_the_archive(client: TestClient, stores: Stores) -> None:
    table = OpenStores.open(stores.root).require(EP, "first", ArtifactKind.FACES).read()
    with zipfile.ZipFile(stores.file("first", "crops.zip")) as archive:
        for row in table.to_pylist():
            answer = client.get(f"{RUN}/faces/{row['face_id']}.jpg")
            assert answer.content == archive.read(row["crop"])
            assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_track_is_shown_by_its_best_face(client: TestClient, stores: Stores) -> None:
    table = OpenStores.open(stores.root).require(EP, "first", ArtifactKind.FACES).read()
    quality = [row["face_id"] % 3 / 4 for row in table.to_pylist()]
    changed = table.set_column(
        table.column_names.index("quality"),
        table.field("quality"),
        pa.array(quality, table.field("quality").type),
    )
    crops = stores.file("first", "crops.zip").read_bytes()
    parts = {"faces": changed, "crops": BytesIO(crops)}
    stores.publish("first", ArtifactKind.FACES, parts)
    best = {}
    for row in sorted(changed.to_pylist(), key=lambda r: (-r["quality"], r["face_id"])):
        best.setdefault(row["track_id"], row["face_id"])

    shown = face_pictures(OpenStores.open(stores.root), Contents(), RunKey(EP, "first"))

    assert shown.best == best


def test_a_picture_that_is_known_is_not_sent_again(client: TestClient) -> None:
    etag = client.get(f"{RUN}/faces/0.jpg").headers["etag"]

    assert client.get(f"{RUN}/faces/0.jpg", headers={"if-none-match": etag}).status_code == 304


@pytest.mark.parametrize(
    ("face", "status"), [("999999", 404), ("-1", 422), ("x", 422), ("9" * 40, 422), ("0.png", 404)]
)
def test_a_face_that_is_not_there_is_a_problem(client: TestClient, face: str, status: int) -> None:
    path = face if "." in face else f"{face}.jpg"
    assert client.get(f"{RUN}/faces/{path}").status_code == status


def test_a_cast_is_the_runs_document(client: TestClient, stores: Stores) -> None:
    held = OpenStores.open(stores.root).require(EP, "first", ArtifactKind.CAST).read()

    assert client.get(f"{RUN}/cast").json() == held


def test_a_show_without_a_gallery_knows_nobody(client: TestClient, stores: Stores) -> None:
    assert client.get("/shows/RHOBH/cast").json() == {"show": "rhobh", "members": []}

    gallery = OpenStores.open(stores.root).gallery
    gallery.add_member("rhobh", "anna", "Anna", by="me", at="2026-01-01T00:00:00+00:00")

    known = client.get("/shows/rhobh/cast").json()["members"]
    assert known == [{"cast_id": "anna", "label": "Anna", "faces": 0}]
    assert client.get("/shows/r_h/cast").status_code == 422


def test_a_decision_is_recorded_and_its_job_takes_the_rest_over(
    client: TestClient, launcher: KeptLauncher
) -> None:
    said = decided(client, "label", person="id_0001", name="Zoë", enrol=False)

    [row] = decisions(client)
    assert said["decision"] == row
    assert (row["verb"], row["label"], row["cast_id"]) == ("label", "Zoë", "zoe")
    assert (row["by"], row["via"], row["run_id"]) == ("api", "api", "first")
    assert (said["looked_at"], said["job"]) == ("first", {"job_id": "job-1", "run_id": "run-1"})
    [work] = launcher.submitted
    assert (work.ep_id, work.stages, work.launch.upstream_run_id) == (EP, STAGES, "first")


def test_naming_somebody_installs_no_models(
    client: TestClient, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Broken, it would fetch for minutes.
    monkeypatch.setattr(packs, "install_lite", lambda *_: pytest.fail("installs in a request"))
    body = {"person": "id_0001", "name": "Zoë"}

    answer = client.post(f"{VERBS}/label", json=body)

    assert (answer.status_code, answer.json()["code"]) == (503, "model_install_failed")
    assert "screenalytics models install lite" in answer.json()["detail"]
    assert decisions(client) == []
    assert not (stores.root / "models").exists()
    assert decided(client, "label", **body, enrol=False)["enrolled"] is None


def test_who_decides_is_what_the_request_says(client: TestClient) -> None:
    body = {"person": "id_0001", "apply": False}
    named = {"X-Screenalytics-By": "Zoë@desk".encode()}

    said = client.post(f"{VERBS}/lock", json=body, headers=named).json()  # type: ignore[arg-type]
    wrong = client.post(f"{VERBS}/lock", json=body, headers={"X-Screenalytics-By": "a" * 101})

    assert said["decision"]["by"] == "Zoë@desk"
    assert (wrong.status_code, len(decisions(client))) == (422, 1)


def test_what_is_only_recorded_is_carried_out_when_it_is_asked_for(
    client: TestClient, launcher: KeptLauncher
) -> None:
    said = decided(client, "lock", person="id_0001", apply=False)
    assert (said["job"], said["problem"], launcher.submitted) == (None, None, [])

    answer = client.post(f"{VERBS}/apply", json={})

    assert (answer.status_code, answer.json()["job"]["job_id"]) == (202, "job-1")
    assert len(launcher.submitted) == 1


def test_a_decision_stands_though_its_job_is_refused(
    client: TestClient, launcher: KeptLauncher
) -> None:
    launcher.error = DaemonMissingError(thing="daemon", reason="is not there")

    said = decided(client, "lock", person="id_0001")

    assert (said["job"], said["problem"]["code"]) == (None, "daemon_missing")
    assert [d["verb"] for d in decisions(client)] == ["lock"]
    assert client.post(f"{VERBS}/apply", json={}).status_code == 503


def test_each_verb_says_what_it_is_about(client: TestClient) -> None:
    tracks = {p["person_id"]: p["tracks"] for p in client.get(f"{RUN}/identities").json()["people"]}
    one, two, three = tracks.values()

    decided(client, "merge", person="id_0001", other="id_0002")
    decided(client, "split", person="id_0003", track_ids=three[:1])
    decided(client, "move-track", track_id=one[0], to="id_0003")
    decided(client, "move-track", track_id=one[1], nobody=True)
    decided(client, "lock", person="id_0002")
    decided(client, "label", person="id_0002", nobody=True)
    decided(client, "undo", sequence=1)

    rows = decisions(client)
    assert [(r["verb"], r["tracks"], r["others"]) for r in rows] == [
        ("merge", one, two),
        ("split", three[:1], three[1:]),
        ("move_track", one[:1], three),
        ("move_track", one[1:], []),
        ("lock", two, []),
        ("label", two, []),
        ("undo", [], []),
    ]
    assert [r["holds"] for r in rows] == [False, True, True, True, True, True, True]
    assert rows[-1]["undoes"] == 1


def test_two_who_are_seen_at_once_are_merged_with_a_note(client: TestClient) -> None:
    said = decided(client, "merge", person="id_0001", other="id_0002")

    assert "at the same time" in said["notes"][0]


@pytest.mark.parametrize(
    ("verb", "body", "code"),
    [
        ("label", {"person": "id_0009", "name": "Anna"}, "decision_invalid"),
        ("label", {"person": "id_0001", "name": "\t"}, "invalid_id"),
        ("label", {"person": "id_0001"}, "request_invalid"),
        ("label", {"person": "id_0001", "name": "A", "nobody": True}, "request_invalid"),
        ("label", {"person": "id_0001", "nmae": "A"}, "request_invalid"),
        ("merge", {"person": "id_0001", "other": "id_0001"}, "decision_invalid"),
        ("split", {"person": "id_0001", "track_ids": [99]}, "decision_invalid"),
        ("split", {"person": "id_0001", "track_ids": []}, "request_invalid"),
        ("split", {"person": "id_0001", "track_ids": [2**70]}, "request_invalid"),
        ("move-track", {"track_id": 0}, "request_invalid"),
        ("move-track", {"track_id": 99, "nobody": True}, "decision_invalid"),
        ("move-track", {"track_id": 0, "to": "who"}, "decision_invalid"),
        ("undo", {}, "request_invalid"),
        ("undo", {"sequence": 5}, "decision_invalid"),
        ("lock", {"person": "id_0001", "run_id": "other"}, "run_not_found"),
        ("lock", {"person": "id_0001", "run_id": "show-s01e01/first"}, "invalid_id"),
        ("lock", {"person": "id_0001", "run_id": "../first"}, "invalid_id"),
        ("destroy", {"person": "id_0001"}, None),
    ],
)
def test_what_cannot_be_decided_is_refused_and_not_recorded(
    client: TestClient, launcher: KeptLauncher, verb: str, body: dict[str, Any], code: str | None
) -> None:
    answer = client.post(f"{VERBS}/{verb}", json=body)

    assert answer.status_code in {404, 422}
    assert answer.json().get("code") == code
    assert (decisions(client), launcher.submitted) == ([], [])


def test_an_episode_without_a_run_has_nobody_to_decide_about(client: TestClient) -> None:
    path = "/episodes/show-s01e01/identities/lock"

    assert client.post(path, json={"person": "id_0001"}).status_code == 404
