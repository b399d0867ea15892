"""`screenalytics cost`: what runs, episodes and seasons cost."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.cells import Cell
from screenalytics_assets.cli.console import put_facts, put_json, put_table, tell
from screenalytics_assets.cli.reading import open_ledger, status_cell


class By(StrEnum):
    """What the cost is broken down by."""

    STAGE = "stage"
    PERSON_MINUTE = "person-minute"


_USED: Final = ("cpu_s", "gpu_s", "storage_gb_months")
_SUMS: Final = (*_USED, "subtotal", "markup", "total", "saved", "currency")
_RUNS: Final = ("ep_id", "run_id", "status", "prices", *_SUMS)
_EPISODES: Final = ("ep_id", "run_count", *_SUMS)
_STAGES: Final = ("stage", *_USED, "amount", "saved", "currency")
_MINUTES: Final = ("ep_id", "run_count", "total", "person_minutes", "per_person_minute", "currency")
_LINES: Final = ("stage", "item", "attempt", "status", "source", "from_run_id", "quantity", "unit",
                 "price", "per", "amount")  # fmt: skip
_NUMBERS: Final = frozenset({*_SUMS, "amount", "quantity", "price", "per", "person_minutes",
                             "per_person_minute"} - {"currency"})  # fmt: skip


def cost(
    what: Annotated[
        str, typer.Argument(help="Episode, EP/RUN, season (rhobh-s05), range or show.")
    ],
    by: Annotated[
        By | None, typer.Option("--by", help="Break down by stage, or by minute of a person.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the table as CSV.")] = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Print what was paid, and what was saved by reuse; of a run alone, its invoice.

    Example: screenalytics cost rhobh-s05 --by person-minute
    """
    if as_csv and as_json:
        raise typer.BadParameter("choose one of --csv and --json")
    storage, runs, ledger = open_ledger(data_root)
    from screenalytics_core.run_tools import costs
    from screenalytics_core.run_tools.naming import find_run

    if "/" in what:
        key = find_run(storage, runs, what)
        if by is None:
            _put_invoice(costs.run_invoice(ledger, key), as_csv=as_csv, as_json=as_json)
            return
        document = costs.run_cost(runs, ledger, key)
    else:
        document = costs.episodes_cost(runs, ledger, costs.find_episodes(storage, what))
    if as_json:
        put_json({"what": what, **document})
        return
    _put_cost(what, document, by, as_csv=as_csv)


def _put_invoice(document: Mapping[str, Any], *, as_csv: bool, as_json: bool) -> None:
    if as_json:
        put_json(document)
        return
    lines, saved = document["lines"], document["saved"]
    if as_csv:
        _put_csv(_LINES, lines)
        return
    title = f"{document['ep_id']}/{document['run_id']}"
    put_invoice_lines(f"invoice of {title}", lines)
    put_facts("amounts", invoice_amounts(document))
    if saved["lines"]:
        put_invoice_lines("saved by reuse: what this took when it was computed", saved["lines"])
    if saved["unmeasured"]:
        tell(f"nobody measured what these took: {', '.join(saved['unmeasured'])}")
    if not document["is_final"]:
        tell("the run goes on, and so does its invoice")


def invoice_amounts(document: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return what stands below the lines of an invoice."""
    currency, prices = document["currency"], document["prices"]
    markup = document["markup"]
    amounts = [
        ("subtotal", document["subtotal"]),
        (f"markup {markup['percent']} %", markup["amount"]),
        ("total", document["total"]),
        ("saved", document["saved"]["total"]),
    ]
    shown = [(name, f"{amount} {currency}") for name, amount in amounts]
    return [*shown, ("prices", f"{prices['version']} ({prices['sha256'][:12]})")]


def put_invoice_lines(title: str, lines: Sequence[Mapping[str, Any]]) -> None:
    """Print an invoice's lines."""
    if lines:
        columns = [name for name in _LINES if any(name in line for line in lines)]
        put_table(title, columns, [_cells(line, columns) for line in lines], whole=("item",))


def _put_cost(what: str, document: Mapping[str, Any], by: By | None, *, as_csv: bool) -> None:
    rows, columns = _table(document, by)
    if as_csv:
        _put_csv(columns, rows)
        _tell_of_others(document)
        return
    put_table(f"cost of {what}", columns, [_cells(row, columns) for row in rows],
              spare=("prices", *_USED))  # fmt: skip
    for total in document["totals"]:
        names = ["subtotal", "markup", "total", "saved"]
        if by is By.PERSON_MINUTE:
            names = ["total", "person_minutes", "per_person_minute"]
        put_facts(
            f"in all, {total['currency']}",
            [(name.replace("_", " "), total[name]) for name in names],
        )
    _tell_of_others(document)


def _tell_of_others(document: Mapping[str, Any]) -> None:
    """Name the runs that are in no sum, and say why."""
    if document["unpriced"]:
        tell(
            f"without prices: {', '.join(document['unpriced'])}. "
            "`screenalytics runs sync` prices what was ever started."
        )
    for run in document["uncounted"]:
        tell(f"not counted: {run['ep_id']}/{run['run_id']}: {run['reason']}")


def _table(
    document: Mapping[str, Any], by: By | None
) -> tuple[list[Mapping[str, Any]], tuple[str, ...]]:
    """Return the rows that were asked for: of a season its episodes, of an episode its runs."""
    if by is By.STAGE:
        return document["stages"], _STAGES
    if by is By.PERSON_MINUTE:
        return document["episodes"], _MINUTES
    if len(document["episodes"]) > 1:
        return document["episodes"], _EPISODES
    return document["runs"], _RUNS


def _cells(row: Mapping[str, Any], columns: Sequence[str]) -> list[Any]:
    return [_cell(name, row.get(name)) for name in columns]


def _cell(name: str, value: Any) -> Any:
    if name == "status" and value is not None:
        return status_cell(value)
    return Cell(value, is_number=True) if name in _NUMBERS and value is not None else value


def _put_csv(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([row.get(name) for name in columns] for row in rows)
