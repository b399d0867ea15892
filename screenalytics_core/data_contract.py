"""Renders `docs/data-contract.md` from the artifact specs.

`python -m screenalytics_core.data_contract` prints the page. It says what stands in
`artifacts`, `stages` and `seasons.specs`, so nothing is written by hand here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Final

import pyarrow as pa

from screenalytics_core.artifacts import ARTIFACTS, ArraySpec, ArtifactSpec, FileSpec
from screenalytics_core.schema import Column, DocumentSpec, TableSpec
from screenalytics_core.seasons.specs import PART_FILES
from screenalytics_core.stages import STAGE_ARTIFACTS, PipelineStage, stage_of

_INTRODUCTION: Final = """\
# Data contract

<!-- Written by `make docs` from screenalytics_core/artifacts.py and seasons/specs.py; do not
edit. -->

Every artifact of a run, with its files in the run's folder, its columns and their units.
Writers conform to these specs before anything is published, and readers check against
them, so a file that exists fits this page.

- Boxes are left, top, right, bottom in pixels of the source frame as shown.
- Times are presentation timestamps in seconds. An interval holds its start, not its end.
- Frame indices are 0-based in decode order; `first_frame_idx` and `last_frame_idx` are both held.
- "nullable" columns may hold null; all others never do.
"""

# Singular and plural.
_WORDS: Final = {
    pa.int64(): ("whole number", "whole numbers"),
    pa.float32(): ("number (32 bit)", "numbers (32 bit)"),
    pa.float64(): ("number", "numbers"),
    pa.string(): ("text", "texts"),
    pa.bool_(): ("true or false", "true or false"),
}


def type_in_words(dtype: pa.DataType, *, plural: bool = False) -> str:
    """Return an Arrow type as a reader would say it, e.g. `list of whole numbers`."""
    if pa.types.is_fixed_size_list(dtype):
        group = f"{dtype.list_size} {type_in_words(dtype.value_type, plural=True)}"
        return f"groups of {group}" if plural else group
    if pa.types.is_list(dtype):
        members = type_in_words(dtype.value_type, plural=True)
        return f"lists of {members}" if plural else f"list of {members}"
    if pa.types.is_struct(dtype):
        members = ", ".join(f"{field.name}: {type_in_words(field.type)}" for field in dtype)
        return f"{'records' if plural else 'record'} ({members})"
    singular, many = _WORDS.get(dtype, (str(dtype), str(dtype)))
    return many if plural else singular


def render() -> str:
    """Return the whole page; the same specs give the same bytes."""
    return "\n".join(_page()).rstrip() + "\n"


def _page() -> Iterator[str]:
    yield _INTRODUCTION
    yield "| artifact | stage | files | content |"
    yield "|---|---|---|---|"
    for spec in _in_plan_order():
        files = ", ".join(f"`{file.filename}`" for file in spec.files)
        yield _row(
            f"[{spec.kind}](#{spec.kind})", f"`{stage_of(spec.kind)}`", files, spec.description
        )
    yield ""
    for spec in _in_plan_order():
        yield from _artifact(spec)
    yield from _seasons()


def _seasons() -> Iterator[str]:
    yield "# Seasons"
    yield ""
    yield "What lies in `seasons/{show}-s{SS}/`; `season.json` says of which runs it is made."
    yield ""
    for part, files in PART_FILES.items():
        yield f"## {part}"
        yield ""
        for file in files:
            yield from _file(file)


def _in_plan_order() -> Iterator[ArtifactSpec]:
    for stage in PipelineStage:
        for kind in STAGE_ARTIFACTS[stage]:
            yield ARTIFACTS[kind]


def _artifact(spec: ArtifactSpec) -> Iterator[str]:
    yield f"## {spec.kind}"
    yield ""
    yield f"Stage `{stage_of(spec.kind)}`: {spec.description}."
    yield ""
    for file in spec.files:
        yield from _file(file)


def _file(file: FileSpec) -> Iterator[str]:
    yield f"### `{file.filename}`"
    yield ""
    yield f"{_sentence(file.description)} Format: {file.codec.upper()}; part `{file.part}`."
    yield ""
    if isinstance(file.spec, TableSpec):
        yield from _table(file.spec)
    elif isinstance(file.spec, DocumentSpec):
        yield from _document(file.spec)
    elif isinstance(file.spec, ArraySpec):
        shape = " by ".join("n" if size is None else str(size) for size in file.spec.shape)
        yield f"{file.spec.dtype} array, {shape}: {file.spec.description}."
        yield ""


def _document(spec: DocumentSpec) -> Iterator[str]:
    if spec.fields:
        yield from _columns(spec.fields)
    for table in spec.tables:
        yield f"`{table.name}` is a list of records:"
        yield ""
        yield from _table(table)


def _table(spec: TableSpec) -> Iterator[str]:
    yield from _columns(spec.columns)
    if spec.key:
        yield f"Key: {', '.join(f'`{name}`' for name in spec.key)}."
        yield ""


def _columns(columns: Iterable[Column]) -> Iterator[str]:
    yield "| column | type | unit | null | description |"
    yield "|---|---|---|---|---|"
    for column in columns:
        yield _row(
            f"`{column.name}`",
            type_in_words(column.dtype),
            column.unit or "",
            "nullable" if column.nullable else "",
            column.description,
        )
    yield ""


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


if __name__ == "__main__":
    sys.stdout.write(render())
