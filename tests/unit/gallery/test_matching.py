"""Who is named, who is only suggested, and why: tables over made-up vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from screenalytics_core.gallery.likeness import confidence
from screenalytics_core.gallery.matching import Looks, Matches, apart_identities, match
from screenalytics_core.gallery.model import Gallery
from tests.gallery_fakes import gallery, looks, member, vector

ANNA, BEN = vector(1, 0, 0), vector(0, 1, 0)
CAST = gallery(member("anna", ANNA), member("ben", BEN))
THRESH, MARGIN = 0.5, 0.1


def matched(
    identities: dict[str, Looks],
    *apart: tuple[str, str],
    cast: Gallery = CAST,
    fixed: dict[str, str | None] | None = None,
) -> Matches:
    return match(
        identities, apart, cast, match_thresh=THRESH, match_margin=MARGIN, fixed=fixed or {}
    )


def names(matches: Matches) -> dict[str, str]:
    return {identity_id: one.cast_id for identity_id, one in matches.named.items()}


def hints(matches: Matches) -> list[tuple[str, str, str]]:
    return [(s.identity_id, s.cast_id, s.reason) for s in matches.suggestions]


@pytest.mark.parametrize(
    ("seen", "name", "suggested"),
    [
        pytest.param(looks(vector(0.9, 0)), "anna", [], id="clearly alike"),
        pytest.param(looks(vector(0.5, 0.3)), "anna", [], id="just alike enough"),
        pytest.param(looks(vector(0.49, 0.3)), None, ["anna"], id="just not alike enough"),
        pytest.param(looks(vector(0.6, 0.5)), "anna", [], id="just enough lead"),
        pytest.param(looks(vector(0.6, 0.51)), None, ["anna", "ben"], id="just too thin a lead"),
        pytest.param(looks(vector(0.37, 0.0)), None, [], id="a stranger"),
        pytest.param(looks(vector(-0.9, 0.0)), None, [], id="the opposite"),
        pytest.param(looks(vector(0.9, 0), clarity=0.5), None, ["anna"], id="hardly seen"),
        pytest.param(looks(), None, [], id="without any usable face"),
        pytest.param(looks(vector(0.9, 0), clarity=0.0), None, [], id="nothing but noise"),
    ],
)
def test_a_name_takes_likeness_and_a_lead(
    seen: Looks, name: str | None, suggested: list[str]
) -> None:
    found = matched({"id_0001": seen})

    assert names(found) == ({"id_0001": name} if name else {})
    assert [s.cast_id for s in found.suggestions] == suggested


def test_two_members_who_look_alike_are_suggested_and_neither_is_named() -> None:
    twins = gallery(
        member("kim", vector(0.99, 0.05, 0)), member("kyle", vector(0.99, -0.05, 0)),
        member("ben", BEN),
    )  # fmt: skip

    found = matched({"id_0001": looks(vector(0.97, 0.04, 0))}, cast=twins)

    assert names(found) == {}
    best, second = found.suggestions
    assert (best.cast_id, second.cast_id) == ("kim", "kyle")
    assert 0 < best.margin < 0.1
    assert second.margin == pytest.approx(-best.margin)
    assert best.reason == f"leads Kyle by {best.margin:.2f}, a name takes a lead of 0.10"
    assert second.reason == f"is behind Kim by {best.margin:.2f}, a name takes a lead of 0.10"


def test_the_same_member_given_twice_is_never_named_by_accident() -> None:
    doubled = gallery(member("anna", ANNA), member("anna-lee", ANNA))

    found = matched({"id_0001": looks(ANNA)}, cast=doubled)

    assert names(found) == {}
    assert [s.margin for s in found.suggestions] == pytest.approx([0.0, 0.0])


def test_of_two_who_were_seen_at_once_only_the_more_alike_is_the_member() -> None:
    found = matched(
        {"id_0001": looks(vector(0.7, 0)), "id_0002": looks(vector(0.95, 0))},
        ("id_0001", "id_0002"),
    )

    assert names(found) == {"id_0002": "anna"}
    assert hints(found) == [
        ("id_0001", "anna", "was seen at the same time as id_0002, who is Anna")
    ]


def test_of_two_about_as_alike_who_were_seen_at_once_it_is_who_was_seen_most() -> None:
    """A stray double of a few frames must not keep out who is there all the time."""
    found = matched(
        {"id_0001": looks(*[vector(0.85, 0)] * 9), "id_0002": looks(vector(0.9, 0))},
        ("id_0002", "id_0001"),
    )

    assert names(found) == {"id_0001": "anna"}


def test_two_who_were_never_seen_at_once_can_be_one_member() -> None:
    found = matched({"id_0001": looks(vector(0.9, 0)), "id_0002": looks(vector(0.8, 0))})

    assert names(found) == {"id_0001": "anna", "id_0002": "anna"}


def test_who_loses_a_member_is_not_given_the_next_likely_one() -> None:
    """It may be a mirror, or a picture of the same person on the wall."""
    found = matched(
        {"id_0001": looks(vector(0.95, 0)), "id_0002": looks(vector(0.75, 0.6))},
        ("id_0001", "id_0002"),
    )

    assert names(found) == {"id_0001": "anna"}


def test_a_third_who_was_seen_with_neither_winner_keeps_the_name() -> None:
    found = matched(
        {n: looks(vector(v, 0)) for n, v in (("a", 0.95), ("b", 0.8), ("c", 0.65))},
        ("a", "b"), ("b", "c"),
    )  # fmt: skip

    assert names(found) == {"a": "anna", "c": "anna"}
    assert [s.identity_id for s in found.suggestions] == ["b"]


@pytest.mark.parametrize(
    ("fixed", "expected"),
    [
        pytest.param({"id_0001": "anna"}, {}, id="the other one is Anna"),
        pytest.param({"id_0001": "ben"}, {"id_0002": "anna"}, id="the other one is Ben"),
        pytest.param({"id_0001": None}, {"id_0002": "anna"}, id="the other one is nobody"),
        pytest.param({"id_0002": None}, {"id_0001": "anna"}, id="it is nobody itself"),
        pytest.param({"id_0002": "ben"}, {"id_0001": "anna"}, id="it is Ben, whatever it looks"),
        pytest.param({"id_0009": "anna"}, {"id_0002": "anna"}, id="of one who is not given"),
    ],
)
def test_what_people_decided_stands_before_the_gallery(
    fixed: dict[str, str | None], expected: dict[str, str]
) -> None:
    seen = {"id_0001": looks(vector(0.8, 0)), "id_0002": looks(vector(0.95, 0))}

    found = matched(seen, ("id_0001", "id_0002"), fixed=fixed)

    assert names(found) == expected
    assert not {s.identity_id for s in found.suggestions} & set(fixed)


def test_an_only_member_leads_over_nobody() -> None:
    found = matched({"id_0001": looks(vector(0.8, 0))}, cast=gallery(member("anna", ANNA)))

    assert found.named["id_0001"].margin == pytest.approx(0.8, abs=1e-3)


def test_a_member_without_a_face_and_an_empty_gallery_match_nobody() -> None:
    assert matched({"id_0001": looks(ANNA)}, cast=gallery(member("zoe"))) == Matches({}, ())
    assert matched({"id_0001": looks(ANNA)}, cast=gallery()) == Matches({}, ())
    assert matched({}) == Matches({}, ())


def test_views_that_differ_count_together() -> None:
    """A member's centre says more than the one view that happens to be like it."""
    two_sided = gallery(member("anna", vector(0.8, 0, 0.6), vector(0.8, 0, -0.6)))

    found = matched({"id_0001": looks(vector(0.99, 0))}, cast=two_sided)

    assert found.named["id_0001"].similarity == pytest.approx(0.97, abs=0.03)


def test_the_order_of_identities_pairs_and_members_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    people = [vector(*v) for v in np.eye(6)[:5]]
    seen = {
        f"id_{n:04d}": looks(*(people[n % 5] + rng.normal(0, 0.03, 512).astype(np.float32),))
        for n in range(20)
    }
    apart = [(f"id_{n:04d}", f"id_{n + 5:04d}") for n in range(15)]
    cast = gallery(*(member(f"m{n}", v) for n, v in enumerate(people)))

    one = matched(seen, *apart, cast=cast)
    other = matched(dict(reversed(seen.items())), *[(b, a) for a, b in reversed(apart)], cast=cast)

    assert dict(one.named) == dict(other.named)
    assert set(one.suggestions) == set(other.suggestions)


def test_nobody_is_ever_one_member_twice_at_once_and_every_loser_met_a_better_claim() -> None:
    rng = np.random.default_rng(11)
    for _ in range(50):
        seen = {
            f"i{n}": looks(*[vector(*rng.uniform(0, 0.9, 2))] * int(rng.integers(1, 4)))
            for n in range(8)
        }
        pairs = [(f"i{a}", f"i{b}") for a in range(8) for b in range(a) if rng.random() < 0.4]

        found = matched(seen, *pairs)
        alone = {name: matched({name: one}).named for name, one in seen.items()}

        together = {frozenset(p) for p in pairs}
        owners = names(found)
        for a, b in pairs:
            assert a not in owners or owners[a] != owners.get(b)
        for name, own in alone.items():
            if own and name not in owners:
                claim = own[name]
                winners = [
                    found.named[w] for w, cast_id in owners.items()
                    if cast_id == claim.cast_id and frozenset((w, name)) in together
                ]  # fmt: skip
                assert any(w.similarity >= claim.similarity - MARGIN for w in winners)


def test_confidence_grows_with_likeness_and_is_a_probability() -> None:
    steps = [confidence(similarity, 0.49) for similarity in (0.1, 0.3, 0.49, 0.54, 0.7)]

    assert steps == sorted(steps)
    assert steps[0] < 0.05
    assert steps[-1] > 0.98
    assert steps[2] == pytest.approx(0.77, abs=0.01)
    assert all(0 <= confidence(similarity, 0.0) <= 1 for similarity in (-1.0, 1.0))


@pytest.mark.parametrize(
    ("owners", "expected"),
    [
        pytest.param({1: "a", 2: "b"}, {("a", "b")}, id="two identities"),
        pytest.param({1: "b", 2: "a"}, {("a", "b")}, id="in one order"),
        pytest.param({1: "a", 2: "a"}, set(), id="one identity"),
        pytest.param({1: "a"}, set(), id="a track of nobody"),
    ],
)
def test_identities_are_apart_when_a_track_of_each_is(
    owners: dict[int, str], expected: set[Any]
) -> None:
    assert apart_identities([(1, 2)], owners) == expected
