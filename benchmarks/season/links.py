"""Which of a season's proposed links the truth bears out. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class JudgedLinks:
    """A season's links, as someone who knows everybody would answer them.

    Attributes:
        right: Proposals to confirm: all of their unnamed members are whom they propose.
        wrong: Proposals to reject.
        statuses: Status -> how many links have it; conflicts are not guessed at.
    """

    right: tuple[str, ...]
    wrong: tuple[str, ...]
    statuses: Mapping[str, int]


def judge_links(
    season_cast: Mapping[str, Any], people: Mapping[str, Mapping[str, str]]
) -> JudgedLinks:
    """Return what to do with each proposal.

    Args:
        season_cast: The document of `seasons.specs.SEASON_CAST`.
        people: ep_id -> identity_id -> who it really is; who is missing is nobody known.
    """
    unnamed: defaultdict[str, list[str | None]] = defaultdict(list)
    for member in season_cast["members"]:
        if member["cast_id"] is None:
            unnamed[member["link_id"]].append(_person(member, people.get(member["ep_id"], {})))
    links: Sequence[Mapping[str, Any]] = season_cast["links"]
    proposals = [link for link in links if link["status"] == "proposal"]
    right = [link for link in proposals if set(unnamed[link["link_id"]]) == {link["label"]}]
    return JudgedLinks(
        tuple(link["link_id"] for link in right),
        tuple(link["link_id"] for link in proposals if link not in right),
        dict(Counter(link["status"] for link in links)),
    )


def _person(member: Mapping[str, Any], people: Mapping[str, str]) -> str | None:
    """Return whom all identities of a member show; None if they differ."""
    found = {people.get(identity_id) for identity_id in member["identity_ids"]}
    return found.pop() if len(found) == 1 else None
