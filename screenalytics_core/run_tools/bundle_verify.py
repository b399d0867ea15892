"""Checks an exported run against its SHA256SUMS. Needs nothing but Python.

    python verify.py            in the unpacked folder
    python bundle.zip           on the zip itself
    sha256sum -c SHA256SUMS     without Python

Exit status: 0 every file is as it was exported, 1 something is not.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

SUMS = "SHA256SUMS"
OpenFile = Callable[[str], BinaryIO]


def check(names: Iterable[str], open_file: OpenFile) -> list[str]:
    """Return what is wrong, in words."""
    held = set(names)
    if SUMS not in held:
        return [SUMS + ": missing"]
    with open_file(SUMS) as file:
        lines = file.read().decode("utf-8").splitlines()
    sums = {name: sha256 for sha256, _, name in (line.partition("  ") for line in lines)}
    wrong = [name + ": missing" for name in sorted(set(sums) - held)]
    wrong += [name + ": not listed in " + SUMS for name in sorted(held - set(sums) - {SUMS})]
    for name in sorted(set(sums) & held):
        try:
            found = sha256_of(name, open_file)
        except (OSError, zipfile.BadZipFile) as error:
            wrong.append("%s: not readable (%s)" % (name, error))  # noqa: UP031 - any Python 3
            continue
        if found != sums[name]:
            wrong.append(name + ": changed")
    return wrong or check_manifest(sums, open_file)


def check_manifest(sums: dict[str, str], open_file: OpenFile) -> list[str]:
    """Return the artifacts that are not the ones that the run's manifest names."""
    if "manifest.json" not in sums:
        return []
    with open_file("manifest.json") as file:
        entries = json.loads(file.read().decode("utf-8"))["entries"].values()
    files = [file for entry in entries for file in entry["files"]]
    return [
        file["path"] + ": is not what manifest.json names"
        for file in files
        if sums.get(file["path"]) != file["sha256"]
    ]


def sha256_of(name: str, open_file: OpenFile) -> str:
    """Return the hash of a file's content, read piece by piece."""
    digest = hashlib.sha256()
    with open_file(name) as file:
        while True:
            chunk = file.read(1 << 20)
            if not chunk:
                return digest.hexdigest()
            digest.update(chunk)


def check_zip(path: Path) -> list[str]:
    """Check the content of a zip."""
    with zipfile.ZipFile(path) as bundle:
        names = [info.filename for info in bundle.infolist() if not info.is_dir()]
        if len(names) != len(set(names)):
            return ["a name stands in the zip twice"]
        return check(names, lambda name: bundle.open(name))  # type: ignore[arg-type,return-value]


def check_folder(folder: Path) -> list[str]:
    """Check an unpacked folder."""
    paths = [p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    return check(
        [p.relative_to(folder).as_posix() for p in paths], lambda n: (folder / n).open("rb")
    )


def main() -> int:
    """Check whatever this file lies in."""
    place = Path(__file__).resolve().parent
    wrong = check_folder(place) if place.is_dir() else check_zip(place)
    for line in wrong:
        sys.stdout.write(line + "\n")
    sys.stdout.write("%d wrong\n" % len(wrong) if wrong else "every file is as it was exported\n")  # noqa: UP031 - any Python 3
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
