"""`seasons/{show}-s{SS}/`: what a season was rolled up to, and what was said of its links.

A part (the files of one asset) is withdrawn from season.json before its files are replaced and
written into it last, all under the season's lock. So what stands in the record is whole, and a
crash in between leaves a part that is missing, never one that is half old.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from screenalytics_core import layout
from screenalytics_core.artifacts import FileSpec
from screenalytics_core.codecs import decode, encode
from screenalytics_core.errors import (
    ArtifactCorruptError,
    ArtifactNotFoundError,
    KeyMissingError,
)
from screenalytics_core.records import NumberedLog, read_record
from screenalytics_core.seasons.model import EpisodeInput
from screenalytics_core.seasons.record import (
    LINK_DECISIONS_FILE,
    RECORD_FILE,
    SeasonFile,
    SeasonPart,
    SeasonRecord,
)
from screenalytics_core.seasons.rejections import Rejection
from screenalytics_core.seasons.specs import PART_FILES
from screenalytics_core.storage.base import StagedFile, Storage

_ANEW: Final = "Remove it and run `screenalytics season rollup {season}`: nothing is lost."


class SeasonStore:
    """The seasons of a data root."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def record(self, season: str) -> SeasonRecord:
        """Return season.json; without parts where nothing was rolled up.

        Raises:
            ArtifactCorruptError: It is damaged, or that of another season.
        """
        key = layout.season_key_of(season, RECORD_FILE)
        way_out = _ANEW.format(season=season)
        record = read_record(self._storage, key, SeasonRecord.from_dict, way_out)
        if record is None:
            return SeasonRecord(season)
        if record.season != season:
            raise ArtifactCorruptError(
                thing=self._storage.location(key),
                reason=f"belongs to {record.season}",
                way_out=way_out,
            )
        return record

    def is_made(self, season: str) -> bool:
        """Tell whether something was rolled up and stands, damaged or not."""
        return self._storage.exists(layout.season_key_of(season, RECORD_FILE))

    def publish(
        self,
        season: str,
        name: str,
        values: Mapping[str, Any],
        *,
        signature: str,
        version: str,
        episodes: Sequence[EpisodeInput],
    ) -> SeasonPart:
        """Replace a part of a season.

        Args:
            name: A key of `specs.PART_FILES`.
            values: part of each of its files -> value.
            signature: `model.signature` of what it was made from.

        Raises:
            SchemaMismatchError: A value does not fit its file; nothing was changed.
            DiskSpaceError: The disk is full; nothing was changed.
        """
        staged: dict[str, StagedFile] = {}
        try:
            for file in PART_FILES[name]:
                key = layout.season_key_of(season, file.filename)
                staged[file.filename] = self._storage.stage(
                    key, encode(file, values[file.part]).chunks
                )
            files = {n: SeasonFile(s.sha256, s.size_bytes) for n, s in staged.items()}
            part = SeasonPart(signature, version, tuple(episodes), files)
            with self._storage.lock(layout.season_key_of(season, RECORD_FILE)):
                self._replace(season, name, part, staged.values())
        finally:
            for one in staged.values():
                self._storage.discard(one)
        return part

    def _replace(self, season: str, name: str, part: SeasonPart, staged: Any) -> None:
        """Withdraw the part, replace its files, put it into the record; under the lock."""
        record = self._record_or_none(season)
        if name in record.parts:
            self._write(record.without(name))
        for one in staged:
            self._storage.commit(one)
        self._write(record.with_part(name, part))

    def _record_or_none(self, season: str) -> SeasonRecord:
        """Return the record; a damaged one is made anew, since it only tells of what is there."""
        try:
            return self.record(season)
        except ArtifactCorruptError:
            return SeasonRecord(season)

    def _write(self, record: SeasonRecord) -> None:
        text = json.dumps(record.to_dict(), indent=1, ensure_ascii=False) + "\n"
        key = layout.season_key_of(record.season, RECORD_FILE)
        self._storage.write_atomic(key, text.encode())

    def read(self, season: str, name: str, file: FileSpec) -> Any:
        """Return the value of a file of a part, its hash checked.

        Raises:
            ArtifactNotFoundError: The season was not rolled up, or is being so.
            ArtifactCorruptError: Its bytes are not those that were published.
        """
        return decode(file, io.BytesIO(self.read_bytes(season, name, file)))

    def read_bytes(self, season: str, name: str, file: FileSpec) -> bytes:
        """Return the bytes of a file of a part, their hash checked; raises as `read`."""
        key = layout.season_key_of(season, file.filename)
        if name not in self.record(season).parts:
            raise _not_there(season, name)  # a lock would leave a folder behind
        # Whoever replaces the part holds the lock until it is whole again.
        with self._storage.lock(layout.season_key_of(season, RECORD_FILE)):
            part = self.record(season).parts.get(name)
            if part is None:
                raise _not_there(season, name)
            try:
                content = self._storage.read_bytes(key)
            except KeyMissingError as error:
                raise _not_there(season, name) from error
        expected = part.files[file.filename].sha256
        found = sha256(content).hexdigest()
        if found != expected:
            raise ArtifactCorruptError(
                thing=self._storage.location(key),
                reason=f"sha256 is {found}, season.json says {expected}",
                way_out=_ANEW.format(season=season),
            )
        return content

    def location(self, season: str, file: FileSpec) -> str:
        """Say where a file of a season lies or would lie."""
        return self._storage.location(layout.season_key_of(season, file.filename))

    def rolled_up_files(self, season: str) -> tuple[str, ...]:
        """Return the keys of what a roll-up made; what people said about links is not of it."""
        names = self._storage.list(layout.season_prefix(season))
        return tuple(name for name in names if not name.endswith(f"/{LINK_DECISIONS_FILE}"))

    def withdraw(self, season: str) -> None:
        """Delete what a roll-up made, the record first; once more after a kill does the rest."""
        record = layout.season_key_of(season, RECORD_FILE)
        if not self.rolled_up_files(season):
            return  # a lock would leave a folder behind
        with self._storage.lock(record):
            self._storage.delete(record)
            for name in self.rolled_up_files(season):
                self._storage.delete(name)

    def rejections(self, season: str) -> tuple[Rejection, ...]:
        """Return who was said not to be one person, oldest first.

        Raises:
            ArtifactCorruptError: A line is not one; a torn last one is left out.
        """
        return self._link_decisions(season).read()

    def reject(self, season: str, rejection: Rejection) -> Rejection:
        """Add a decision; return it with its sequence.

        Raises:
            ArtifactCorruptError: The log is damaged; nothing is added.
        """
        return self._link_decisions(season).append(rejection)

    def _link_decisions(self, season: str) -> NumberedLog[Rejection]:
        key = layout.season_key_of(season, LINK_DECISIONS_FILE)
        return NumberedLog(self._storage, key, Rejection.from_dict)

    def rejections_sha256(self, season: str) -> str:
        """Return the content hash of `link_decisions.jsonl`; "none" without one."""
        key = layout.season_key_of(season, LINK_DECISIONS_FILE)
        try:
            return sha256(self._storage.read_bytes(key)).hexdigest()
        except KeyMissingError:
            return "none"


def _not_there(season: str, name: str) -> ArtifactNotFoundError:
    return ArtifactNotFoundError(
        thing=f"{name} of season {season}",
        reason="was not made yet, or is being made",
        way_out=f"Run `screenalytics season rollup {season}`.",
    )
