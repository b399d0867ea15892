"""How the value of each artifact file becomes bytes and back.

Encoding is deterministic: the same value gives the same bytes. Both directions conform to
the file's spec, so nothing invalid is written and nothing foreign is read. float32 numbers
stand in text as the shortest decimal that reads back as the same float32.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from screenalytics_core.artifacts import ArraySpec, Codec, FileSpec
from screenalytics_core.errors import SchemaMismatchError
from screenalytics_core.schema import DocumentSpec, TableSpec

_CHUNK_BYTES: Final = 1 << 20
# Python's rows take some fifty times what Arrow needs, so only a slice of them is ever held: of
# so many bytes in Arrow or twice that as text, which is a thousand boxes or sixty vectors.
_SLICE_BYTES: Final = 1 << 17
_SLICE_ROWS: Final = 1024
_JSON: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)
# What JSON, CSV, Parquet and NPY readers raise for bytes that are not theirs.
_UNREADABLE: Final = (ValueError, pa.ArrowException, KeyError, EOFError, AttributeError, TypeError)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A value on its way to disk.

    Attributes:
        chunks: The bytes, made as they are asked for; SchemaMismatchError can still come.
        rows: Rows of a table or array, or of a document's first table.
    """

    chunks: Iterator[bytes]
    rows: int | None


def encode(file: FileSpec, value: Any) -> Encoded:
    """Check `value` against the file's spec and return its bytes.

    Raises:
        SchemaMismatchError: It does not fit the spec or the codec.
    """
    return _ENCODERS[file.codec](file, value)


def decode(file: FileSpec, content: BinaryIO) -> Any:
    """Return the value that `content` holds; a zip stays open and is the caller's to close.

    Raises:
        SchemaMismatchError: The bytes are not of this codec, or do not fit the spec.
    """
    try:
        return _DECODERS[file.codec](file, content)
    except _UNREADABLE as error:
        raise _mismatch(file, f"{file.filename} is not readable as {file.codec}: {error}") from None


def _encode_jsonl(file: FileSpec, value: Any) -> Encoded:
    table = _table_spec(file).conform(_typed(file, value, pa.Table))
    return Encoded(_json_lines(file, table), table.num_rows)


def _json_lines(file: FileSpec, table: pa.Table) -> Iterator[bytes]:
    count = min(_SLICE_ROWS, max(1, _SLICE_BYTES * table.num_rows // max(1, table.nbytes)))
    for start in range(0, table.num_rows, count):
        rows = _plain_rows(table.slice(start, count))
        yield "".join(_json(file, row) + "\n" for row in rows).encode()


def _encode_json(file: FileSpec, value: Any) -> Encoded:
    spec = _document_spec(file)
    document = spec.conform(_typed(file, value, Mapping))
    header = TableSpec(spec.name, spec.fields, ()).from_rows(
        [{field.name: document[field.name] for field in spec.fields}]
    )
    members = [f"{json.dumps(k)}: {_json(file, v)}" for k, v in _plain_rows(header)[0].items()]
    for table in spec.tables:
        rows = _plain_rows(table.from_rows(document[table.name]))
        lines = ",\n  ".join(_json(file, row) for row in rows)
        members.append(
            f"{json.dumps(table.name)}: [\n  {lines}\n ]" if rows else f'"{table.name}": []'
        )
    text = "{\n " + ",\n ".join(members) + "\n}\n"
    rows_of_first = len(document[spec.tables[0].name]) if spec.tables else None
    return Encoded(iter((text.encode(),)), rows_of_first)


def _encode_csv(file: FileSpec, value: Any) -> Encoded:
    table = _table_spec(file).conform(_typed(file, value, pa.Table))
    sink = io.BytesIO()
    pyarrow.csv.write_csv(table, sink)
    return Encoded(iter((sink.getvalue(),)), table.num_rows)


def _encode_parquet(file: FileSpec, value: Any) -> Encoded:
    table = _table_spec(file).conform(_typed(file, value, pa.Table))
    sink = io.BytesIO()
    pyarrow.parquet.write_table(table, sink, compression="zstd", version="2.6")
    return Encoded(iter((sink.getvalue(),)), table.num_rows)


def _encode_npy(file: FileSpec, value: Any) -> Encoded:
    array = _conform_array(file, _typed(file, value, np.ndarray))
    return Encoded(_npy_chunks(array), len(array))


def _npy_chunks(array: NDArray[Any]) -> Iterator[bytes]:
    header = io.BytesIO()
    contiguous = np.ascontiguousarray(array)
    np.lib.format.write_array_header_1_0(
        header, np.lib.format.header_data_from_array_1_0(contiguous)
    )
    yield header.getvalue()
    content = contiguous.reshape(-1).view(np.uint8)
    for start in range(0, content.size, _CHUNK_BYTES):
        yield content[start : start + _CHUNK_BYTES].tobytes()


def _encode_zip(file: FileSpec, value: Any) -> Encoded:
    if not hasattr(value, "seek") or not zipfile.is_zipfile(value):
        raise _mismatch(file, f"{file.part} is not a zip archive")
    value.seek(0)
    return Encoded(iter(lambda: value.read(_CHUNK_BYTES), b""), None)


def _encode_bytes(file: FileSpec, value: Any) -> Encoded:
    content = _typed(file, value, bytes)
    if file.codec is Codec.PDF and not content.startswith(b"%PDF-"):
        raise _mismatch(file, f"{file.part} does not start with %PDF-")
    return Encoded(iter((content,)), None)


def _decode_jsonl(file: FileSpec, content: BinaryIO) -> pa.Table:
    spec = _table_spec(file)
    slices = iter(lambda: content.readlines(2 * _SLICE_BYTES), [])
    tables = [spec.from_rows([json.loads(line) for line in lines]) for lines in slices]
    return spec.conform(pa.concat_tables([spec.arrow_schema().empty_table(), *tables]))


def _decode_json(file: FileSpec, content: BinaryIO) -> dict[str, Any]:
    return _document_spec(file).conform(json.load(content))


def _decode_csv(file: FileSpec, content: BinaryIO) -> pa.Table:
    spec = _table_spec(file)
    table = pyarrow.csv.read_csv(
        # Arrow reads ahead in threads of its own, which must not need Python at its exit: with
        # a Python file, one process in twenty aborted after it had printed everything.
        pa.BufferReader(content.read()),
        read_options=pyarrow.csv.ReadOptions(use_threads=False),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        # A null is an empty field, an empty text is a quoted empty field.
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=spec.arrow_schema(),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
        ),
    )
    return spec.conform(table)


def _decode_parquet(file: FileSpec, content: BinaryIO) -> pa.Table:
    return _table_spec(file).conform(pyarrow.parquet.read_table(content))


def _decode_npy(file: FileSpec, content: BinaryIO) -> NDArray[Any]:
    return _conform_array(file, np.load(content, allow_pickle=False))


def _decode_zip(file: FileSpec, content: BinaryIO) -> BinaryIO:
    if not zipfile.is_zipfile(content):
        raise _mismatch(file, f"{file.filename} is not a zip archive")
    content.seek(0)
    return content


def _decode_bytes(file: FileSpec, content: BinaryIO) -> bytes:
    del file
    return content.read()


_ENCODERS: Final[Mapping[Codec, Callable[[FileSpec, Any], Encoded]]] = {
    Codec.JSONL: _encode_jsonl,
    Codec.JSON: _encode_json,
    Codec.NPY: _encode_npy,
    Codec.ZIP: _encode_zip,
    Codec.CSV: _encode_csv,
    Codec.PARQUET: _encode_parquet,
    Codec.PDF: _encode_bytes,
    Codec.HTML: _encode_bytes,
}
_DECODERS: Final[Mapping[Codec, Callable[[FileSpec, BinaryIO], Any]]] = {
    Codec.JSONL: _decode_jsonl,
    Codec.JSON: _decode_json,
    Codec.NPY: _decode_npy,
    Codec.ZIP: _decode_zip,
    Codec.CSV: _decode_csv,
    Codec.PARQUET: _decode_parquet,
    Codec.PDF: _decode_bytes,
    Codec.HTML: _decode_bytes,
}


def _conform_array(file: FileSpec, array: NDArray[Any]) -> NDArray[Any]:
    spec = file.spec
    if not isinstance(spec, ArraySpec):
        raise _mismatch(file, "has no array spec")
    if array.dtype != np.dtype(spec.dtype):
        raise _mismatch(file, f"dtype {array.dtype}, wanted {spec.dtype}")
    fits = array.ndim == len(spec.shape) and all(
        wanted in (None, got) for wanted, got in zip(spec.shape, array.shape, strict=True)
    )
    if not fits:
        raise _mismatch(file, f"shape {array.shape}, wanted {spec.shape}")
    rows = max(1, _CHUNK_BYTES // max(1, array[:1].nbytes))
    if not all(np.isfinite(array[at : at + rows]).all() for at in range(0, len(array), rows)):
        raise _mismatch(file, "holds NaN or infinity")
    return array


def _plain_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Return rows of Python values whose `repr` is the shortest exact text."""
    columns = [_plain(table.column(name).combine_chunks()) for name in table.column_names]
    return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


def _plain(array: pa.Array) -> list[Any]:
    if pa.types.is_float32(array.type):
        return _shortest(array)
    if pa.types.is_list(array.type) or pa.types.is_fixed_size_list(array.type):
        values = _plain(array.flatten())
        lengths = pc.list_value_length(array).to_pylist()
        ends = list(accumulate(n or 0 for n in lengths))
        return [
            None if n is None else values[end - n : end]
            for n, end in zip(lengths, ends, strict=True)
        ]
    return list(array.to_pylist())


def _shortest(array: pa.Array) -> list[float | None]:
    """Return, for float32 values, the doubles nearest to their shortest decimals.

    Arrow prints the shortest decimal that identifies a float32 (at most 9 digits), and the
    repr of the double nearest to it is that decimal again. Reading rounds twice (decimal to
    double to float32), which could go astray next to a tie: such values keep their exact,
    longer double.
    """
    short = array.cast(pa.string()).cast(pa.float64())
    exact = array.cast(pa.float64())
    same = pc.equal(short.cast(pa.float32(), safe=False), array)
    values: list[float | None] = pc.if_else(same, short, exact).to_pylist()
    return values


def _json(file: FileSpec, value: Any) -> str:
    try:
        return _JSON.encode(value)
    except ValueError:
        raise _mismatch(file, "holds NaN or infinity") from None


def _typed(file: FileSpec, value: Any, wanted: type[Any]) -> Any:
    if not isinstance(value, wanted):
        raise _mismatch(
            file, f"{file.part} is a {type(value).__name__}, {file.codec} wants {wanted.__name__}"
        )
    return value


def _table_spec(file: FileSpec) -> TableSpec:
    if not isinstance(file.spec, TableSpec):
        raise _mismatch(file, "has no table spec")
    return file.spec


def _document_spec(file: FileSpec) -> DocumentSpec:
    if not isinstance(file.spec, DocumentSpec):
        raise _mismatch(file, "has no document spec")
    return file.spec


def _mismatch(file: FileSpec, reason: str) -> SchemaMismatchError:
    return SchemaMismatchError(spec_name=file.spec.name if file.spec else file.part, reason=reason)
