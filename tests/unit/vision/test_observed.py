"""Tables of tracks as arrays."""

from __future__ import annotations

import pyarrow as pa
import pytest

from screenalytics_core.vision.observed import ascending


@pytest.mark.parametrize("ids", [[], [4], [1, 4, 9]], ids=["none", "one", "several"])
def test_rows_in_order_are_not_copied(ids: list[int]) -> None:
    table = pa.table({"track_id": pa.array(ids, pa.int64())})

    assert ascending(table, "track_id") is table


def test_rows_in_disorder_are_put_in_order() -> None:
    table = pa.table({"track_id": [9, 1, 4], "name": ["c", "a", "b"]})

    assert ascending(table, "track_id").to_pydict() == {
        "track_id": [1, 4, 9],
        "name": ["a", "b", "c"],
    }
