"""What is on disk: exact, deterministic, and refused when it is not what the spec says."""

from __future__ import annotations

import dataclasses
import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from screenalytics_core.artifacts import ARTIFACTS, EMBEDDING_DIM, ArtifactKind, Codec, FileSpec
from screenalytics_core.codecs import decode, encode
from screenalytics_core.errors import SchemaMismatchError
from screenalytics_core.schema import Column, DocumentSpec, TableSpec

NUMBERS = FileSpec(
    "numbers",
    "numbers.jsonl",
    Codec.JSONL,
    TableSpec("numbers", (Column("x", pa.float32(), "x"), Column("y", pa.float64(), "y")), ()),
    "numbers",
)
NAMES = FileSpec(
    "names",
    "names.csv",
    Codec.CSV,
    TableSpec("names", (Column("label", pa.string(), "name", nullable=True),), ()),
    "names",
)
HEADER_ONLY = FileSpec(
    "header",
    "header.json",
    Codec.JSON,
    DocumentSpec("header", (Column("x", pa.float32(), "x"),)),
    "no tables",
)
DETECTIONS = ARTIFACTS[ArtifactKind.DETECTIONS].primary
SHOTS = ARTIFACTS[ArtifactKind.SHOTS].primary
EMBEDDINGS = ARTIFACTS[ArtifactKind.FACES_EMBEDDINGS].primary
REPS = ARTIFACTS[ArtifactKind.TRACK_REPS].primary
REP_NUMBERS = ("track_id", "representative_face_id", "spread", "clarity")
CROPS = ARTIFACTS[ArtifactKind.FACES].file("crops")
PDF = ARTIFACTS[ArtifactKind.REPORT].primary
HTML = FileSpec("html", "report.html", Codec.HTML, None, "page")


def text_of(file: FileSpec, value: Any) -> str:
    return b"".join(encode(file, value).chunks).decode()


def numbers(x: Any, y: Any = 0.0) -> pa.Table:
    xs = np.atleast_1d(np.asarray(x, np.float32))
    return pa.table({"x": xs, "y": np.full(len(xs), y, np.float64)})


@given(
    hnp.arrays(np.float32, 20, elements=st.floats(width=32, allow_nan=False, allow_infinity=False))
)
def test_every_float32_comes_back_as_it_was(values: np.ndarray[Any, np.dtype[np.float32]]) -> None:
    written = text_of(NUMBERS, numbers(values))
    read = decode(NUMBERS, io.BytesIO(written.encode())).column("x").to_numpy()

    assert read.dtype == np.float32
    assert read.tobytes() == values.tobytes()


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float32_is_written_as_briefly_as_possible(value: float) -> None:
    written = json.loads(text_of(NUMBERS, numbers(value)))["x"]
    shortest = np.format_float_scientific(np.float32(value), unique=True, trim="-")

    assert float(shortest) == written


def test_a_line_of_jsonl_is_compact_and_in_the_specs_order() -> None:
    table = pa.table({"y": [1 / 3, 2.0], "x": pa.array([0.1, 1e-7], pa.float32())})

    assert text_of(NUMBERS, table) == ('{"x":0.1,"y":0.3333333333333333}\n{"x":1e-07,"y":2.0}\n')


def test_more_rows_than_a_chunk_come_back_in_order() -> None:
    table = numbers(np.arange(10_000))
    chunks = list(encode(NUMBERS, table).chunks)

    assert len(chunks) == 10
    assert decode(NUMBERS, io.BytesIO(b"".join(chunks))).to_pylist() == table.to_pylist()


def test_long_rows_are_held_a_few_at_a_time_both_ways(tmp_path: Path) -> None:
    """A thousand vectors of 512 would take 17 MB as Python's floats."""
    vectors = np.random.default_rng(1).random((1024, EMBEDDING_DIM), np.float32)
    rows = [{**dict.fromkeys(REP_NUMBERS, n), "embedding": v} for n, v in enumerate(vectors)]
    table = REPS.spec.from_rows([{**row, "face_ids": [0]} for row in rows])
    path = tmp_path / "reps.jsonl"

    tracemalloc.start()
    with path.open("wb") as file:
        file.writelines(encode(REPS, table).chunks)
    _, encoding_bytes = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    with path.open("rb") as file:
        back = decode(REPS, file)
    _, decoding_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert back.equals(table)
    assert max(encoding_bytes, decoding_bytes) < 6e6


def test_lists_with_gaps_keep_their_rows_apart() -> None:
    spec = TableSpec(
        "lists", (Column("v", pa.list_(pa.list_(pa.float32(), 2)), "", None, True),), ()
    )
    file = FileSpec("lists", "lists.jsonl", Codec.JSONL, spec, "")
    rows = [{"v": [[0.1, 0.2]]}, {"v": None}, {"v": []}, {"v": [[0.3, 0.4], [0.5, 0.6]]}]
    table = spec.from_rows(rows)

    assert text_of(file, table).splitlines() == [json.dumps(r, separators=(",", ":")) for r in rows]
    assert text_of(file, table.slice(1, 3)).splitlines() == [
        json.dumps(r, separators=(",", ":")) for r in rows[1:]
    ]


def test_a_document_has_a_row_per_line() -> None:
    shot = {"shot_id": 0, "start_frame": 0, "end_frame": 3, "start_s": 0.0, "end_s": 0.1}
    facts = {"fps": "30/1", "width_px": 4, "height_px": 2, "frame_count": 3, "start_s": 0.0}
    document = {
        **facts,
        "duration_s": 0.1,
        "shots": [shot, {**shot, "shot_id": 1}],
    }
    text = text_of(SHOTS, document)

    assert json.loads(text) == document
    assert sum('"shot_id"' in line for line in text.splitlines()) == 2
    assert encode(SHOTS, document).rows == 2
    assert '"shots": []' in text_of(SHOTS, {**document, "shots": []})


def test_a_document_without_tables_has_no_row_count() -> None:
    encoded = encode(HEADER_ONLY, {"x": 0.1})

    assert encoded.rows is None
    assert b"".join(encoded.chunks) == b'{\n "x": 0.1\n}\n'


def test_csv_tells_no_name_from_an_empty_one() -> None:
    table = pa.table({"label": [None, "", "a,b", 'say "hi"\nthere']})

    assert decode(NAMES, io.BytesIO(text_of(NAMES, table).encode())).equals(table)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_a_number_is_not_written(bad: float) -> None:
    with pytest.raises(SchemaMismatchError, match="NaN or infinity"):
        text_of(NUMBERS, numbers(bad))
    with pytest.raises(SchemaMismatchError, match="NaN or infinity"):
        text_of(NUMBERS, numbers(1.0, bad))
    with pytest.raises(SchemaMismatchError, match="NaN or infinity"):
        encode(EMBEDDINGS, np.full((1, 512), bad, np.float32))


@pytest.mark.parametrize(
    ("file", "value", "reason"),
    [
        pytest.param(NUMBERS, [{"x": 1}], "is a list, jsonl wants Table", id="rows for a table"),
        pytest.param(SHOTS, "text", "is a str, json wants Mapping", id="text for a document"),
        pytest.param(DETECTIONS, numbers(1.0), "missing columns", id="another table"),
        pytest.param(EMBEDDINGS, np.zeros((2, 512)), "dtype float64", id="dtype"),
        pytest.param(EMBEDDINGS, np.zeros((2, 5), np.float32), "shape (2, 5)", id="width"),
        pytest.param(EMBEDDINGS, np.zeros(512, np.float32), "shape (512,)", id="dimensions"),
        pytest.param(EMBEDDINGS, [[1.0]], "is a list, npy wants ndarray", id="list for an array"),
        pytest.param(CROPS, io.BytesIO(b"no zip"), "is not a zip archive", id="zip"),
        pytest.param(CROPS, b"bytes", "is not a zip archive", id="bytes for a zip"),
        pytest.param(PDF, b"<html>", "does not start with %PDF-", id="pdf"),
        pytest.param(HTML, "text", "is a str, html wants bytes", id="text for html"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(file: FileSpec, value: Any, reason: str) -> None:
    with pytest.raises(SchemaMismatchError) as raised:
        encode(file, value)

    assert reason in raised.value.reason


@pytest.mark.parametrize("file", [NUMBERS, SHOTS, EMBEDDINGS, NAMES, CROPS])
def test_foreign_bytes_are_refused_with_the_artifacts_name(file: FileSpec) -> None:
    with pytest.raises(SchemaMismatchError) as raised:
        decode(file, io.BytesIO(b"\x93 not at all"))

    assert raised.value.spec_name == (file.spec.name if file.spec else file.part)


def test_foreign_parquet_is_refused() -> None:
    with pytest.raises(SchemaMismatchError, match="not readable as parquet"):
        decode(ARTIFACTS[ArtifactKind.SCREEN_TIME].file("segments"), io.BytesIO(b"x" * 100))


def test_a_truncated_array_is_refused() -> None:
    content = b"".join(encode(EMBEDDINGS, np.ones((3, 512), np.float32)).chunks)

    with pytest.raises(SchemaMismatchError, match="not readable as npy"):
        decode(EMBEDDINGS, io.BytesIO(content[:-1]))


@pytest.mark.parametrize("line", [b"3", b"[1]", b'{"x": "1", "y": 0}', b'{"x": 1}'])
def test_a_line_that_is_no_row_is_refused(line: bytes) -> None:
    with pytest.raises(SchemaMismatchError):
        decode(NUMBERS, io.BytesIO(line))


@pytest.mark.parametrize("codec", [Codec.JSONL, Codec.JSON, Codec.NPY])
def test_a_codec_needs_its_kind_of_spec(codec: Codec) -> None:
    value = {Codec.JSON: {}, Codec.NPY: np.zeros(1)}.get(codec, numbers(1.0))
    with pytest.raises(SchemaMismatchError, match=r"has no .* spec"):
        encode(dataclasses.replace(NUMBERS, codec=codec, spec=None), value)


def test_html_is_kept_as_it_is() -> None:
    assert decode(HTML, io.BytesIO(text_of(HTML, b"<p>").encode())) == b"<p>"
