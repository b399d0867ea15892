"""Before anything ran, the UI tells what an asset is: its files, columns and settings."""

from __future__ import annotations

import dagster as dg
import pytest

from screenalytics_assets.column_schemas import asset_description, definition_metadata
from screenalytics_assets.graph import KINDS_OF_ASSET, STEPS
from screenalytics_core.artifacts import ARTIFACTS, DocumentSpec, TableSpec

OUTPUTS = [(step, output) for step in STEPS for output in step.outputs]


def columns(schema: object) -> dict[str, dg.TableColumn]:
    assert isinstance(schema, dg.TableSchema)
    return {c.name: c for c in schema.columns}


@pytest.mark.parametrize(("step", "output"), OUTPUTS, ids=lambda value: value.name)
def test_every_table_of_every_file_has_its_columns_shown(step: object, output: object) -> None:
    specs = [ARTIFACTS[kind] for kind in KINDS_OF_ASSET[output.name]]  # type: ignore[attr-defined]
    shown = definition_metadata(output, specs)  # type: ignore[arg-type]
    schemas = [set(columns(s)) for s in shown.values() if isinstance(s, dg.TableSchema)]

    for file in (file for spec in specs for file in spec.files):
        tables = [file.spec] if isinstance(file.spec, TableSpec) else []
        tables += file.spec.tables if isinstance(file.spec, DocumentSpec) else []
        for table in tables:
            assert {c.name for c in table.columns} in schemas, table.name


def shown_of(asset: str) -> tuple[dict[str, object], str]:
    step, output = next((s, o) for s, o in OUTPUTS if o.name == asset)
    specs = [ARTIFACTS[kind] for kind in KINDS_OF_ASSET[asset]]
    return definition_metadata(output, specs), asset_description(step, specs)


def test_the_first_table_of_a_document_is_the_asset_s_own_and_units_are_told() -> None:
    shown, _ = shown_of("screen_time")
    people = columns(shown["dagster/column_schema"])

    assert people["total_s"].description == "union of face and body intervals [s]"
    assert people["segments"].type is not None
    assert not people["total_s"].constraints.nullable
    assert people["body_only_s"].constraints.nullable
    assert "together_s" in columns(shown["columns of screen_time.json: co_appearances"])
    assert "confidence" in columns(shown["columns of segments.parquet"])
    assert "counted_s" in columns(shown["fields of screen_time.json"])


def test_the_settings_that_change_an_asset_stand_beside_it() -> None:
    shown, _ = shown_of("identities")
    table = shown["settings"]

    assert isinstance(table, dg.TableMetadataValue)
    settings = {r.data["setting"] for r in table.records}
    assert settings == {"cluster_thresh", "min_identity_sim", "det_thresh"}


def test_a_description_names_what_an_asset_is_and_each_of_its_files() -> None:
    _, text = shown_of("tracks")

    assert text.splitlines()[0].endswith(".")
    for filename in ("tracks.jsonl", "track_metrics.json"):
        assert f"- `{filename}`: " in text
