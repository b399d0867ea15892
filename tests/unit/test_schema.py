"""`conform` is the only door into storage, so these pin what it refuses."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from screenalytics_core.errors import SchemaMismatchError
from screenalytics_core.schema import Column, DocumentSpec, TableSpec

PEOPLE = TableSpec(
    "people",
    (
        Column("person_id", pa.int64(), "who"),
        Column("seen_s", pa.float32(), "how long", "s"),
        Column("label", pa.string(), "name", nullable=True),
    ),
    ("person_id",),
)
BOOK = DocumentSpec(
    "book",
    (
        Column("title", pa.string(), "title"),
        Column("pages", pa.int64(), "length", nullable=True),
    ),
    (PEOPLE,),
)
ROWS: dict[str, list[Any]] = {"label": ["Ann", None], "person_id": [1, 2], "seen_s": [0.5, 1.5]}


def test_columns_are_put_in_order_and_cast() -> None:
    conformed = PEOPLE.conform(pa.table({**ROWS, "person_id": pa.array([1, 2], pa.int8())}))

    assert conformed.schema.equals(PEOPLE.arrow_schema())
    assert conformed.column_names == ["person_id", "seen_s", "label"]


def test_a_table_without_rows_is_valid() -> None:
    assert PEOPLE.conform(PEOPLE.arrow_schema().empty_table()).num_rows == 0
    assert PEOPLE.from_rows([]).num_rows == 0


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        pytest.param({"score": [1, 1]}, "unknown columns ['score']", id="unknown column"),
        pytest.param({"seen_s": [0.9, None]}, "'seen_s' with null", id="null"),
        pytest.param({"person_id": [7, 7]}, "duplicate key ('person_id',)", id="repeated key"),
        pytest.param({"person_id": ["x", "y"]}, "Failed to parse", id="not castable"),
        pytest.param({"person_id": [1.5, 2.0]}, "truncated", id="would lose digits"),
    ],
)
def test_conform_refuses_and_names_the_artifact(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(SchemaMismatchError) as raised:
        PEOPLE.conform(pa.table({**ROWS, **changed}))

    assert raised.value.spec_name == "people"
    assert reason in raised.value.reason


def test_a_missing_column_is_named() -> None:
    with pytest.raises(SchemaMismatchError, match=r"missing columns \['seen_s', 'label'\]"):
        PEOPLE.conform(pa.table({"person_id": [1]}))


def test_a_row_may_leave_out_what_may_be_null() -> None:
    table = PEOPLE.from_rows([{"person_id": 1, "seen_s": 2}])

    assert table.to_pylist() == [{"person_id": 1, "seen_s": 2.0, "label": None}]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"person_id": 1, "seen_s": 1.0, "name": "x"}, "unknown columns ['name']"),
        ({"person_id": 1}, "'seen_s' with null"),
        ({"person_id": "one", "seen_s": 1.0}, "one"),
        ({"person_id": 2**70, "seen_s": 1.0}, "too large"),
    ],
)
def test_a_bad_row_is_refused(row: dict[str, Any], reason: str) -> None:
    with pytest.raises(SchemaMismatchError) as raised:
        PEOPLE.from_rows([row])

    assert reason in raised.value.reason


def test_a_document_gets_the_order_of_its_spec() -> None:
    document = BOOK.conform({"people": [{"seen_s": 1, "person_id": 1}], "title": "T"})

    assert list(document) == ["title", "pages", "people"]
    assert document["pages"] is None
    assert document["people"] == [{"person_id": 1, "seen_s": 1.0, "label": None}]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"title": "T", "people": [], "author": "A"}, "unknown keys ['author']"),
        ({"people": []}, "missing keys ['title']"),
        ({"title": "T"}, "missing keys ['people']"),
        ({"title": 3, "people": []}, "int"),
        ({"title": "T", "people": [{"person_id": 1}]}, "'seen_s' with null"),
    ],
)
def test_a_bad_document_is_refused(document: dict[str, Any], reason: str) -> None:
    with pytest.raises(SchemaMismatchError) as raised:
        BOOK.conform(document)

    assert reason in raised.value.reason


def test_text_that_is_no_unicode_is_refused_by_name() -> None:
    spec = TableSpec("words", (Column("word", pa.string(), "any"),), ())

    with pytest.raises(SchemaMismatchError, match="surrogates not allowed"):
        spec.from_rows([{"word": "half a character: \ud800"}])
