"""What lies in folders of a local disk: looks that cost little, and what the storage left there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from screenalytics_core.storage.base import DiskFile, Stamp
from screenalytics_core.storage.posix import remove, translated


def stamp_of(path: str | Path) -> Stamp | None:
    """Return a file's stamp; None if there is none."""
    try:
        # Text is fine: of thousands of files, a path object costs more than the look itself.
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def folder_stamps(root: Path, names: tuple[str, ...]) -> dict[str, tuple[Stamp | None, ...]]:
    """Return the stamps of the files `names` in each folder of `root` that is not hidden."""
    if not root.is_dir():
        return {}
    with translated(root), os.scandir(root) as entries:
        folders = [e.name for e in entries if not e.name.startswith(".") and e.is_dir()]
    start = str(root)
    return {
        folder: tuple(stamp_of(f"{start}/{folder}/{name}") for name in names)
        for folder in sorted(folders)
    }


def files_under(folder: Path) -> Iterator[DiskFile]:
    """Yield every file below a folder, locks and temporary files too."""
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                stat = (Path(where) / name).lstat()
            except FileNotFoundError:
                continue  # gone since it was listed
            yield DiskFile((stat.st_dev, stat.st_ino), stat.st_nlink, stat.st_size)


def prune(folder: Path) -> None:
    """Remove hidden files and empty folders below a folder, and itself."""
    for where, _, names in os.walk(folder, topdown=False):
        for name in names:
            if name.startswith("."):
                remove(Path(where) / name)
        try:
            Path(where).rmdir()
        except OSError:
            continue  # somebody wrote into it since
