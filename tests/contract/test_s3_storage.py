"""What holds in a bucket beyond the contract: layouts, large files, copies kept here, errors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from screenalytics_core import layout
from screenalytics_core.errors import DiskSpaceError, KeyMissingError, StorageError
from screenalytics_core.storage.data_root import CacheFolder, S3Root
from screenalytics_core.storage.s3 import S3Storage
from tests.storage_backends import Backend, Server

EP = "rhobh-s05e14"
MIB = 1 << 20


def names_in(backend: Backend) -> list[str]:
    assert backend.server is not None
    listed = backend.server.client().list_objects_v2(Bucket=backend.bucket)
    start = f"{backend.prefix}/"
    names = [item["Key"].removeprefix(start) for item in listed.get("Contents", ())]
    return [name for name in names if not name.startswith(".")]


def calls_of(storage: S3Storage) -> list[str]:
    """Note from now on what is asked of the server."""
    calls: list[str] = []

    def note(model: Any, **_: Any) -> None:
        calls.append(model.name)

    storage._bucket.client.meta.events.register("before-call.s3", note)
    return calls


# --- layouts -------------------------------------------------------------------------------


def test_a_run_is_written_to_the_canonical_layout(s3: Backend) -> None:
    storage = s3.open()
    storage.write_atomic(layout.manifest_key(EP, "r1"), b"{}")
    storage.write_atomic(layout.manifest_key("pilot", "r1"), b"{}")
    storage.append(layout.events_key(EP, "r1"), b"{}\n")
    storage.write_atomic(layout.active_run_key(EP), b"{}")

    assert names_in(s3) == [
        f"manifests/{EP}/runs/active_run.json",
        "runs/pilot/r1/manifest.json",
        "runs/rhobh/s05/e14/r1/events.jsonl.parts/0000000001",
        "runs/rhobh/s05/e14/r1/manifest.json",
    ]
    assert storage.location(layout.manifest_key(EP, "r1")) == (
        f"s3://{s3.bucket}/{s3.prefix}/runs/rhobh/s05/e14/r1/manifest.json"
    )


def test_both_layouts_are_listed_as_one(s3: Backend) -> None:
    storage = s3.open()
    s3.put_plainly(f"runs/{EP}/old/manifest.json", b"old")
    storage.write_atomic(layout.manifest_key(EP, "new"), b"new")
    storage.write_atomic(layout.manifest_key("pilot", "r1"), b"")
    storage.append(layout.events_key(EP, "new"), b"{}\n")
    storage.write_atomic(layout.active_run_key(EP), b"{}")

    assert storage.list_folders(layout.MANIFESTS) == ("pilot", EP)
    assert storage.list_folders(layout.episode_prefix(EP)) == ("runs",)
    assert storage.list_folders(layout.runs_prefix(EP)) == ("new", "old")
    assert storage.list_folders(layout.run_prefix(EP, "new")) == ()
    assert storage.list(layout.runs_prefix(EP)) == (
        layout.active_run_key(EP),
        layout.events_key(EP, "new"),
        layout.manifest_key(EP, "new"),
        layout.manifest_key(EP, "old"),
    )
    assert storage.list(layout.run_prefix(EP, "old")) == (layout.manifest_key(EP, "old"),)
    assert len(storage.list(layout.MANIFESTS)) == 5


def test_what_only_the_legacy_layout_has_is_read_and_never_written(s3: Backend) -> None:
    key = layout.manifest_key(EP, "r1")
    s3.put_plainly(f"runs/{EP}/r1/manifest.json", b"legacy")
    storage = s3.open()

    assert storage.read_bytes(key) == b"legacy"
    assert storage.exists(key)
    assert storage.size(key) == 6
    assert not storage.create_exclusive(key, b"second")
    storage.write_atomic(key, b"canonical")
    assert storage.read_bytes(key) == b"canonical"
    storage.delete(key)
    assert not storage.exists(key)


def test_a_log_that_was_copied_there_goes_on(s3: Backend) -> None:
    key = layout.events_key(EP, "r1")
    s3.put_plainly(f"runs/{EP}/r1/events.jsonl", b"one\ntor")
    storage = s3.open()

    storage.append(key, b"two\n")

    assert storage.read_bytes(key) == b"one\ntwo\n"


# --- large files ---------------------------------------------------------------------------


def test_a_large_file_is_on_the_server_before_it_is_seen(s3: Backend, tmp_path: Path) -> None:
    storage = s3.open_s3(part_bytes=5 * MIB)
    video = tmp_path / "video.mp4"
    video.write_bytes(os.urandom(12 * MIB))

    staged = storage.stage_file("videos/x/episode.mp4", video)
    assert not storage.exists("videos/x/episode.mp4")
    calls = calls_of(storage)
    storage.commit(staged)

    assert calls == ["CompleteMultipartUpload"]
    assert storage.size("videos/x/episode.mp4") == 12 * MIB
    fresh = Backend(tmp_path / "other", s3.server, s3.bucket).open()
    assert fresh.fetch("videos/x/episode.mp4").read_bytes() == video.read_bytes()


def test_a_discarded_upload_leaves_nothing_on_the_server(s3: Backend) -> None:
    storage = s3.open_s3(part_bytes=5 * MIB)
    staged = storage.stage("big", bytes(6 * MIB))
    storage.discard(staged)
    storage.discard(staged)

    assert s3.server is not None
    assert not s3.server.client().list_multipart_uploads(Bucket=s3.bucket).get("Uploads")
    assert not storage.exists("big")


@pytest.mark.s3_rgw
def test_an_upload_that_nobody_completes_is_swept_after_a_day_only(
    s3_of_ceph: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    # moto tells one and the same day of 2010 for the begin of each.
    s3 = s3_of_ceph
    storage = s3.open_s3(part_bytes=5 * MIB)
    storage.stage("f/big", bytes(6 * MIB))

    assert storage.sweep_abandoned("f") == 0
    monkeypatch.setattr("screenalytics_core.storage.s3._ABANDONED_S", -5)
    assert storage.sweep_abandoned("other") == 0
    assert storage.sweep_abandoned("f") == 1


def test_a_file_that_is_too_large_for_one_request_is_copied_in_parts(s3: Backend) -> None:
    storage = s3.open_s3(copied_at_once_bytes=5 * MIB)
    content = os.urandom(11 * MIB)
    storage.write_atomic("a", content)
    calls = calls_of(storage)

    storage.link_or_copy("a", "b")

    assert storage.read_bytes("b") == content
    assert calls.count("UploadPartCopy") == 3
    assert "CopyObject" not in calls


# --- copies kept here ------------------------------------------------------------------------


def test_what_is_written_is_not_fetched_again(s3: Backend) -> None:
    storage = s3.open_s3()
    storage.write_atomic("videos/x/episode.mp4", bytes(MIB))
    calls = calls_of(storage)

    path = storage.fetch("videos/x/episode.mp4")

    assert path.suffix == ".mp4"
    assert path.stat().st_size == MIB
    assert calls == ["HeadObject"]
    inode = path.stat().st_ino
    with storage.open_read("videos/x/episode.mp4") as file:
        assert len(file.read()) == MIB
    # A copy that was fetched again would be another file.
    assert storage.fetch("videos/x/episode.mp4") == path
    assert path.stat().st_ino == inode


def test_a_copy_is_fetched_anew_when_the_file_was_replaced(s3: Backend, tmp_path: Path) -> None:
    storage = s3.open_s3()
    storage.write_atomic("a", b"1" * MIB)
    storage.fetch("a")
    Backend(tmp_path / "other", s3.server, s3.bucket).open().write_atomic("a", b"2" * MIB)

    assert storage.fetch("a").read_bytes() == b"2" * MIB
    assert storage.read_bytes("a") == b"2" * MIB


def test_a_copy_that_was_cut_off_is_fetched_anew(s3: Backend) -> None:
    storage = s3.open_s3()
    storage.write_atomic("a", b"1" * MIB)
    storage.fetch("a").write_bytes(b"1")

    assert storage.fetch("a").stat().st_size == MIB


def test_small_files_can_be_fetched_too(s3: Backend) -> None:
    storage = s3.open()
    storage.write_atomic("a.json", b"{}")
    storage.append("events.jsonl", b"one\n")

    assert storage.fetch("a.json").read_bytes() == b"{}"
    assert storage.fetch("events.jsonl").read_bytes() == b"one\n"
    with pytest.raises(KeyMissingError):
        storage.fetch("b.json")


def test_the_cache_drops_what_was_used_least_and_keeps_what_is_in_use(
    s3: Backend, tmp_path: Path
) -> None:
    assert s3.server is not None
    root = S3Root(s3.bucket, s3.prefix, CacheFolder(tmp_path / "small", 2 * MIB))
    storage = S3Storage(s3.server.client(), root)
    for name in "abc":
        storage.write_atomic(name, os.urandom(MIB))
    kept = {name: storage.fetch(name) for name in "abc"}
    assert all(path.exists() for path in kept.values())

    for name in "ab":
        os.utime(kept[name], (1e9, 1e9 + ord(name)))
    storage.write_atomic("d", os.urandom(MIB))

    assert [name for name in "abc" if kept[name].exists()] == ["c"]
    assert storage.read_bytes("a")


def test_deleting_drops_the_copy(s3: Backend) -> None:
    storage = s3.open()
    storage.write_atomic("a", bytes(MIB))
    path = storage.fetch("a")

    storage.delete("a")

    assert not path.exists()


# --- stamps and addresses ----------------------------------------------------------------------


def test_a_stamp_changes_with_the_content_only(s3: Backend) -> None:
    storage = s3.open()
    storage.write_atomic("f/a/x", b"one")
    storage.append("f/b/events.jsonl", b"one\n")
    first, log = storage.stamp("f/a/x"), storage.stamp("f/b/events.jsonl")
    assert first is not None
    assert log is not None
    assert (first.size_bytes, log.size_bytes) == (3, 4)
    assert storage.folder_stamps("f", ("x", "y")) == {"a": (first, None), "b": (None, None)}

    storage.append("f/b/events.jsonl", b"two\n")
    storage.write_atomic("f/a/x", b"two")
    assert storage.stamp("f/a/x") != first
    assert storage.stamp("f/b/events.jsonl") != log
    assert storage.stamp("f/a/y") is None


def test_a_signed_address_opens_the_file_without_credentials(s3: Backend) -> None:
    import urllib.request

    storage = s3.open()
    storage.write_atomic("report.html", b"<p>")

    with urllib.request.urlopen(storage.url("report.html"), timeout=10) as answer:
        assert answer.read() == b"<p>"
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


# --- errors ------------------------------------------------------------------------------------


def test_a_bucket_that_does_not_exist_is_named(moto: Server, tmp_path: Path) -> None:
    storage = Backend(tmp_path, moto, "no-such-bucket").open()

    for use in (
        lambda: storage.write_atomic("a", b""),
        lambda: storage.list("a"),
        lambda: storage.create_exclusive("a", b""),
    ):
        with pytest.raises(StorageError, match=r"no-such-bucket.* there is no such bucket"):
            use()


def test_a_server_that_cannot_be_reached_is_told_as_such(tmp_path: Path) -> None:
    nowhere = Server("http://127.0.0.1:9", "a", "b")
    storage = Backend(tmp_path, nowhere, "bucket").open_s3(client=nowhere.client(tries=1))

    with pytest.raises(StorageError, match=r"s3://bucket/some/prefix/a: cannot be reached"):
        storage.read_bytes("a")


@pytest.mark.s3_rgw
def test_a_wrong_secret_is_refused_with_what_to_do(ceph: Server, tmp_path: Path) -> None:
    wrong = Server(ceph.endpoint, ceph.access_key, "wrong")

    with pytest.raises(StorageError, match=r"refused access .*Check the credentials"):
        Backend(tmp_path, wrong, "bucket").open().write_atomic("a", b"")


def answer_with(storage: S3Storage, operation: str, status: int, code: str, times: int) -> None:
    """Let the server's answers be these the next times."""
    from botocore.awsrequest import AWSResponse

    left = [times]

    class Raw:
        def stream(self) -> Any:
            yield f"<Error><Code>{code}</Code></Error>".encode()

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        if not left[0]:
            return None
        left[0] -= 1
        return AWSResponse(request.url, status, {}, Raw())

    storage._bucket.client.meta.events.register(f"before-send.s3.{operation}", answer)


def test_a_server_without_room_is_told_as_a_full_disk(s3: Backend) -> None:
    storage = s3.open_s3()
    answer_with(storage, "PutObject", 403, "QuotaExceeded", 1)

    with pytest.raises(DiskSpaceError, match="no room left"):
        storage.write_atomic("a", b"1")


def test_throttled_requests_are_made_again_and_lose_nothing(s3: Backend) -> None:
    storage = s3.open_s3()
    storage.write_atomic("a", b"1" * MIB)
    for operation in ("PutObject", "GetObject", "ListObjectsV2", "CompleteMultipartUpload"):
        answer_with(storage, operation, 503, "SlowDown", 2)

    storage.append("events.jsonl", b"one\n")
    storage.append("events.jsonl", b"two\n")
    with storage.lock("a"):
        storage.write_atomic("a", b"2" * MIB)

    assert storage.read_bytes("events.jsonl") == b"one\ntwo\n"
    assert storage.read_bytes("a") == b"2" * MIB


def test_a_server_that_throttles_on_and_on_is_given_up_with_a_word(s3: Backend) -> None:
    assert s3.server is not None
    storage = s3.open_s3(client=s3.server.client(tries=2))
    answer_with(storage, "PutObject", 503, "SlowDown", 99)

    with pytest.raises(StorageError, match=r"overloaded .*SlowDown"):
        storage.write_atomic("a", b"1")


def lose_answers(storage: S3Storage, times: int) -> None:
    """Let requests that write hold, and their answers be lost, the next times."""
    from botocore.exceptions import ConnectionClosedError
    from botocore.httpsession import URLLib3Session

    left = [times]

    def send_and_lose(request: Any, **_: Any) -> None:
        if left[0] and request.method == "PUT":
            left[0] -= 1
            URLLib3Session().send(request)
            raise ConnectionClosedError(endpoint_url=request.url)

    storage._bucket.client.meta.events.register("before-send.s3.PutObject", send_and_lose)


def test_whoever_created_a_file_knows_it_although_the_answer_was_lost(s3: Backend) -> None:
    storage = s3.open_s3()
    storage.conditions()
    lose_answers(storage, 1)

    assert storage.create_exclusive("a", b"first")
    assert not storage.create_exclusive("a", b"second")
    assert storage.read_bytes("a") == b"first"


def test_lines_are_added_once_although_the_answer_was_lost(s3: Backend) -> None:
    storage = s3.open_s3()
    storage.conditions()
    for _ in range(3):
        lose_answers(storage, 1)
        storage.append("events.jsonl", b"line\n")

    assert storage.read_bytes("events.jsonl") == b"line\nline\nline\n"


def test_a_read_goes_on_where_the_connection_was_lost(
    s3: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.exceptions import ResponseStreamingError
    from botocore.response import StreamingBody

    content = os.urandom(3 * MIB)
    s3.put_plainly("a", content)
    read, reads = StreamingBody.read, []

    def losing(self: StreamingBody, amt: int | None = None) -> bytes:
        reads.append(amt)
        if len(reads) == 2:
            raise ResponseStreamingError(error="lost")
        return read(self, amt)

    monkeypatch.setattr(StreamingBody, "read", losing)

    assert s3.open().read_bytes("a") == content
    assert len(reads) > 3


def test_a_server_that_ignores_conditions_is_refused_before_anything_is_written(
    s3: Backend,
) -> None:
    storage = s3.open_s3()

    def ignore(params: Any, **_: Any) -> None:
        params["headers"].pop("If-None-Match", None)

    storage._bucket.client.meta.events.register("before-call.s3.PutObject", ignore)

    for use in (
        lambda: storage.create_exclusive("a", b""),
        lambda: storage.append("events.jsonl", b"x\n"),
        lambda: storage.lock("a"),
    ):
        with pytest.raises(StorageError, match="ignores conditions"):
            use()
    assert names_in(s3) == []


def test_what_a_server_can_beyond_creating_once_is_found_out(
    s3: Backend, request: pytest.FixtureRequest
) -> None:
    is_moto = "moto" in request.node.name

    assert s3.open_s3().conditions().can_replace is is_moto
