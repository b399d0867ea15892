"""What runs cost together: by run, by episode, by stage, and per minute of a person. Pure.

Sums are of the invoices' own rounded lines, so that they are exact. Amounts of different
currencies are never added: every row has one currency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from screenalytics_core.ledger.cost import Invoice, Line, added_up, rounded
from screenalytics_core.ledger.prices import ITEMS, plain
from screenalytics_core.stages import STAGE_PLAN

_S_PER_MINUTE: Final = 60
_MINUTE_PLACES: Final = 3

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunCost:
    """A run and its invoice.

    Attributes:
        is_active: It is the run that readers of the episode get by default.
        bill: None if nobody priced the run: it was never claimed, or before there were prices.
        screen_time_s: Seconds of its people, added up; None without screen time.
    """

    ep_id: str
    run_id: str
    status: str
    is_active: bool
    bill: Invoice | None
    screen_time_s: float | None

    @property
    def currency(self) -> str:
        """Of its invoice; empty without one."""
        return self.bill.prices.currency if self.bill else ""


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A run that no sum holds.

    Attributes:
        reason: Why, for people; names no path.
    """

    ep_id: str
    run_id: str
    reason: str


def cost_document(runs: Sequence[RunCost], uncounted: Iterable[Uncounted] = ()) -> Row:
    """Return what runs cost together, amounts as text.

    `totals` has a row for each currency. A minute of a person is a minute in which the active
    run of an episode sees them; two people in one picture for a minute are two. It is paid for
    with every run of the episode, whatever became of it.

    Args:
        uncounted: Runs that are named beside the sums, since nothing can be said of them.
    """
    priced = [run for run in runs if run.bill is not None]
    currencies = sorted({run.currency for run in priced})
    ep_ids = list(dict.fromkeys(run.ep_id for run in priced))
    keys = [(ep_id, c) for ep_id in ep_ids for c in currencies]
    of_episodes = [
        ((ep_id, c), [r for r in priced if (r.ep_id, r.currency) == (ep_id, c)])
        for ep_id, c in keys
    ]
    return {
        "runs": [_run(run) for run in priced],
        "episodes": [
            {"ep_id": ep_id, "currency": c, **_sums(own), **_per_minute(own, runs, {ep_id})}
            for (ep_id, c), own in of_episodes
            if own
        ],
        "stages": [row for c in currencies for row in _stages(c, priced)],
        "totals": [
            {"currency": c, **_sums(own), **_per_minute(own, runs, set(ep_ids))}
            for c in currencies
            if (own := [run for run in priced if run.currency == c])
        ],
        "unpriced": [f"{run.ep_id}/{run.run_id}" for run in runs if run.bill is None],
        "uncounted": [asdict(run) for run in uncounted],
    }


def _run(run: RunCost) -> Row:
    bill = _bill(run)
    return {
        "ep_id": run.ep_id,
        "run_id": run.run_id,
        "status": run.status,
        "is_active": run.is_active,
        "is_final": bill.is_final,
        "prices": bill.prices.version,
        "currency": run.currency,
        **_sums([run]),
    }


def _sums(runs: Sequence[RunCost]) -> Row:
    """Return what some runs of one currency used and cost."""
    bills = [_bill(run) for run in runs]
    used, saved = [b.used for b in bills], [b.saved for b in bills]
    return {
        "run_count": len(bills),
        **{item: plain(added_up(b.quantity(item) for b in used)) for item in ITEMS},
        "subtotal": plain(added_up(b.subtotal for b in used)),
        "markup": plain(added_up(b.markup for b in used)),
        "total": plain(added_up(b.total for b in used)),
        "saved": plain(added_up(b.total for b in saved)),
    }


def _per_minute(own: Sequence[RunCost], runs: Iterable[RunCost], ep_ids: set[str]) -> Row:
    """Return the cost of some runs by the minutes of people that active runs see."""
    active = [r for r in runs if r.is_active and r.ep_id in ep_ids and r.screen_time_s is not None]
    seconds = sum(Fraction(str(run.screen_time_s)) for run in active)
    if not seconds:
        return {"person_minutes": None, "per_person_minute": None}
    minutes = Fraction(seconds) / _S_PER_MINUTE
    total = added_up(_bill(run).used.total for run in own)
    places = max(_bill(run).prices.decimals for run in own)
    return {
        "person_minutes": plain(rounded(minutes, _MINUTE_PLACES)),
        "per_person_minute": plain(rounded(Fraction(total) / minutes, places)),
    }


def _stages(currency: str, runs: Sequence[RunCost]) -> list[Row]:
    """Return a row for each stage that anything was used in or saved of, before markup."""
    bills = [_bill(run) for run in runs if run.currency == currency]
    used = [line for bill in bills for line in bill.used.lines]
    saved = [line for bill in bills for line in bill.saved.lines]
    rows = []
    for stage in STAGE_PLAN:
        own = [line for line in used if line.stage == stage.value]
        taken = [line for line in saved if line.stage == stage.value]
        if own or taken:
            rows.append(
                {
                    "stage": stage.value,
                    "currency": currency,
                    **{item: plain(_sum_of(own, item, _quantity)) for item in ITEMS},
                    "amount": plain(_sum_of(own, None, _amount)),
                    "saved": plain(_sum_of(taken, None, _amount)),
                }
            )
    return rows


def _sum_of(lines: Iterable[Line], item: str | None, of: Callable[[Line], Decimal]) -> Decimal:
    return added_up(of(line) for line in lines if item in (None, line.item))


def _quantity(line: Line) -> Decimal:
    return line.quantity


def _amount(line: Line) -> Decimal:
    return line.amount


def _bill(run: RunCost) -> Invoice:
    if run.bill is None:
        raise ValueError(f"run {run.ep_id}/{run.run_id} has no invoice")
    return run.bill
