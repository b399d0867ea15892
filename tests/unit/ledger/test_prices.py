"""A price list is read as its author wrote it, or refused by the fault that it has."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from screenalytics_core.errors import SettingsError
from screenalytics_core.ledger import price_file
from screenalytics_core.ledger.price_file import load_prices, parse_prices
from screenalytics_core.ledger.prices import ITEMS, PriceList
from screenalytics_core.storage.local import LocalStorage

SHIPPED = Path(price_file.__file__).parent / "prices.yaml"


def shipped(**changed: object) -> bytes:
    record = {**yaml.safe_load(SHIPPED.read_text()), **changed}
    return yaml.safe_dump(record).encode()


def test_without_a_file_the_prices_are_the_programs_own(tmp_path: Path) -> None:
    prices = load_prices(LocalStorage(tmp_path))

    assert (prices.origin, prices.markup_percent) == ("default", 20)
    assert prices.sha256 == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    assert list(prices.rates) == list(ITEMS)
    assert all(rate.price > 0 for rate in prices.rates.values())


def test_a_file_in_the_data_root_takes_their_place(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_bytes(shipped(version="ours-7", markup_percent="12.5"))
    prices = load_prices(LocalStorage(tmp_path))

    assert (prices.version, prices.origin) == ("ours-7", "prices.yaml")
    assert prices.markup_percent == Decimal("12.5")


def test_a_list_comes_back_from_the_log_as_it_was() -> None:
    prices = parse_prices(shipped(), "default")

    assert PriceList.from_dict(prices.to_dict()) == prices


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        pytest.param({"markup_percent": 20}, "markup_percent: 20 is not of type", id="a number"),
        pytest.param({"markup_percent": "-1"}, "markup_percent: '-1' does not", id="negative"),
        pytest.param({"markup_percent": "1e3"}, "does not match", id="an exponent"),
        pytest.param({"currency": "usd"}, "currency: 'usd'", id="no currency"),
        pytest.param({"decimals": 10}, "decimals: 10 is none of", id="too fine"),
        pytest.param({"version": "a b"}, "version: 'a b'", id="a blank in the name"),
        pytest.param({"schema_version": 2}, "schema_version", id="of another schema"),
        pytest.param({"rates": {}}, "rates: cpu_s is missing", id="no rates"),
        pytest.param({"discount": "3"}, "discount: is unknown", id="an unknown word"),
        pytest.param(
            {"rates": {key: {"price": "1", "per": "0.0"} for key in ITEMS}},
            "per: '0.0'",
            id="per 0",
        ),
    ],
)
def test_a_faulty_file_is_refused_by_its_fault(changed: dict[str, object], fault: str) -> None:
    with pytest.raises(SettingsError) as raised:
        parse_prices(shipped(**changed), "prices.yaml")

    assert fault in str(raised.value)
    assert "price file prices.yaml" in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"- 1", b"{", b"\xff\xfe\x00", b"a: !!python/none x"])
def test_what_is_no_price_file_at_all_is_refused(content: bytes) -> None:
    with pytest.raises(SettingsError, match="price file"):
        parse_prices(content, "prices.yaml")
