"""The data contract's page is a rendering of the specs, and the committed one is up to date."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from screenalytics_core.artifacts import ARTIFACTS, ArraySpec
from screenalytics_core.data_contract import render, type_in_words
from screenalytics_core.schema import Column, DocumentSpec

PAGE = Path(__file__).resolve().parents[2] / "docs" / "data-contract.md"


def test_the_committed_page_equals_the_rendering() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run `make docs`"


def test_the_module_prints_the_page() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "screenalytics_core.data_contract"], capture_output=True, check=True
    ).stdout

    assert printed.decode("utf-8") == render()


def columns_of(spec: object) -> list[Column]:
    if spec is None or isinstance(spec, ArraySpec):
        return []
    if isinstance(spec, DocumentSpec):
        return [*spec.fields, *(c for table in spec.tables for c in table.columns)]
    return list(spec.columns)  # type: ignore[attr-defined]


@pytest.mark.parametrize("spec", ARTIFACTS.values(), ids=lambda s: str(s.kind))
def test_every_file_and_column_of_an_artifact_stands_in_its_section(spec: object) -> None:
    section = re.split(r"^## ", render(), flags=re.MULTILINE)
    kind, files = spec.kind, spec.files  # type: ignore[attr-defined]
    own = next(text for text in section if text.startswith(f"{kind}\n"))

    for file in files:
        assert f"### `{file.filename}`" in own
        for column in columns_of(file.spec):
            row = next(line for line in own.splitlines() if line.startswith(f"| `{column.name}` |"))
            assert (column.unit or "") in row
            assert row.count("|") == 6


def test_every_artifact_is_listed_once() -> None:
    listed = re.findall(r"^\| \[(\w+)\]", render(), flags=re.MULTILINE)

    assert sorted(listed) == sorted(str(kind) for kind in ARTIFACTS)


@pytest.mark.parametrize(
    ("dtype", "words"),
    [
        (pa.int64(), "whole number"),
        (pa.list_(pa.float32(), 4), "4 numbers (32 bit)"),
        (pa.list_(pa.list_(pa.float32(), 4)), "list of groups of 4 numbers (32 bit)"),
        (pa.list_(pa.list_(pa.int64())), "list of lists of whole numbers"),
        (pa.list_(pa.struct([("end_s", pa.float64())])), "list of records (end_s: number)"),
        (pa.timestamp("ms"), "timestamp[ms]"),
    ],
)
def test_a_type_is_said_in_words(dtype: pa.DataType, words: str) -> None:
    assert type_in_words(dtype) == words
