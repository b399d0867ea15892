"""Where things are on this machine; the only place that reads the environment."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LOG: Final = logging.getLogger(__name__)
# W3C Trace Context, version 00: trace id, parent id, flags; neither id may be all zeros.
_TRACEPARENT: Final = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Settings:
    """Folders of an installation; what a run does is in `EpisodeRunConfig`.

    Attributes:
        data_root: Episodes, runs, registry (`SCREENALYTICS_DATA_ROOT`, default `data`).
        dagster_home: Dagster's own storage (`DAGSTER_HOME`, default `<data_root>/.dagster`).
        models_dir: Installed packs (`SCREENALYTICS_MODELS_DIR`).
        insightface_root: Where insightface keeps its packs (`INSIGHTFACE_HOME`).
        trace_id: The trace that launches belong to (`TRACEPARENT`, W3C); None without one.
    """

    data_root: Path
    dagster_home: Path
    models_dir: Path
    insightface_root: Path
    trace_id: str | None = None

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] | None = None, *, data_root: Path | None = None
    ) -> Settings:
        """Read the environment; `data_root`, when given, wins over it."""
        env = os.environ if environ is None else environ
        root = (data_root or Path(env.get("SCREENALYTICS_DATA_ROOT", "data"))).expanduser()
        root = root.absolute()
        home = Path.home()
        return cls(
            data_root=root,
            dagster_home=_folder(env.get("DAGSTER_HOME"), root / ".dagster"),
            models_dir=_folder(
                env.get("SCREENALYTICS_MODELS_DIR"), home / ".cache" / "screenalytics" / "models"
            ),
            insightface_root=_folder(env.get("INSIGHTFACE_HOME"), home / ".insightface"),
            trace_id=_trace_id(env.get("TRACEPARENT")),
        )

    def child_environment(self, environ: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of a child process that shall use these folders.

        Bytecode writing is switched on again: without it each process recompiles Dagster.
        """
        env = dict(os.environ if environ is None else environ)
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        return {
            **env,
            "SCREENALYTICS_DATA_ROOT": str(self.data_root),
            "DAGSTER_HOME": str(self.dagster_home),
            "SCREENALYTICS_MODELS_DIR": str(self.models_dir),
            "INSIGHTFACE_HOME": str(self.insightface_root),
        }


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
