"""The invoice on the page of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from screenalytics_core.report.html_markup import escaped, table, tag


def invoice_section(document: Mapping[str, Any] | None) -> str:
    """Return what the run costs, line by line, and what it saved; empty without an invoice."""
    if document is None:
        return ""
    currency, markup, saved = document["currency"], document["markup"], document["saved"]
    sums = [
        ("subtotal", document["subtotal"]),
        (f"markup {markup['percent']} %", markup["amount"]),
        ("total", document["total"]),
    ]
    rows = [*_rows(document["lines"]), *(_sum(name, amount) for name, amount in sums)]
    prices = document["prices"]
    about = f"In {currency}, by the price list {prices['version']} ({prices['sha256'][:12]})."
    open_note = "" if document["is_final"] else " The run goes on, and so does its invoice."
    heads = ("stage", "what", "whose", ">quantity", ">price", ">amount")
    return "\n".join(
        (
            tag("h2", "Invoice"),
            tag("p", escaped(about + open_note), class_="soft"),
            table(heads, rows),
            _saved(saved, heads, currency),
        )
    )


def _saved(saved: Mapping[str, Any], heads: Sequence[str], currency: str) -> str:
    if not saved["lines"] and not saved["unmeasured"]:
        return ""
    said = (
        f"Saved by reuse: {saved['total']} {currency} with markup, by what these results took "
        "when they were computed. No part of the total."
    )
    if saved["unmeasured"]:
        said += f" Nobody measured {', '.join(saved['unmeasured'])}."
    lines = table(heads, _rows(saved["lines"])) if saved["lines"] else ""
    return "\n".join((tag("p", escaped(said)), lines))


def _rows(lines: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    return [
        (
            escaped(line["stage"]),
            escaped(line["item"]),
            escaped(_whose(line)),
            escaped(f"{line['quantity']} {line['unit']}"),
            escaped(f"{line['price']} per {line['per']} {line['unit']}"),
            escaped(line["amount"]),
        )
        for line in lines
    ]


def _whose(line: Mapping[str, Any]) -> str:
    if "source" in line:
        return f"{line['source']} from {line['from_run_id']}"
    name = f"attempt {line['attempt']}" if line["attempt"] else "unclaimed launch"
    return f"{name}, {line['status'].replace('_', ' ')}"


def _sum(name: str, amount: str) -> tuple[str, ...]:
    return (tag("b", escaped(name)), "", "", "", "", tag("b", escaped(amount)))
