"""A view is replaced whole, under its lock, and only by what is not older."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from screenalytics_core.errors import SchemaMismatchError
from screenalytics_core.ledger.view_files import read_view, write_view
from screenalytics_core.storage.local import LocalStorage

KEY = "views/one.json"


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path)


def write(storage: LocalStorage, sequence: int, word: str) -> bool:
    """Write unless what stands there has a higher sequence."""

    def is_outdated_by(held: Mapping[str, Any]) -> bool:
        return bool(held["sequence"] > sequence)

    return write_view(storage, KEY, {"word": word, "sequence": sequence}, is_outdated_by, KEY)


def test_what_is_later_stays(storage: LocalStorage) -> None:
    assert write(storage, 2, "second")
    assert not write(storage, 1, "first")

    assert read_view(storage, KEY) == {"word": "second", "sequence": 2}


def test_another_sequence_alone_is_no_reason_to_write(storage: LocalStorage) -> None:
    write(storage, 1, "same")

    assert not write(storage, 2, "same")
    assert read_view(storage, KEY) == {"word": "same", "sequence": 1}


def test_nobody_writes_between_comparing_and_writing(storage: LocalStorage) -> None:
    write(storage, 1, "first")
    later = threading.Thread(target=write, args=(storage, 3, "third"))

    def while_somebody_writes_a_later_one(held: Mapping[str, Any]) -> bool:
        later.start()
        later.join(timeout=0.3)
        return bool(held["sequence"] > 2)

    second = {"word": "second", "sequence": 2}
    assert write_view(storage, KEY, second, while_somebody_writes_a_later_one, KEY)
    later.join()

    assert read_view(storage, KEY) == {"word": "third", "sequence": 3}


def test_a_damaged_view_counts_for_nothing(storage: LocalStorage) -> None:
    storage.write_atomic(KEY, b'{"word": "hal')

    assert write(storage, 1, "whole")
    assert read_view(storage, KEY) == {"word": "whole", "sequence": 1}


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, Path("x")])
def test_what_json_has_no_word_for_is_refused(storage: LocalStorage, value: Any) -> None:
    write(storage, 1, "good")
    before = storage.read_bytes(KEY)

    with pytest.raises(SchemaMismatchError, match="is no JSON"):
        write_view(storage, KEY, {"word": value}, lambda _: False, KEY)

    assert storage.read_bytes(KEY) == before
    assert json.loads(before) == {"word": "good", "sequence": 1}
