"""Fetching with the registries' clients, which are small scripts here."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from screenalytics_core.errors import ModelInstallError
from screenalytics_core.vision.models import package_fetch
from screenalytics_core.vision.models.onnx_session import sha256_of
from screenalytics_core.vision.models.package_fetch import Package, fetch_archive

CONTENT = b"an archive"


def package(registry: str = "npm", content: bytes = CONTENT) -> Package:
    return Package(registry, "@some/models", "1.2.3", sha256_of(content), "MIT")


def script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\nimport sys, pathlib\n{body}\n")
    path.chmod(0o755)
    return path


def put_npm(monkeypatch: pytest.MonkeyPatch, folder: Path, body: str) -> None:
    script(folder / "npm", body)
    monkeypatch.setenv("PATH", str(folder))


GOOD_NPM = (
    "pathlib.Path('asked').write_text(' '.join(sys.argv[1:]))\n"
    f"pathlib.Path('m.tgz').write_bytes({CONTENT!r})"
)


def test_npm_packs_the_pinned_version_without_scripts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_npm(monkeypatch, tmp_path / "bin", GOOD_NPM)

    archive = fetch_archive(package(), tmp_path / "work")

    assert archive.read_bytes() == CONTENT
    asked = (tmp_path / "work" / "asked").read_text()
    assert asked.startswith("pack @some/models@1.2.3 --ignore-scripts ")


def test_another_archive_than_the_pinned_one_is_refused_with_both_hashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_npm(monkeypatch, tmp_path / "bin", GOOD_NPM)
    other = package(content=b"what was pinned")

    with pytest.raises(ModelInstallError) as raised:
        fetch_archive(other, tmp_path / "work")

    message = str(raised.value)
    assert sha256_of(CONTENT) in message
    assert other.sha256 in message
    assert "Nothing was installed" in message


def test_a_client_without_a_network_gives_its_reason_and_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "sys.exit('npm error code ENOTFOUND\\nnpm error network is down\\nsee the log')"
    put_npm(monkeypatch, tmp_path / "bin", body)

    with pytest.raises(ModelInstallError) as raised:
        fetch_archive(package(), tmp_path / "work")

    message = str(raised.value)
    assert message.startswith("npm @some/models@1.2.3: npm ended with 1: npm error code ENOTFOUND")
    assert "Check the network" in message
    assert "--models DIR" in message


def test_a_client_that_leaves_nothing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_npm(monkeypatch, tmp_path / "bin", "pass")

    with pytest.raises(ModelInstallError, match="left 0 archives"):
        fetch_archive(package(), tmp_path / "work")


def test_a_client_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_npm(monkeypatch, tmp_path / "bin", "import time; time.sleep(60)")
    monkeypatch.setattr(package_fetch, "_TIMEOUT_S", 0.2)

    with pytest.raises(ModelInstallError, match=r"npm failed: .*timed out"):
        fetch_archive(package(), tmp_path / "work")


def fake_environment(monkeypatch: pytest.MonkeyPatch, pip_body: str) -> None:
    def create(env_dir: Path, with_pip: bool) -> None:
        assert with_pip
        script(Path(env_dir) / "bin" / "python", pip_body)

    monkeypatch.setattr(venv, "create", create)


@pytest.mark.skipif(sys.platform == "win32", reason="the fake clients are scripts")
def test_without_npm_the_node_wheels_npm_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    npm = f"#!{sys.executable}\nimport sys, pathlib\n{GOOD_NPM}\n"
    fake_environment(
        monkeypatch,
        f"assert sys.argv[-1] == {package_fetch.NODE_WHEEL!r}\n"
        f"npm = pathlib.Path(__file__).parent / 'npm'\nnpm.write_text({npm!r})\nnpm.chmod(0o755)",
    )

    assert fetch_archive(package(), tmp_path / "work").read_bytes() == CONTENT


def test_without_npm_and_without_the_wheel_both_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    fake_environment(monkeypatch, "sys.exit('ERROR: no matching distribution')")

    with pytest.raises(ModelInstallError) as raised:
        fetch_archive(package(), tmp_path / "work")

    message = str(raised.value)
    assert "npm is not installed" in message
    assert "no matching distribution" in message
    assert "Install Node.js with npm" in message


def test_no_temporary_environment_is_an_error_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create(env_dir: Path, with_pip: bool) -> None:
        raise subprocess.CalledProcessError(1, "ensurepip")

    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setattr(venv, "create", create)

    with pytest.raises(ModelInstallError, match="no temporary environment"):
        fetch_archive(package(), tmp_path / "work")


def test_an_sdist_is_downloaded_with_its_hash_so_that_pip_checks_before_it_runs_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip = (
        "pathlib.Path('asked').write_text(' '.join(sys.argv[1:]))\n"
        f"pathlib.Path('m.tar.gz').write_bytes({CONTENT!r})"
    )
    fake_environment(monkeypatch, pip)
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: None if n == "pip" else real(n))

    archive = fetch_archive(package("pypi"), tmp_path / "work")

    assert archive.read_bytes() == CONTENT
    asked = (tmp_path / "work" / "asked").read_text()
    assert "download --quiet --no-deps --require-hashes --no-binary @some/models" in asked
    pinned = (tmp_path / "work" / "requirements.txt").read_text()
    assert pinned == f"@some/models==1.2.3 --hash=sha256:{sha256_of(CONTENT)}\n"


def test_the_systems_pip_is_used_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = script(tmp_path / "python", f"pathlib.Path('m.tar.gz').write_bytes({CONTENT!r})")
    monkeypatch.setattr(sys, "executable", str(python))

    assert fetch_archive(package("pypi"), tmp_path / "work").name == "m.tar.gz"
