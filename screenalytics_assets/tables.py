"""Tables as Dagster's UI shows them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from screenalytics_core.report import text
from screenalytics_core.report.wording import expected
from screenalytics_core.vision.quality_counters import QualityCounter


def table_of(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> dg.TableMetadataValue:
    """Return a table of `columns`; floats are rounded to a thousandth, null is empty."""
    records = [dg.TableRecord({name: _cell(row.get(name)) for name in columns}) for row in rows]
    return dg.MetadataValue.table(
        records, schema=dg.TableSchema([dg.TableColumn(name) for name in columns])
    )


def figures_table(figures: Iterable[QualityCounter]) -> dg.TableMetadataValue:
    """Return quality counters with their limits, and what to do about those crossed."""
    return table_of(
        ("figure", "value", "usual", "advice"),
        [
            {
                "figure": figure.title,
                "value": text.number(figure.value),
                "usual": expected(figure),
                "advice": figure.advice,
            }
            for figure in figures
        ],
    )


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return round(value, 3) if isinstance(value, float) else value
