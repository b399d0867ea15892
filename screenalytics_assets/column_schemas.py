"""What the Dagster UI says of an asset before it ever ran: files, columns, settings."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import dagster as dg

from screenalytics_assets.tables import table_of
from screenalytics_core.artifacts import ArtifactSpec, FileSpec
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.data_contract import type_in_words
from screenalytics_core.schema import Column, DocumentSpec, TableSpec
from screenalytics_core.steps.base import Step, StepOutput

# The UI draws this one as the asset's columns, and the others behind a link each.
_MAIN: Final = "dagster/column_schema"


def asset_description(step: Step, specs: Sequence[ArtifactSpec]) -> str:
    """Return, in Markdown, what an asset is: what its step does, then its artifacts' files."""
    lines = [f"{_sentence(step.description)}."]
    for spec in specs:
        files = [f"- `{file.filename}`: {file.description}" for file in spec.files]
        heading = [f"{_sentence(spec.description)}:", ""] if len(specs) > 1 else []
        lines += ["", *heading, *files]
    return "\n".join(lines)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".")


def definition_metadata(output: StepOutput, specs: Sequence[ArtifactSpec]) -> dict[str, Any]:
    """Return the columns of every table of an asset, and the settings that change it."""
    shown: dict[str, Any] = {}
    for title, columns in _tables(specs):
        schema = _schema(columns)
        shown[title if _MAIN in shown else _MAIN] = schema
    if output.settings:
        fields = EpisodeRunConfig.model_fields
        shown["settings"] = table_of(
            ("setting", "meaning"),
            [{"setting": n, "meaning": fields[n].description} for n in output.settings],
        )
    return shown


def _tables(specs: Sequence[ArtifactSpec]) -> Iterator[tuple[str, Sequence[Column]]]:
    """Yield each table with a title, the one that people look for first."""
    for spec in specs:
        for file in spec.files:
            yield from _tables_of(file)


def _tables_of(file: FileSpec) -> Iterator[tuple[str, Sequence[Column]]]:
    if isinstance(file.spec, TableSpec):
        yield f"columns of {file.filename}", file.spec.columns
    elif isinstance(file.spec, DocumentSpec):
        for table in file.spec.tables:
            yield f"columns of {file.filename}: {table.name}", table.columns
        yield f"fields of {file.filename}", file.spec.fields


def _schema(columns: Sequence[Column]) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=c.name,
                type=type_in_words(c.dtype),
                description=f"{c.description} [{c.unit}]" if c.unit else c.description,
                constraints=dg.TableColumnConstraints(nullable=c.nullable),
            )
            for c in columns
        ]
    )
