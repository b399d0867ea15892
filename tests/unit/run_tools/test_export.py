"""A bundle tells by itself whether it is whole, and a damaged run gives none."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from screenalytics_core.errors import ArtifactCorruptError, KeyMissingError, RunNotFoundError
from screenalytics_core.run_record import RunKey
from screenalytics_core.run_tools.export import Exported, export_run
from tests.run_samples import finished_run
from tests.stores import EP, Stores

RUN = RunKey(EP, "first")


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    stores = Stores(tmp_path / "data")
    finished_run(stores, "first")
    return stores


def export(stores: Stores, out: Path, **how: bool) -> Exported:
    return export_run(stores.storage, stores.runs, stores.artifacts, RUN, out, **how)


def python(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Python without our packages or any other."""
    command = [sys.executable, "-I", "-S", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_bundle_holds_every_published_file_and_every_record(
    stores: Stores, tmp_path: Path
) -> None:
    done = export(stores, tmp_path / "run.zip")

    with zipfile.ZipFile(tmp_path / "run.zip") as bundle:
        names = set(bundle.namelist())
        for name in ("run.json", "detections.jsonl", "segments.parquet", "attempts/0001.json"):
            assert bundle.read(name) == stores.file("first", name).read_bytes()
        text = bundle.read("README.txt").decode()
    published = stores.artifacts.manifest(*RUN).entries.values()
    assert {f.path for entry in published for f in entry.files} <= names
    assert {"manifest.json", "events.jsonl", "SHA256SUMS", "verify.py"} <= names
    assert f"Run first of episode {EP}" in text
    assert "screen_time.json" in text
    assert done.files == len(names)


def test_the_same_content_gives_the_same_bytes(stores: Stores, tmp_path: Path) -> None:
    export(stores, tmp_path / "a.zip")
    for path in stores.root.rglob("*.json*"):
        path.touch()
    export(stores, tmp_path / "b.zip")

    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as bundle:
        assert {info.date_time[0] for info in bundle.infolist()} == {1980}


def test_a_whole_bundle_says_so_zipped_and_unpacked(stores: Stores, tmp_path: Path) -> None:
    export(stores, tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as bundle:
        bundle.extractall(tmp_path / "unpacked")

    for what in ("run.zip", "unpacked/verify.py", "unpacked"):
        done = python(tmp_path / what)
        assert (done.returncode, done.stdout) == (0, "every file is as it was exported\n"), what
    summed = subprocess.run(
        ["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=tmp_path / "unpacked", check=False
    )
    assert summed.returncode == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"{}", "screen_time.json: changed", id="changed"),
        pytest.param(None, "screen_time.json: missing", id="missing"),
    ],
)
def test_an_unpacked_file_that_is_not_the_exported_one_is_named(
    content: bytes | None, said: str, stores: Stores, tmp_path: Path
) -> None:
    export(stores, tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as bundle:
        bundle.extractall(tmp_path / "unpacked")
    file = tmp_path / "unpacked" / "screen_time.json"
    file.unlink() if content is None else file.write_bytes(content)
    (tmp_path / "unpacked" / "more.txt").touch()

    done = python(tmp_path / "unpacked" / "verify.py")

    assert done.returncode == 1
    assert set(done.stdout.splitlines()) >= {said, "more.txt: not listed in SHA256SUMS"}


def rezip(old: Path, new: Path, changes: dict[str, bytes]) -> None:
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(new, "w") as target:
        for name in source.namelist():
            target.writestr(name, changes.get(name, source.read(name)))


def test_a_zip_that_was_tampered_with_is_found_out(stores: Stores, tmp_path: Path) -> None:
    export(stores, tmp_path / "run.zip")
    rezip(tmp_path / "run.zip", tmp_path / "bad.zip", {"tracks.jsonl": b"{}\n"})

    done = python(tmp_path / "bad.zip")

    assert done.returncode == 1
    assert "tracks.jsonl: changed" in done.stdout


def test_sums_that_were_made_to_fit_do_not_fool_the_manifest(
    stores: Stores, tmp_path: Path
) -> None:
    export(stores, tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as bundle:
        old = hashlib.sha256(bundle.read("tracks.jsonl")).hexdigest().encode()
        sums = bundle.read("SHA256SUMS").replace(old, hashlib.sha256(b"{}\n").hexdigest().encode())
    changes = {"tracks.jsonl": b"{}\n", "SHA256SUMS": sums}
    rezip(tmp_path / "run.zip", tmp_path / "bad.zip", changes)

    assert "tracks.jsonl: is not what manifest.json names" in python(tmp_path / "bad.zip").stdout


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        pytest.param(lambda p: p.write_bytes(b"{}\n"), ArtifactCorruptError, id="changed"),
        pytest.param(lambda p: p.unlink(), KeyMissingError, id="gone"),
    ],
)
def test_a_damaged_run_gives_no_bundle_and_leaves_the_old_one(
    damage: object, error: type[Exception], stores: Stores, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "run.zip"
    export(stores, out)
    before = out.read_bytes()
    assert callable(damage)
    damage(stores.file("first", "tracks.jsonl"))

    with pytest.raises(error, match=r"tracks\.jsonl"):
        export(stores, out)

    assert out.read_bytes() == before
    assert [p.name for p in out.parent.iterdir()] == ["run.zip"]


def test_a_redacted_artifact_is_told_to_be_one_and_the_bundle_is_whole(
    stores: Stores, tmp_path: Path
) -> None:
    path = stores.file("first", "manifest.json")
    manifest = json.loads(path.read_text())
    manifest["entries"]["tracks"]["redacted"] = True
    path.write_text(json.dumps(manifest))

    export(stores, tmp_path / "run.zip")

    with zipfile.ZipFile(tmp_path / "run.zip") as bundle:
        assert "tracks.jsonl" in bundle.namelist()
        assert "somebody was taken out" in bundle.read("README.txt").decode()
    assert python(tmp_path / "run.zip").returncode == 0


def test_the_video_comes_along_only_if_it_is_the_one_that_the_run_is_bound_to(
    stores: Stores, tmp_path: Path
) -> None:
    folder = stores.root / "videos" / EP
    folder.mkdir(parents=True)
    (folder / "episode.mp4").write_bytes(b"another video")

    with pytest.raises(ArtifactCorruptError, match=r"episode\.mp4"):
        export(stores, tmp_path / "run.zip", with_video=True)
    assert not (tmp_path / "run.zip").exists()


def test_a_run_that_does_not_exist_is_named(stores: Stores, tmp_path: Path) -> None:
    with pytest.raises(RunNotFoundError, match="nobody"):
        export_run(
            stores.storage, stores.runs, stores.artifacts, RunKey(EP, "nobody"), tmp_path / "x.zip"
        )
