"""Where things are on this machine; the only place that reads the environment."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from screenalytics_core.errors import SettingsError
from screenalytics_core.storage.data_root import CacheFolder, DataRoot, S3Root, parse_data_root

_LOG: Final = logging.getLogger(__name__)
# W3C Trace Context, version 00: trace id, parent id, flags; neither id may be all zeros.
_TRACEPARENT: Final = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


# A two-hour episode of a broadcaster has 10 to 15 GB.
_UPLOAD_LIMIT_GB: Final = 32.0
# Ten episodes of a streaming service.
_CACHE_LIMIT_GB: Final = 50.0
# One launch a second over a minute: more than anybody means, and cheap to queue.
DEFAULT_LAUNCH_RATE: Final = "60/minute"
_TOKEN: Final = "SCREENALYTICS_API_TOKEN"


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """What the job API lets in; it has no part in what a run does.

    Attributes:
        token: What requests must bear (`SCREENALYTICS_API_TOKEN`); None lets in whoever
            reaches the port, so that the server binds to loopback only.
        video_folders: Where a request may name a video, beside the data root
            (`SCREENALYTICS_API_VIDEO_FOLDERS`, separated as PATH is).
        upload_limit_bytes: Of one video (`SCREENALYTICS_API_UPLOAD_LIMIT_GB`, 1 GB = 10^9).
        cors_origins: Pages of other origins that a browser lets in
            (`SCREENALYTICS_API_CORS_ORIGINS`, by commas); none by default.
        launch_rate: Launches per client (`SCREENALYTICS_API_LAUNCH_RATE`, as `60/minute`).
    """

    token: str | None = field(default=None, repr=False)
    video_folders: tuple[Path, ...] = ()
    upload_limit_bytes: int = int(_UPLOAD_LIMIT_GB * 1e9)
    cors_origins: tuple[str, ...] = ()
    launch_rate: str = DEFAULT_LAUNCH_RATE

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the environment.

        Raises:
            SettingsError: The upload limit is no positive number, or no header can carry the token.
        """
        prefix = "SCREENALYTICS_API_"
        folders = env.get(f"{prefix}VIDEO_FOLDERS", "").split(os.pathsep)
        origins = env.get(f"{prefix}CORS_ORIGINS", "").split(",")
        return cls(
            token=_token(env.get(_TOKEN)),
            video_folders=tuple(Path(f).expanduser().absolute() for f in folders if f),
            upload_limit_bytes=_gigabytes(f"{prefix}UPLOAD_LIMIT_GB", env, _UPLOAD_LIMIT_GB),
            cors_origins=tuple(o.strip() for o in origins if o.strip()),
            launch_rate=env.get(f"{prefix}LAUNCH_RATE") or DEFAULT_LAUNCH_RATE,
        )


def _token(given: str | None) -> str | None:
    if given and not (given.isascii() and given.isprintable() and given == given.strip()):
        raise SettingsError(
            thing=_TOKEN,
            reason="holds what no header can carry: blanks around it, or other than ASCII",
            way_out="Take letters and digits, such as those of `openssl rand -hex 32`.",
        )
    return given or None


def _gigabytes(name: str, env: Mapping[str, str], default: float) -> int:
    given = env.get(name)
    try:
        found = float(given) if given else default
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise SettingsError(
            thing=f"{name}={given!r}",
            reason="is not a number of gigabytes above 0",
            way_out="Give one, such as 32, or leave it out.",
        )
    return int(found * 1e9)


@dataclass(frozen=True, slots=True)
class Settings:
    """Folders of an installation; what a run does is in `EpisodeRunConfig`.

    Attributes:
        data_root: Episodes, runs, registry (`SCREENALYTICS_DATA_ROOT`, default `data`): a
            folder, or `s3://bucket/prefix`.
        dagster_home: Dagster's own storage (`DAGSTER_HOME`, default `<data_root>/.dagster`;
            with a bucket `~/.local/state/screenalytics/{bucket}-{hash}/dagster`).
        models_dir: Installed packs (`SCREENALYTICS_MODELS_DIR`).
        insightface_root: Where insightface keeps its packs (`INSIGHTFACE_HOME`).
        api: What the job API lets in.
        trace_id: The trace that launches belong to (`TRACEPARENT`, W3C); None without one.
    """

    data_root: DataRoot
    dagster_home: Path
    models_dir: Path
    insightface_root: Path
    trace_id: str | None = None
    api: ApiSettings = field(default_factory=ApiSettings)

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] | None = None, *, data_root: str | Path | None = None
    ) -> Settings:
        """Read the environment; `data_root`, when given, wins over it.

        Raises:
            SettingsError: Something in it cannot be meant.
        """
        env = os.environ if environ is None else environ
        home = Path.home()
        given = data_root or env.get("SCREENALYTICS_DATA_ROOT") or "data"
        root = parse_data_root(given, _cache(env, home))
        return cls(
            data_root=root,
            dagster_home=_folder(env.get("DAGSTER_HOME"), _dagster_home(root, home)),
            models_dir=_folder(
                env.get("SCREENALYTICS_MODELS_DIR"), home / ".cache" / "screenalytics" / "models"
            ),
            insightface_root=_folder(env.get("INSIGHTFACE_HOME"), home / ".insightface"),
            trace_id=_trace_id(env.get("TRACEPARENT")),
            api=ApiSettings.from_env(env),
        )

    def child_environment(self, environ: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of a child process that shall use these folders.

        Bytecode writing is switched on again: without it each process recompiles Dagster. What
        lets people into the API stays with the API.
        """
        env = dict(os.environ if environ is None else environ)
        env.pop(_TOKEN, None)
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        return {
            **env,
            "SCREENALYTICS_DATA_ROOT": str(self.data_root),
            "DAGSTER_HOME": str(self.dagster_home),
            "SCREENALYTICS_MODELS_DIR": str(self.models_dir),
            "INSIGHTFACE_HOME": str(self.insightface_root),
            **self._cache_environment(),
        }

    def _cache_environment(self) -> dict[str, str]:
        if not isinstance(self.data_root, S3Root):
            return {}
        cache = self.data_root.cache
        return {
            "SCREENALYTICS_CACHE_DIR": str(cache.path),
            "SCREENALYTICS_CACHE_LIMIT_GB": repr(cache.limit_bytes / 1e9),
        }


def _dagster_home(root: DataRoot, home: Path) -> Path:
    """Return the default; SQLite needs a disk of this machine, and `runs sync` makes it anew."""
    if isinstance(root, S3Root):
        return home / ".local" / "state" / "screenalytics" / root.name / "dagster"
    return root / ".dagster"


def _cache(env: Mapping[str, str], home: Path) -> CacheFolder:
    limit = _gigabytes("SCREENALYTICS_CACHE_LIMIT_GB", env, _CACHE_LIMIT_GB)
    folder = home / ".cache" / "screenalytics" / "s3"
    return CacheFolder(_folder(env.get("SCREENALYTICS_CACHE_DIR"), folder), limit)


def _folder(given: str | None, default: Path) -> Path:
    return Path(given).expanduser().absolute() if given else default


def _trace_id(traceparent: str | None) -> str | None:
    if not traceparent:
        return None
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None:
        _LOG.warning(
            "TRACEPARENT is ignored: %r is not 00-<trace id>-<parent id>-<flags>", traceparent
        )
        return None
    return found[1]
