"""What holds for every invoice: it can be checked with a pencil, in any order of its lines."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from screenalytics_core.ledger.cost import Bill, Invoice, Line, added_up, invoice, rounded
from screenalytics_core.ledger.prices import ITEMS, PriceList, Rate
from screenalytics_core.ledger.run_facts import RunFacts
from screenalytics_core.ledger.state import fold
from screenalytics_core.manifest import Manifest
from tests.stores import EP
from tests.unit.ledger.event_samples import PRICES, STEPS, Told, priced

few = settings(deadline=None, max_examples=25)
amounts = st.decimals("0", "999999999", allow_nan=False, places=12)


@st.composite
def price_lists(draw: st.DrawFn) -> PriceList:
    above_0 = st.decimals("0.000000000001", "999999999", places=12)
    return replace(
        PRICES,
        decimals=draw(st.integers(0, 9)),
        markup_percent=draw(amounts),
        storage_months=draw(amounts),
        rates={item: Rate(draw(amounts), draw(above_0)) for item in ITEMS},
    )


@st.composite
def launches(draw: st.DrawFn) -> list[Told]:
    """Draw the attempts of a run, with whatever was measured."""
    told = []
    for n in range(1, draw(st.integers(1, 3)) + 1):
        one = Told(f"d{n}", second=100.0 * n).begins(n)
        for step in STEPS:
            seconds = st.floats(0, 2**40)
            used = {"cpu_s": draw(seconds), "gpu_s": draw(seconds)}
            one.started(step)
            if draw(st.booleans()):
                one.published(step, **used, stored_bytes=draw(st.integers(0, 2**50)))
                one.succeeded(step)
            else:
                one.measured(step, **used).failed(step)
        told.append(one.completed() if draw(st.booleans()) else one.run_failed())
    return told


def billed(told: list[Told], prices: PriceList) -> Invoice:
    events = [event for one in told for event in one]
    state = fold([*events, priced(**{k: getattr(prices, k) for k in PriceList.__slots__})])
    found = invoice(RunFacts(EP, "r1", state, None, Manifest(EP, "r1")))
    assert found is not None
    return found


@few
@given(launches(), price_lists())
def test_the_lines_and_the_markup_add_up_to_the_total(told: list[Told], prices: PriceList) -> None:
    document = billed(told, prices).to_dict()

    lines = sum(Fraction(line["amount"]) for line in document["lines"])
    markup = Fraction(document["markup"]["amount"])
    assert lines == Fraction(document["subtotal"])
    assert lines + markup == Fraction(document["total"])
    # As exact as its last place allows.
    exact = lines * Fraction(prices.markup_percent) / 100
    assert abs(markup - exact) <= Fraction(1, 2 * 10**prices.decimals)


@few
@given(launches(), price_lists())
def test_every_line_is_its_quantity_times_its_price_rounded_once(
    told: list[Told], prices: PriceList
) -> None:
    for line in billed(told, prices).to_dict()["lines"]:
        exact = Fraction(line["quantity"]) * Fraction(line["price"]) / Fraction(line["per"])

        assert Fraction(line["amount"]) == round(exact, prices.decimals)
        assert -Decimal(line["amount"]).as_tuple().exponent == prices.decimals


@few
@given(launches(), price_lists(), st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_no_sum(told, prices, chance) -> None:  # type: ignore[no-untyped-def]
    lines = list(billed(told, prices).used.lines)
    shuffled = list(lines)
    chance.shuffle(shuffled)

    one, other = Bill.of(lines, prices), Bill.of(shuffled, prices)
    assert (one.subtotal, one.markup, one.total) == (other.subtotal, other.markup, other.total)


@few
@given(launches(), price_lists(), st.randoms(use_true_random=False))
def test_the_order_in_which_attempts_are_told_changes_no_invoice(told, prices, chance) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(told)
    chance.shuffle(shuffled)

    assert billed(shuffled, prices) == billed(told, prices)


@few
@given(launches(), price_lists())
def test_another_attempt_never_makes_a_run_cheaper(told: list[Told], prices: PriceList) -> None:
    totals = [billed(told[:n], prices).used.total for n in range(1, len(told) + 1)]

    assert totals == sorted(totals)


@given(st.lists(amounts), st.randoms(use_true_random=False))
def test_sums_of_any_size_are_exact(values, chance) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(values)
    chance.shuffle(shuffled)

    assert Fraction(added_up(shuffled)) == sum(Fraction(value) for value in values)


@given(st.integers(-(10**40), 10**40), st.integers(0, 9))
def test_rounding_halves_goes_to_the_even_neighbour(units: int, decimals: int) -> None:
    half = Fraction(2 * units + 1, 2 * 10**decimals)

    got = Fraction(rounded(half, decimals)) * 10**decimals
    assert got in (units, units + 1)
    assert got % 2 == 0


def test_a_line_without_a_price_costs_nothing() -> None:
    line = Line("cpu_s", "detect", Decimal("1"), Decimal("0"))

    assert Bill.of([line], PRICES).total == 0
