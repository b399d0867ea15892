"""`season.json`: what a season's files were made from, so that staleness can be decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from screenalytics_core.seasons.model import EpisodeInput

SCHEMA_VERSION: Final = 1
RECORD_FILE: Final = "season.json"
LINK_DECISIONS_FILE: Final = "link_decisions.jsonl"
CAST: Final = "season_cast"
SCREEN_TIME: Final = "season_screen_time"


@dataclass(frozen=True, slots=True)
class SeasonFile:
    """A published file of a season."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class SeasonPart:
    """What one asset of a season published, and what from.

    Attributes:
        signature: `model.signature` of what it was made from: equal, so is the part.
        episodes: What it was made from, in the season's order.
        files: By their names.
    """

    signature: str
    version: str
    episodes: tuple[EpisodeInput, ...]
    files: Mapping[str, SeasonFile] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "signature": self.signature,
            "version": self.version,
            "episodes": [e.to_dict() for e in self.episodes],
            "files": {
                name: {"sha256": f.sha256, "size_bytes": f.size_bytes}
                for name, f in sorted(self.files.items())
            },
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Build it from `to_dict`; KeyError, TypeError or ValueError if it is not one."""
        return cls(
            str(record["signature"]),
            str(record["version"]),
            tuple(EpisodeInput.from_dict(e) for e in record["episodes"]),
            {
                str(name): SeasonFile(str(f["sha256"]), int(f["size_bytes"]))
                for name, f in record["files"].items()
            },
        )


@dataclass(frozen=True, slots=True)
class SeasonRecord:
    """season.json: written last, so what stands in it is whole."""

    season: str
    parts: Mapping[str, SeasonPart] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION

    def without(self, name: str) -> SeasonRecord:
        """Return the record less one part."""
        return replace(self, parts={n: p for n, p in self.parts.items() if n != name})

    def with_part(self, name: str, part: SeasonPart) -> SeasonRecord:
        """Return the record with a part put in."""
        return replace(self, parts=dict(sorted({**self.parts, name: part}.items())))

    def to_dict(self) -> dict[str, Any]:
        """Return it as it stands in season.json."""
        return {
            "schema_version": self.schema_version,
            "season": self.season,
            "parts": {name: part.to_dict() for name, part in self.parts.items()},
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Build it from season.json; KeyError, TypeError or ValueError if it is not one."""
        if record["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema_version is {record['schema_version']!r}")
        parts = {str(n): SeasonPart.from_dict(p) for n, p in record["parts"].items()}
        return cls(str(record["season"]), parts)
