"""A run's invoice: what it used up, times its price list. Pure.

Amounts are exact until each line is rounded, once, half to even, to the price list's places;
everything below the lines adds rounded amounts up, so that it can be checked with a pencil:
lines -> subtotal; markup = subtotal x percent, rounded once; total = subtotal + markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from screenalytics_core.ledger.prices import ITEMS, PriceList, plain
from screenalytics_core.stages import STAGE_PLAN, stage_of

if TYPE_CHECKING:
    # Only for their names: readers of the registry must not load what a run is read with.
    from screenalytics_core.ledger.attempt_state import AttemptState, StageFacts
    from screenalytics_core.ledger.run_facts import RunFacts

SCHEMA_VERSION: Final = 1
_BYTES_PER_GB: Final = 10**9
# Times are measured to the millisecond; what sums of floats add to that is noise.
_MS_PER_S: Final = 1000
# Far more digits than any bill has: a sum that is not exact raises instead of being rounded.
_EXACT: Final = Context(prec=120, traps=[Inexact])


@dataclass(frozen=True, slots=True)
class Line:
    """One amount: how much of one thing, by whom.

    Attributes:
        item: Of `ITEMS`.
        stage: Stage of the plan.
        quantity: In the item's unit.
        amount: Rounded.
        about: What else tells whose it is: attempt and how the stage ended there, or source
            and run of a result that was taken over.
    """

    item: str
    stage: str
    quantity: Decimal
    amount: Decimal
    about: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self, prices: PriceList) -> dict[str, Any]:
        """Return it as it stands on an invoice."""
        rate = prices.rates[self.item]
        return {
            "item": self.item,
            "stage": self.stage,
            **self.about,
            "quantity": plain(self.quantity),
            "unit": ITEMS[self.item],
            "price": plain(rate.price),
            "per": plain(rate.per),
            "amount": plain(self.amount),
        }


@dataclass(frozen=True, slots=True)
class Bill:
    """Lines and what they come to."""

    lines: tuple[Line, ...]
    subtotal: Decimal
    markup: Decimal

    @property
    def total(self) -> Decimal:
        """Subtotal and markup."""
        return added_up((self.subtotal, self.markup))

    @classmethod
    def of(cls, lines: Iterable[Line], prices: PriceList) -> Bill:
        """Add lines up and put the markup on."""
        ordered = tuple(lines)
        subtotal = added_up(line.amount for line in ordered)
        exact = Fraction(subtotal) * Fraction(prices.markup_percent) / 100
        return cls(ordered, subtotal, rounded(exact, prices.decimals))

    def quantity(self, item: str) -> Decimal:
        """Return how much of an item all lines have."""
        return added_up(line.quantity for line in self.lines if line.item == item)

    def to_dict(self, prices: PriceList) -> dict[str, Any]:
        """Return it as it stands on an invoice."""
        percent = plain(prices.markup_percent)
        return {
            "lines": [line.to_dict(prices) for line in self.lines],
            "subtotal": plain(self.subtotal),
            "markup": {"percent": percent, "amount": plain(self.markup)},
            "total": plain(self.total),
        }


@dataclass(frozen=True, slots=True)
class Invoice:
    """What a run costs.

    Attributes:
        is_final: The run has ended; a later attempt in it opens the invoice again.
        used: What its attempts used up, whichever way they ended: this is billed.
        saved: What computing anew what it took over used up when it was computed, at this
            run's prices. No part of the bill.
        unmeasured: Artifacts that it took over, of which nobody recorded what they took.
        measured: For information: frames, inferences.
    """

    prices: PriceList
    is_final: bool
    used: Bill
    saved: Bill
    unmeasured: tuple[str, ...]
    measured: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return the document; amounts are text in units of the currency."""
        prices = self.prices
        return {
            "schema_version": SCHEMA_VERSION,
            "is_final": self.is_final,
            "currency": prices.currency,
            "prices": {k: getattr(prices, k) for k in ("version", "sha256", "origin")},
            **self.used.to_dict(prices),
            "saved": {**self.saved.to_dict(prices), "unmeasured": list(self.unmeasured)},
            "measured": dict(self.measured),
        }


def invoice(facts: RunFacts) -> Invoice | None:
    """Return a run's invoice; None while no event says by which prices it is billed."""
    prices = facts.state.prices
    if prices is None:
        return None
    told = [s.facts for a in facts.state.attempts for s in a.stages.values()]
    return Invoice(
        prices=prices,
        is_final=facts.status is not None and facts.status.is_terminal,
        used=Bill.of(_used(facts.state.attempts, prices), prices),
        saved=Bill.of(_saved(facts, prices), prices),
        unmeasured=tuple(str(e.kind) for e in _taken(facts) if e.used is None),
        measured={
            name: sum(max(getattr(said, name) or 0, 0) for said in told)
            for name in ("frames", "inferences")
        },
    )


def rounded(exact: Fraction, decimals: int) -> Decimal:
    """Round an exact amount to so many places, half to even (IEEE 754, as banks do)."""
    units = round(exact * 10**decimals)  # of a Fraction, Python rounds half to even
    digits = tuple(int(digit) for digit in str(abs(units)))
    return Decimal((int(units < 0), digits, -decimals))


def added_up(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum, in whatever order."""
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total


def _used(attempts: Iterable[AttemptState], prices: PriceList) -> Iterator[Line]:
    for attempt in attempts:
        for stage in (attempt.stages[s] for s in STAGE_PLAN if s in attempt.stages):
            about = {"attempt": attempt.attempt, "status": stage.status.value}
            for item, quantity in _quantities(stage.facts, prices).items():
                yield _line(item, stage.stage.value, quantity, prices, about)


def _quantities(said: StageFacts, prices: PriceList) -> dict[str, Decimal]:
    """Return what a stage used up of each item, without what it used nothing of."""
    kept = Fraction(max(said.stored_bytes or 0, 0)) * Fraction(prices.storage_months)
    quantities = {
        "cpu_s": _seconds(said.cpu_s),
        "gpu_s": _seconds(said.gpu_s),
        # Twelve places hold a byte for a thousandth of a month.
        "storage_gb_months": rounded(kept / _BYTES_PER_GB, 12),
    }
    return {item: quantity for item, quantity in quantities.items() if quantity}


def _saved(facts: RunFacts, prices: PriceList) -> Iterator[Line]:
    """Yield what computing took when it was done, of each result that this run took over."""
    found: dict[tuple[str, str, str, str], Decimal] = {}
    for entry in _taken(facts):
        for item in ("cpu_s", "gpu_s"):
            key = (stage_of(entry.kind).value, entry.source, entry.from_run_id or "", item)
            seconds = _seconds((entry.used or {}).get(item))
            found[key] = added_up((found.get(key, Decimal(0)), seconds))
    for (stage, source, from_run_id, item), quantity in found.items():
        if quantity:
            about = {"source": source, "from_run_id": from_run_id}
            yield _line(item, stage, quantity, prices, about)


def _taken(facts: RunFacts) -> list[Any]:
    return [e for stage in STAGE_PLAN for e in facts.entries_of(stage) if e.source != "computed"]


def _line(
    item: str, stage: str, quantity: Decimal, prices: PriceList, about: Mapping[str, Any]
) -> Line:
    rate = prices.rates[item]
    exact = Fraction(quantity) * Fraction(rate.price) / Fraction(rate.per)
    return Line(item, stage, quantity, rounded(exact, prices.decimals), about)


def _seconds(value: float | None) -> Decimal:
    """Return measured seconds to the millisecond; never less than nothing."""
    milliseconds = round(max(value or 0.0, 0.0) * _MS_PER_S)
    return rounded(Fraction(milliseconds, _MS_PER_S), 3)
