"""What makes an episode's figures unlike the others': other settings, other models. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

Made = Mapping[str, Any]
"""What a run was made with: names of settings, and of models' roles, with their values."""


def unlike_the_others(made_with: Mapping[str, Made]) -> dict[str, tuple[str, ...]]:
    """Say of each episode what it was made with that most others were not.

    The value that most episodes share is the usual one; where two are as frequent, it is that
    of the earlier episode.

    Args:
        made_with: ep_id -> settings and models, in the season's order.
    """
    names = sorted({name for made in made_with.values() for name in made})
    usual = {name: _usual([made.get(name) for made in made_with.values()]) for name in names}
    return {
        ep_id: tuple(
            f"made with {name} {_said(made.get(name))}, most others with {_said(usual[name])}"
            for name in names
            if made.get(name) != usual[name]
        )
        for ep_id, made in made_with.items()
    }


def _usual(values: list[Any]) -> Any:
    # The repr, since a setting may be a list; `most_common` keeps the first of equal counts.
    frequent = Counter(map(repr, values)).most_common(1)[0][0]
    return next(value for value in values if repr(value) == frequent)


def _said(value: Any) -> str:
    return "none" if value is None else str(value)
