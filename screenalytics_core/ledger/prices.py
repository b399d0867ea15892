"""The price list: what a second of work and a kept gigabyte cost, in which currency. Pure.

A run is billed by the list that was in force when it was first claimed: the event of that
holds the whole list, so that a price that changes later changes no invoice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Self

SCHEMA_VERSION: Final = 1
ITEMS: Final[Mapping[str, str]] = {
    "cpu_s": "s",
    "gpu_s": "s",
    "storage_gb_months": "GB-month",
}
"""What is billed, in the order of an invoice, with its unit; a GB is 10^9 bytes."""

_AMOUNT: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,12})?")
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MOST_DECIMALS: Final = 9


@dataclass(frozen=True, slots=True)
class Rate:
    """A price, and how many units it is the price of: 0.048 per 3600 s."""

    price: Decimal
    per: Decimal


@dataclass(frozen=True, slots=True)
class PriceList:
    """What a run is billed by.

    Attributes:
        version: Its name, as its author gave it.
        sha256: Of the file's bytes: two lists of one name are told apart.
        origin: `default` for the list that comes with the program, else the file's name.
        currency: ISO 4217.
        decimals: Places after the point that amounts are rounded to.
        markup_percent: Added on top of the measured lines.
        storage_months: Months of keeping that are billed with the run.
        rates: By item of `ITEMS`.
    """

    version: str
    sha256: str
    origin: str
    currency: str
    decimals: int
    markup_percent: Decimal
    storage_months: Decimal
    rates: Mapping[str, Rate]

    def to_dict(self) -> dict[str, Any]:
        """Return it as it stands in the log; amounts as text."""
        return {
            "schema_version": SCHEMA_VERSION,
            "version": self.version,
            "sha256": self.sha256,
            "origin": self.origin,
            "currency": self.currency,
            "decimals": self.decimals,
            "markup_percent": plain(self.markup_percent),
            "storage_months": plain(self.storage_months),
            "rates": {
                item: {"price": plain(rate.price), "per": plain(rate.per)}
                for item, rate in self.rates.items()
            },
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Build it from the log; ValueError, KeyError or TypeError if it is no price list."""
        decimals = record["decimals"]
        if type(decimals) is not int or not 0 <= decimals <= _MOST_DECIMALS:
            raise ValueError(f"decimals are {decimals!r}")
        if record["schema_version"] != SCHEMA_VERSION or set(record["rates"]) != set(ITEMS):
            raise ValueError("is a price list of another version")
        return cls(
            version=_text(record["version"], _VERSION),
            sha256=_text(record["sha256"], _SHA256),
            origin=_text(record["origin"], _VERSION),
            currency=_text(record["currency"], _CURRENCY),
            decimals=decimals,
            markup_percent=_amount(record["markup_percent"]),
            storage_months=_amount(record["storage_months"]),
            rates={item: _rate(record["rates"][item]) for item in ITEMS},
        )


def plain(value: Decimal) -> str:
    """Write an amount without an exponent."""
    return f"{value:f}"


def _rate(record: Mapping[str, Any]) -> Rate:
    rate = Rate(_amount(record["price"]), _amount(record["per"]))
    if not rate.per:
        raise ValueError("a price is of nothing")
    return rate


def _amount(value: Any) -> Decimal:
    return Decimal(_text(value, _AMOUNT))


def _text(value: Any, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise ValueError(f"{value!r} does not match {pattern.pattern}")
    return value
