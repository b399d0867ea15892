"""Where the price list in force is read from: the data root's file, else the program's own."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

from screenalytics_core import layout
from screenalytics_core.errors import KeyMissingError, SettingsError
from screenalytics_core.ledger.prices import PriceList
from screenalytics_core.storage.base import Storage
from screenalytics_core.yaml_schema import load_schema, violations

_SCHEMA: Final = "ledger/prices.schema.yaml"
_DEFAULT: Final = Path(__file__).parent / "prices.yaml"


def load_prices(storage: Storage) -> PriceList:
    """Return the prices in force now.

    Raises:
        SettingsError: prices.yaml of the data root is no price list; the first faults are named.
    """
    try:
        return parse_prices(storage.read_bytes(layout.PRICES_KEY), layout.PRICES_KEY)
    except KeyMissingError:
        return parse_prices(_DEFAULT.read_bytes(), "default")


def parse_prices(content: bytes, origin: str) -> PriceList:
    """Read a price file.

    Raises:
        SettingsError: It is no YAML, or breaks prices.schema.yaml.
    """
    import yaml  # takes longer than most commands that read a ledger

    try:
        record: Any = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _refused(origin, f"is no YAML: {error}") from error
    wrong = violations(record, load_schema(_SCHEMA))
    if wrong:
        raise _refused(origin, "; ".join(wrong[:3]))
    try:
        sha256 = hashlib.sha256(content).hexdigest()
        return PriceList.from_dict({**record, "origin": origin, "sha256": sha256})
    except (ValueError, KeyError, TypeError) as error:
        raise _refused(origin, str(error)) from error


def _refused(origin: str, reason: str) -> SettingsError:
    return SettingsError(
        thing=f"price file {origin}",
        reason=reason,
        way_out='Write amounts in quotes ("0.048"), as docs/cost.md shows; runs that could not '
        "be priced are priced by `screenalytics runs sync`.",
    )
