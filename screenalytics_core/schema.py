"""What an artifact looks like, and nothing about where it lives.

Tables have a `TableSpec`, JSON documents a `DocumentSpec` (header fields plus named
tables). Writers conform to them, readers check against them, docs and the Dagster UI
render them. Paths belong in `layout`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from screenalytics_core.errors import SchemaMismatchError


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `unit` ("px", "s", "frame") is shown to readers verbatim."""

    name: str
    dtype: pa.DataType
    description: str
    unit: str | None = None
    nullable: bool = False

    def field(self) -> pa.Field:
        """Return the Arrow field."""
        return pa.field(self.name, self.dtype, self.nullable)


@dataclass(frozen=True, slots=True)
class TableSpec:
    """The columns of one table, in order, and the columns that identify a row."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    def arrow_schema(self) -> pa.Schema:
        """Return the exact schema that is on disk."""
        return pa.schema([c.field() for c in self.columns])

    def from_rows(self, rows: list[dict[str, Any]]) -> pa.Table:
        """Build a table from row dicts; a nullable column may be left out of a row.

        Raises:
            SchemaMismatchError: As `conform`.
        """
        known = {c.name for c in self.columns}
        unknown = sorted({name for row in rows for name in row} - known)
        if unknown:
            raise SchemaMismatchError(spec_name=self.name, reason=f"unknown columns {unknown}")
        try:
            table = pa.Table.from_pylist(rows, schema=self.arrow_schema())
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeError) as error:
            raise SchemaMismatchError(spec_name=self.name, reason=str(error)) from error
        return self.conform(table)

    def conform(self, table: pa.Table) -> pa.Table:
        """Reorder and cast `table` to this spec.

        Args:
            table: Any column order; zero rows are fine (an episode without faces).

        Raises:
            SchemaMismatchError: A column is missing, unknown or not castable, a
                required value is null, or two rows share a key.
        """
        names = [c.name for c in self.columns]
        missing = [n for n in names if n not in table.column_names]
        if missing:
            raise SchemaMismatchError(spec_name=self.name, reason=f"missing columns {missing}")
        unknown = [n for n in table.column_names if n not in names]
        if unknown:
            raise SchemaMismatchError(spec_name=self.name, reason=f"unknown columns {unknown}")
        try:
            # Nulls are checked below by name: a cast to a non-nullable field accepts them.
            conformed = table.select(names).cast(self.arrow_schema())
        except (
            pa.ArrowInvalid,
            pa.ArrowTypeError,
            pa.ArrowNotImplementedError,
            ValueError,
        ) as error:
            raise SchemaMismatchError(spec_name=self.name, reason=str(error)) from error
        for column in self.columns:
            if not column.nullable and conformed.column(column.name).null_count:
                raise SchemaMismatchError(
                    spec_name=self.name, reason=f"null in required column {column.name!r}"
                )
        self._check_key(conformed)
        return conformed

    def _check_key(self, table: pa.Table) -> None:
        if not self.key or table.num_rows < 2:
            return
        keys = table.select(list(self.key))
        if (
            keys.group_by(list(self.key), use_threads=False).aggregate([]).num_rows
            != table.num_rows
        ):
            raise SchemaMismatchError(spec_name=self.name, reason=f"duplicate key {self.key}")


@dataclass(frozen=True, slots=True)
class DocumentSpec:
    """A JSON document: header fields, then lists of rows, each with a `TableSpec`.

    A row list stands in the document under its table's `name`.
    """

    name: str
    fields: tuple[Column, ...]
    tables: tuple[TableSpec, ...] = ()

    def conform(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the document with its keys in the spec's order and its values checked.

        Raises:
            SchemaMismatchError: A key is missing or unknown, or a value does not fit.
        """
        names = [f.name for f in self.fields] + [t.name for t in self.tables]
        unknown = sorted(set(document) - set(names))
        if unknown:
            raise SchemaMismatchError(spec_name=self.name, reason=f"unknown keys {unknown}")
        header = TableSpec(self.name, self.fields, ())
        known = {f.name for f in self.fields}
        row = {k: v for k, v in document.items() if k in known}
        missing = [n for n in names if n not in document and n not in self._optional()]
        if missing:
            raise SchemaMismatchError(spec_name=self.name, reason=f"missing keys {missing}")
        conformed: dict[str, Any] = dict(header.from_rows([row]).to_pylist()[0])
        for table in self.tables:
            conformed[table.name] = table.from_rows(list(document[table.name])).to_pylist()
        return conformed

    def _optional(self) -> set[str]:
        return {f.name for f in self.fields if f.nullable}
