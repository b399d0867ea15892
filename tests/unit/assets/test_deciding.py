"""What a new cast member is called in paths."""

from __future__ import annotations

import pytest

from screenalytics_assets.deciding import free_cast_id
from screenalytics_core.errors import InvalidIdError


@pytest.mark.parametrize(
    ("name", "taken", "expected"),
    [
        pytest.param("Zoë Kravitz", [], "zoe-kravitz", id="plain letters"),
        pytest.param("Zoe", ["zoe"], "zoe-2", id="the second of that spelling"),
        pytest.param("Zoe", ["zoe", "zoe-2", "ben"], "zoe-3", id="the third"),
        pytest.param("Zoe", ["zoe-2"], "zoe", id="a number alone takes nothing"),
    ],
)
def test_a_new_name_gets_a_slug_of_its_own(name: str, taken: list[str], expected: str) -> None:
    assert free_cast_id(name, taken) == expected


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidIdError):
        free_cast_id(" ", [])
