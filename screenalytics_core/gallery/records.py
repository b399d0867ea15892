"""`member.json`: who a cast member is, and which crops show their face."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self

from screenalytics_core.gallery.prototypes import Origin

SCHEMA_VERSION: Final = 1
NOT_ONE: Final = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What `Member.parse` raises for a file that is none."""

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_PROTOTYPE_ID: Final = re.compile(r"p-[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Prototype:
    """One face of a member.

    Attributes:
        prototype_id: From the crop's pixels: the same crop is the same prototype.
        origin: A picture that somebody gave, or an episode.
        source: File name, or run, face and time; for people.
        quality: 0 to 1, as `faces.quality`.
        sha256: Of the crop's file.
        source_sha256: Of the picture; None of an episode.
        added_at: ISO 8601, UTC.
        added_by: Who said so.
        run: `EP/RUN` that the face is of; None of a picture.
        track_id: Its track there; None of a picture.
    """

    prototype_id: str
    origin: Origin
    source: str
    quality: float
    sha256: str
    source_sha256: str | None
    added_at: str
    added_by: str
    run: str | None = None
    track_id: int | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One cast member.

    Attributes:
        label: Display name.
        created_at: ISO 8601, UTC.
        by: Who made the member.
        prototypes: In the order in which they were added.
    """

    cast_id: str
    label: str
    created_at: str
    by: str
    prototypes: tuple[Prototype, ...] = ()
    schema_version: int = SCHEMA_VERSION

    def with_prototypes(self, prototypes: tuple[Prototype, ...]) -> Member:
        """Return the member with other faces."""
        return replace(self, prototypes=prototypes)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return asdict(self)

    def to_bytes(self) -> bytes:
        """Return the bytes of its file."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def parse(cls, content: bytes, cast_id: str) -> Self:
        """Read a member's file; one of `NOT_ONE` if it is none, or another member's."""
        record = json.loads(content)
        prototypes = tuple(_prototype(p) for p in record["prototypes"])
        member = cls(**{**record, "prototypes": prototypes})
        texts = (member.cast_id, member.label, member.created_at, member.by)
        if not all(isinstance(text, str) and text for text in texts):
            raise ValueError("a name or a time is no text")
        if member.cast_id != cast_id:
            raise ValueError(f"it is of {member.cast_id!r}")
        if member.schema_version != SCHEMA_VERSION:
            raise ValueError(f"schema_version {member.schema_version!r} is not known")
        if len({p.prototype_id for p in prototypes}) < len(prototypes):
            raise ValueError("a prototype stands in it twice")
        return member


def _prototype(record: Mapping[str, Any]) -> Prototype:
    found = Prototype(**{**record, "origin": Origin(record["origin"])})
    # They become file names, and say what the files hold.
    if not _PROTOTYPE_ID.fullmatch(found.prototype_id) or not _SHA256.fullmatch(found.sha256):
        raise ValueError(f"prototype {found.prototype_id!r} has no name or no sha256")
    if not isinstance(found.run, str | None) or not isinstance(found.track_id, int | None):
        raise ValueError(f"prototype {found.prototype_id} is of no run and track")
    if not math.isfinite(found.quality):
        raise ValueError(f"prototype {found.prototype_id} has no quality")
    return found
