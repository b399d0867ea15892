"""A video comes into the service: all of it or nothing, and from nowhere that is not allowed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from starlette.types import Message

from screenalytics_assets.api import episodes, uploads
from screenalytics_core.episode_registry import recorded_video
from screenalytics_core.storage.local import LocalStorage
from tests.api_reading import client_of
from tests.videos import make_not_a_video, make_video, solid

EP = "rhobh-s05e14"
VIDEO = f"/episodes/{EP}/video"
LIMIT = 200_000


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two small videos."""
    folder = tmp_path_factory.mktemp("films")
    make_video(folder / "red.mp4", [solid((0, 0, 255))] * 5)
    make_video(folder / "blue.mp4", [solid((255, 0, 0))] * 5)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def client(root: Path, films: Path) -> Iterator[TestClient]:
    routers = [uploads.router, episodes.router]
    with client_of(root, routers, video_folders=(films,), upload_limit_bytes=LIMIT) as client:
        yield client


def left(root: Path) -> list[str]:
    """Return every file that lies in the data root, but for locks and cached hashes."""
    files = (p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
    return sorted(f for f in files if not f.endswith(".lock") and "_hashes" not in f)


WHOLE = [f"videos/{EP}/episode.mp4", f"videos/{EP}/video.json"]


def test_a_video_that_is_sent_is_the_episodes(client: TestClient, root: Path, films: Path) -> None:
    content = (films / "red.mp4").read_bytes()

    answer = client.put(VIDEO, params={"filename": "S05E14.mp4"}, content=content)

    said = answer.json()
    assert answer.status_code == 201
    assert said["sha256"] == hashlib.sha256(content).hexdigest()
    assert (said["source"], said["width_px"], said["codec"]) == ("S05E14.mp4", 160, "h264")
    assert (root / WHOLE[0]).read_bytes() == content
    assert left(root) == WHOLE
    [listed] = client.get("/episodes").json()["episodes"]
    assert (listed["ep_id"], listed["video"]) == (EP, "ok")
    instance = client.app.state.service.instance  # type: ignore[attr-defined]
    assert instance.get_dynamic_partitions("ep_id") == [EP]


def test_the_same_video_again_changes_nothing(client: TestClient, root: Path, films: Path) -> None:
    content = (films / "red.mp4").read_bytes()
    client.put(VIDEO, content=content)
    before = (root / WHOLE[1]).stat().st_mtime_ns

    answer = client.put(VIDEO, content=content)

    assert (answer.status_code, left(root)) == (200, WHOLE)
    assert (root / WHOLE[1]).stat().st_mtime_ns == before


def test_another_video_takes_its_place_only_if_it_may(
    client: TestClient, root: Path, films: Path
) -> None:
    red, blue = ((films / f"{name}.mp4").read_bytes() for name in ("red", "blue"))
    client.put(VIDEO, content=red)

    refused = client.put(VIDEO, content=blue)
    assert (refused.status_code, refused.json()["code"]) == (409, "episode_video_conflict")
    assert ((root / WHOLE[0]).read_bytes(), left(root)) == (red, WHOLE)

    replaced = client.put(VIDEO, params={"replace": True}, content=blue)
    assert replaced.status_code == 201
    assert ((root / WHOLE[0]).read_bytes(), left(root)) == (blue, WHOLE)


def test_a_video_that_is_too_large_is_refused_before_it_is_read(
    client: TestClient, root: Path
) -> None:
    answer = client.put(VIDEO, content=b"x" * (LIMIT + 1))

    assert (answer.status_code, left(root)) == (413, [])
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "body_too_large"


def test_a_video_of_unknown_length_is_refused_when_it_is_too_large(
    client: TestClient, root: Path
) -> None:
    answer = client.put(VIDEO, content=iter([b"x" * 50_000] * 5))

    assert (answer.status_code, left(root)) == (413, [])
    assert answer.json()["code"] == "body_too_large"


def test_what_is_no_video_is_refused_without_a_path_of_the_server(
    client: TestClient, root: Path, tmp_path: Path
) -> None:
    content = make_not_a_video(tmp_path / "a.mp4").read_bytes()

    answer = client.put(VIDEO, params={"filename": "a.mp4"}, content=content)

    assert (answer.status_code, answer.json()["code"]) == (422, "video_unusable")
    assert "'a.mp4'" in answer.json()["detail"]
    assert str(root) not in answer.text
    assert left(root) == []


@pytest.mark.parametrize("is_right", [True, False])
def test_a_digest_is_compared_with_what_came(
    client: TestClient, root: Path, films: Path, is_right: bool
) -> None:
    content = (films / "red.mp4").read_bytes()
    sha256 = hashlib.sha256(content if is_right else b"else").digest()
    digest = f"sha-512=:AAAA:, sha-256=:{base64.b64encode(sha256).decode()}:"

    answer = client.put(VIDEO, content=content, headers={"content-digest": digest})

    assert answer.status_code == (201 if is_right else 422)
    assert left(root) == (WHOLE if is_right else [])


@pytest.mark.parametrize(
    ("status", "code"),
    [
        pytest.param(400, "body_incomplete", id="broken off"),
        pytest.param(408, "body_stalled", id="nothing comes any more"),
    ],
)
def test_an_upload_that_does_not_end_leaves_nothing(
    client: TestClient,
    root: Path,
    films: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    code: str,
) -> None:
    content = (films / "red.mp4").read_bytes()
    messages: list[Message] = [{"type": "http.request", "body": content[:500], "more_body": True}]
    said: list[Message] = []
    if code == "body_stalled":
        monkeypatch.setattr(uploads, "_STALL_S", 0.1)

    async def receive() -> Message:
        if messages:
            return messages.pop()
        if code == "body_stalled":
            await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        said.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "PUT",
        "path": VIDEO,
        "query_string": b"",
        "headers": [(b"content-length", str(len(content)).encode())],
    }
    asyncio.run(client.app(scope, receive, send))  # type: ignore[arg-type]

    assert said[0]["status"] == status
    assert json.loads(said[1]["body"])["code"] == code
    assert left(root) == []
    assert recorded_video(LocalStorage(root), EP) is None


def test_what_a_killed_server_left_goes_with_the_next_upload(
    client: TestClient, root: Path, films: Path
) -> None:
    scratch = LocalStorage(uploads.upload_folder(client.app.state.service.settings))  # type: ignore[attr-defined]
    staged = scratch.stage("incoming/show-s01e01", b"half")
    space, _, started, rest = (
        staged.temp_path.name.rpartition(".tmp")[0].rpartition(".")[2].split("-")
    )
    dead = staged.temp_path.with_name(f".show-s01e01.{space}-999999999-{started}-{rest}.tmp")
    staged.temp_path.rename(dead)

    client.put(VIDEO, content=(films / "red.mp4").read_bytes())

    assert left(root) == WHOLE


def test_a_file_of_an_allowed_folder_is_registered(
    client: TestClient, root: Path, films: Path
) -> None:
    body = {"path": str(films / "red.mp4")}

    first, again = client.post(VIDEO, json=body), client.post(VIDEO, json=body)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["source"] == "red.mp4"
    assert left(root) == WHOLE


def test_a_file_of_the_data_root_is_registered(client: TestClient, root: Path, films: Path) -> None:
    (root / "inbox").mkdir(parents=True)
    path = root / "inbox" / "blue.mp4"
    path.write_bytes((films / "blue.mp4").read_bytes())

    assert client.post(VIDEO, json={"path": str(path)}).status_code == 201


@pytest.mark.parametrize(
    "text",
    [
        "{secret}",
        "{films}/../secret/hidden.mp4",
        "{films}/out.mp4",
        "{films}/away/hidden.mp4",
        "{films}/loop.mp4",
        "{films}/none.mp4",
        "{films}",
        "red.mp4",
        "~/red.mp4",
        "/etc/passwd",
        "/proc/self/mem",
        "file:///etc/passwd",
        "C:\\secret\\hidden.mp4",
        "\\\\server\\share\\a.mp4",
        "a\0b.mp4",
        "/" + "x" * 4000,
        "{films}/" + "x/" * 1500 + "a.mp4",
    ],
)
def test_a_file_from_elsewhere_is_not_registered(
    client: TestClient, root: Path, films: Path, tmp_path: Path, text: str
) -> None:
    secret = tmp_path / "secret" / "hidden.mp4"
    secret.parent.mkdir()
    secret.write_bytes((films / "red.mp4").read_bytes())
    for name, target in (("out.mp4", secret), ("away", secret.parent), ("loop.mp4", "loop.mp4")):
        link = films / name
        link.unlink(missing_ok=True)
        link.symlink_to(target)

    path = text.replace("{secret}", str(secret)).replace("{films}", str(films))
    answer = client.post(VIDEO, json={"path": path})

    assert answer.status_code == 422
    assert left(root) == []
