"""How rows of the registry merge, and how a table takes them in. Pure; knows no storage.

Merging is a join: in whatever order and however often rows of one key arrive, the same row
comes out. So a notice may be folded twice, and by anybody.
"""

from __future__ import annotations

import io
import json
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import groupby
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from screenalytics_core import layout
from screenalytics_core.errors import SchemaMismatchError
from screenalytics_core.ledger.run_rows import RUNS_TABLE
from screenalytics_core.ledger.stage_rows import STAGE_RUNS_TABLE
from screenalytics_core.schema import TableSpec
from screenalytics_core.yaml_schema import load_schema, violations

Row = dict[str, Any]
RunId = tuple[str, str]
"""ep_id and run_id, as of a `RunKey`."""

# What Arrow raises for bytes that are not a parquet file, or not a whole one.
UNREADABLE: Final = (pa.ArrowException, OSError, ValueError, KeyError)


@dataclass(frozen=True, slots=True)
class RegistryTable:
    """One of the registry's files.

    Attributes:
        schema: Schema file that each row conforms to as well; None if the spec says it all.
        order: Columns that the rows of the file are sorted by.
        earliest: Columns that keep the earliest value seen.
        kept: Columns that keep an older value when the newer row has none.
    """

    key: str
    spec: TableSpec
    order: tuple[str, ...]
    schema: str | None = None
    earliest: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    def checked(self, rows: Iterable[Row]) -> list[Row]:
        """Return rows with the spec's columns in its order and types.

        Raises:
            SchemaMismatchError: A row does not conform. Rows of equal key are fine.
        """
        # A key may repeat until the rows are merged.
        checked: list[Row] = replace(self.spec, key=()).from_rows(list(rows)).to_pylist()
        for row in checked:
            wrong = violations(row, load_schema(self.schema)) if self.schema else []
            if wrong:
                raise SchemaMismatchError(spec_name=self.spec.name, reason="; ".join(wrong[:3]))
        return checked

    def merged(self, rows: Iterable[Row]) -> list[Row]:
        """Return one row per key."""
        by_key: dict[tuple[Any, ...], list[Row]] = {}
        for row in rows:
            by_key.setdefault(tuple(row[name] for name in self.spec.key), []).append(row)
        return [reduce(self._merge, same) for same in by_key.values()]

    def _merge(self, one: Row, other: Row) -> Row:
        """Return the later row; the earlier one gives only what `earliest` and `kept` say."""
        ranks = self._rank(one), self._rank(other)
        older, newer = (one, other) if ranks[0] < ranks[1] else (other, one)
        merged = dict(newer)
        for name in self.earliest:
            merged[name] = min(one[name], other[name])
        for name in self.kept:
            if ranks[0] == ranks[1] and None not in (one[name], other[name]):
                merged[name] = max(one[name], other[name])
            elif merged[name] is None:
                merged[name] = older[name]
        return merged

    def _rank(self, row: Row) -> tuple[int, int, int, str]:
        """Order rows of one key; of equally late ones the one that knows more is the later."""
        own = {k: v for k, v in row.items() if k not in (*self.earliest, *self.kept)}
        known = sum(v not in (None, []) for v in own.values())
        return row["attempt"], row["sequence"], known, json.dumps(own, sort_keys=True)

    def taken_in(
        self, table: pa.Table, rows: Iterable[Row], dropped: Collection[RunId] = ()
    ) -> pa.Table:
        """Return `table` with `rows` merged in; `table` itself if that changes nothing.

        Args:
            table: Sorted by `order`, as this method returns it.
            rows: Checked ones.
            dropped: Runs whose rows in `table` are forgotten first.
        """
        pending = list(rows)
        run_ids = {row["run_id"] for row in pending} | {run_id for _, run_id in dropped}
        if not run_ids:
            return table
        # Only rows of these run_ids become Python objects; the rest is neither looked at nor
        # copied, so that one row more costs little beside many.
        wanted = pa.array(sorted(run_ids), pa.string())
        touched = pc.indices_nonzero(pc.is_in(table["run_id"], value_set=wanted))
        before = table.take(touched).to_pylist()
        held = [r for r in before if (r["ep_id"], r["run_id"]) not in dropped]
        after = sorted(self.merged([*held, *pending]), key=self._place)
        if after == before:
            return table
        return self._inserted(_without(table, touched.to_pylist()), after)

    def _inserted(self, table: pa.Table, rows: list[Row]) -> pa.Table:
        """Return a sorted table with sorted rows, of keys that it does not hold, put in."""
        places = [bisect_left(_Places(table, self.order), self._place(row)) for row in rows]
        added = self.spec.from_rows(rows)
        pieces, start = [], 0
        for place, same in groupby(range(len(rows)), key=places.__getitem__):
            group = list(same)
            pieces += [table.slice(start, place - start), added.slice(group[0], len(group))]
            start = place
        return pa.concat_tables([*pieces, table.slice(start)])

    def _place(self, row: Row) -> tuple[Any, ...]:
        return tuple(row[name] for name in self.order)

    def empty(self) -> pa.Table:
        """Return the table without rows."""
        return self.spec.arrow_schema().empty_table()

    def encode(self, table: pa.Table, notes: Mapping[str, str]) -> bytes:
        """Return the parquet file of a table, `notes` in its footer."""
        sink = io.BytesIO()
        noted = table.replace_schema_metadata(dict(notes))
        pq.write_table(noted, sink, compression="zstd", version="2.6", write_page_checksum=True)
        return sink.getvalue()

    def decode(self, content: bytes) -> pa.Table:
        """Return the table of a parquet file.

        Raises:
            SchemaMismatchError: It is not one, or has other columns.
        """
        try:
            source = pa.BufferReader(content)
            file = pq.ParquetFile(source, page_checksum_verification=True)
            # A reading command aborted once at its exit; Arrow's thread pool is only suspected.
            table = file.read(use_threads=False)
        except UNREADABLE as error:
            raise SchemaMismatchError(spec_name=self.spec.name, reason=str(error)) from None
        return self.spec.conform(table.replace_schema_metadata(None))


class _Places(Sequence[tuple[Any, ...]]):
    """The sort keys of a table's rows, each made when it is asked for."""

    def __init__(self, table: pa.Table, order: tuple[str, ...]) -> None:
        self._columns = [table[name] for name in order]

    def __len__(self) -> int:
        return len(self._columns[0])

    def __getitem__(self, index: Any) -> Any:
        return tuple(column[index].as_py() for column in self._columns)


def _without(table: pa.Table, indices: list[int]) -> pa.Table:
    """Return a table less some rows, their indices ascending; nothing is copied."""
    starts, ends = [0, *(i + 1 for i in indices)], [*indices, table.num_rows]
    kept = [table.slice(a, b - a) for a, b in zip(starts, ends, strict=True) if a < b]
    return pa.concat_tables([table.slice(0, 0), *kept])


RUNS: Final = RegistryTable(
    layout.RUNS_REGISTRY_KEY,
    RUNS_TABLE,
    order=("created_ts", "ep_id", "run_id"),
    schema="ledger/runs_registry.schema.yaml",
    earliest=("created_ts",),
    kept=("people", "screen_time_s", "cost_total", "metrics_path", "parent_run_id"),
)
STAGE_RUNS: Final = RegistryTable(
    layout.STAGE_RUNS_REGISTRY_KEY,
    STAGE_RUNS_TABLE,
    order=("started_at", "ep_id", "run_id", "attempt", "stage"),
)
