"""Every artifact's spec is sound, and its values survive a trip to disk and back."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from screenalytics_core.artifacts import (
    ARTIFACTS,
    ArraySpec,
    ArtifactKind,
    ArtifactSpec,
    Codec,
    FileSpec,
)
from screenalytics_core.codecs import decode, encode
from screenalytics_core.schema import DocumentSpec, TableSpec

FILES = [
    pytest.param(file, id=f"{kind}-{file.part}")
    for kind, spec in ARTIFACTS.items()
    for file in spec.files
]
SEED_KINDS = {
    "video",
    "detections",
    "tracks",
    "faces",
    "identities",
    "track_reps",
    "frames_root",
    "crops_dir",
    "thumbs_dir",
    "faces_embeddings",
}


def sample_value(dtype: pa.DataType, i: int) -> Any:
    """Return a value that is neither round nor empty, different for each `i`."""
    if pa.types.is_fixed_size_list(dtype):
        return [sample_value(dtype.value_type, i + k) for k in range(dtype.list_size)]
    if pa.types.is_list(dtype):
        return [sample_value(dtype.value_type, i + k) for k in range(i % 3)]
    if pa.types.is_struct(dtype):
        return {dtype[k].name: sample_value(dtype[k].type, i) for k in range(dtype.num_fields)}
    if pa.types.is_boolean(dtype):
        return i % 2 == 0
    if pa.types.is_integer(dtype):
        return i
    if pa.types.is_floating(dtype):
        return float(np.float32(0.1)) + i if dtype == pa.float32() else 0.1 + i
    return f'é, "{i}"\n'


def sample_rows(spec: TableSpec, count: int) -> list[dict[str, Any]]:
    return [
        {
            column.name: None if column.nullable and i % 2 else sample_value(column.dtype, i)
            for column in spec.columns
        }
        for i in range(count)
    ]


def sample(file: FileSpec, count: int) -> Any:
    """Return a valid value of a file with `count` rows."""
    spec = file.spec
    if isinstance(spec, TableSpec):
        return spec.from_rows(sample_rows(spec, count))
    if isinstance(spec, DocumentSpec):
        header = {field.name: sample_value(field.dtype, 2) for field in spec.fields}
        return {**header, **{t.name: sample_rows(t, count) for t in spec.tables}}
    if isinstance(spec, ArraySpec):
        shape = [count] + [4 if size is None else size for size in spec.shape[1:]]
        return (np.arange(np.prod(shape)).reshape(shape) / 7).astype(spec.dtype)
    if file.codec is Codec.ZIP:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for i in range(count):
                archive.writestr(f"{i}.jpg", bytes(i))
        return content
    return b"%PDF-1.4\n" + bytes(count)


def equal(file: FileSpec, left: Any, right: Any) -> bool:
    if isinstance(file.spec, TableSpec):
        return bool(left.schema.equals(right.schema) and left.equals(right))
    if isinstance(file.spec, DocumentSpec):
        return bool(file.spec.conform(left) == right)
    if isinstance(file.spec, ArraySpec):
        return left.dtype == right.dtype and np.array_equal(left, right)
    if file.codec is Codec.ZIP:
        return bool(left.getvalue() == right.read())
    return bool(left == right)


@pytest.mark.parametrize("count", [0, 1, 5])
@pytest.mark.parametrize("file", FILES)
def test_a_value_comes_back_from_its_file_unchanged(file: FileSpec, count: int) -> None:
    value = sample(file, count)
    encoded = encode(file, value)
    content = b"".join(encoded.chunks)

    assert equal(file, value, decode(file, io.BytesIO(content)))
    assert encoded.rows in (count, None)


@pytest.mark.parametrize("file", FILES)
def test_the_same_value_gives_the_same_bytes(file: FileSpec) -> None:
    first, second = (b"".join(encode(file, sample(file, 3)).chunks) for _ in range(2))

    assert first == second


@pytest.mark.parametrize("spec", ARTIFACTS.values(), ids=lambda s: str(s.kind))
def test_parts_and_filenames_of_an_artifact_are_unique(spec: ArtifactSpec) -> None:
    assert len({file.part for file in spec.files}) == len(spec.files)
    assert spec.primary is spec.files[0]
    assert all(spec.file(file.part) is file for file in spec.files)
    with pytest.raises(KeyError, match="has no part 'nothing'"):
        spec.file("nothing")


def test_no_two_artifacts_share_a_file() -> None:
    names = [file.filename for spec in ARTIFACTS.values() for file in spec.files]

    assert len(set(names)) == len(names)


def test_a_key_is_made_of_columns() -> None:
    for spec in ARTIFACTS.values():
        for file in spec.files:
            tables = file.spec.tables if isinstance(file.spec, DocumentSpec) else (file.spec,)
            for table in tables:
                if isinstance(table, TableSpec):
                    assert set(table.key) <= {column.name for column in table.columns}


def test_a_files_name_ends_as_its_codec() -> None:
    for spec in ARTIFACTS.values():
        for file in spec.files:
            assert file.filename.endswith(f".{file.codec}")


def test_the_ten_kinds_of_the_seed_are_there() -> None:
    assert set(ArtifactKind) >= SEED_KINDS


def test_standard_names_are_used() -> None:
    names = {
        column.name
        for spec in ARTIFACTS.values()
        for file in spec.files
        if isinstance(file.spec, TableSpec)
        for column in file.spec.columns
    }

    assert {"bbox_xyxy", "confidence", "landmarks_xy", "frame_idx", "timestamp_s"} <= names
    assert names.isdisjoint({"bbox", "score", "landmarks", "frame", "timestamp"})
