"""Temporary files beside what they will replace: their names, and whose process is gone."""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from pathlib import Path
from typing import Final

from screenalytics_core.processes import ProcessIdentity, pid_started_s

_SUFFIX: Final = ".tmp"
_PATTERN: Final = f".*{_SUFFIX}"
# A temporary file of another machine has no pid that could be asked.
_FOREIGN_MAX_AGE_S: Final = 24 * 3600


def temp_path(path: Path) -> Path:
    """Return a new name beside `path` that tells whose it is."""
    owner = f"{_pid_space()}-{os.getpid()}-{_ticks(ProcessIdentity.current().started_s)}"
    return path.with_name(f".{path.name}.{owner}-{uuid.uuid4().hex[:8]}{_SUFFIX}")


def abandoned_under(folder: Path) -> list[Path]:
    """Return temporary files below a folder whose process is gone."""
    here = _pid_space()
    found = folder.rglob(_PATTERN) if folder.is_dir() else ()
    return [path for path in found if _is_abandoned(path, here)]


def strays_under(folder: Path, min_age_s: float) -> tuple[str, ...]:
    """Return temporary files below a folder that nobody wrote to for so long, sorted."""
    found = []
    for path in sorted(folder.rglob(_PATTERN)) if folder.is_dir() else ():
        try:
            age_s = time.time() - path.stat().st_mtime
        except FileNotFoundError:
            continue  # it was written and renamed since
        if age_s > min_age_s:
            found.append(path.relative_to(folder).as_posix())
    return tuple(found)


def _pid_space() -> str:
    """Name what a pid counts in: host, boot and namespace, as 8 hex digits."""
    me = ProcessIdentity.current()
    text = "|".join((me.host, me.boot_id, me.pid_namespace))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _ticks(started_s: float) -> str:
    """Write when a process started as exactly as it is known."""
    return str(round(started_s * 100))


def _is_abandoned(temp: Path, here: str) -> bool:
    """Tell whether the process that made `temp` is gone, though another may have its pid."""
    parts = temp.name.removesuffix(_SUFFIX).rsplit(".", 1)[-1].split("-")
    if len(parts) != 4 or not parts[1].isdigit():
        return False
    if parts[0] == here:
        started_s = pid_started_s(int(parts[1]))
        return started_s is None or _ticks(started_s) != parts[2]
    try:
        return time.time() - temp.stat().st_mtime > _FOREIGN_MAX_AGE_S
    except FileNotFoundError:
        return False
