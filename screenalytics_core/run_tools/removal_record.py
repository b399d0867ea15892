"""The trace of a removed run: a note in its folder while it goes, one audit line for ever.

The note is written before the first file is deleted and deleted after the last one, so a
removal that was killed is found, and finished. The audit says whose Dagster runs are gone:
taking their events in again would bring the run back as a ghost.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from screenalytics_core import layout
from screenalytics_core.errors import KeyMissingError
from screenalytics_core.records import read_record
from screenalytics_core.run_record import RunKey
from screenalytics_core.storage.base import Storage


@dataclass(frozen=True, slots=True)
class RemovalRecord:
    """One removal.

    Attributes:
        at: ISO 8601 in UTC.
        dagster_run_ids: Every Dagster run that belonged to the run.
    """

    ep_id: str
    run_id: str
    at: str
    who: str
    why: str
    size_bytes: int
    freed_bytes: int
    dagster_run_ids: tuple[str, ...] = ()
    removal_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def key(self) -> RunKey:
        """The run."""
        return RunKey(self.ep_id, self.run_id)

    def to_line(self) -> bytes:
        """Return it as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False).encode() + b"\n"

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Self:
        """Build it from its note or its line."""
        return cls(**{**record, "dagster_run_ids": tuple(record["dagster_run_ids"])})


def removal_key(ep_id: str, run_id: str) -> str:
    """Return the key of the note in the run's folder."""
    return layout.artifact_key(ep_id, run_id, "removal.json")


def removal_in_progress(storage: Storage, key: RunKey) -> RemovalRecord | None:
    """Return the note of a removal that did not end, or None.

    Raises:
        ArtifactCorruptError: The note is damaged.
    """
    way_out = "Look at the run, and delete the note or the folder by hand."
    return read_record(storage, removal_key(*key), RemovalRecord.from_dict, way_out)


def append_audit(storage: Storage, removal: RemovalRecord) -> None:
    """Add a removal's line to the audit, unless it stands there."""
    with storage.lock(layout.GC_AUDIT_KEY):
        if all(line.get("removal_id") != removal.removal_id for line in read_audit(storage)):
            storage.append(layout.GC_AUDIT_KEY, removal.to_line())


def read_audit(storage: Storage) -> Iterator[dict[str, Any]]:
    """Yield the lines of the audit; what is no line of it is passed over."""
    try:
        content = storage.read_bytes(layout.GC_AUDIT_KEY)
    except KeyMissingError:
        return
    for line in content.splitlines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue  # torn by a crash
        if isinstance(record, dict) and isinstance(record.get("dagster_run_ids"), list):
            yield record


def removed_dagster_runs(storage: Storage) -> frozenset[str]:
    """Return the Dagster runs whose run was removed: nobody mirrors them again."""
    return frozenset(str(i) for line in read_audit(storage) for i in line["dagster_run_ids"])
