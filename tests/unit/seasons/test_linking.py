"""Who is linked over episodes, who never is, and what a link proposes."""

from __future__ import annotations

import pytest

from screenalytics_core.seasons.linking import Link, LinkStatus, SeasonLinks, link_people
from tests.season_samples import cast_of, done, episode, looks, person

E1, E2, E3 = "show-s01e01", "show-s01e02", "show-s01e03"


def members(link: Link) -> list[tuple[str, str]]:
    return [(m.person.ep_id, m.person.person_id) for m in link.members]


def only(linked: SeasonLinks) -> Link:
    (link,) = linked.links
    return link


def test_the_same_face_in_two_episodes_is_linked_and_nobody_named() -> None:
    linked = link_people(
        [
            episode(E1, [person(E1, "id_0001", looks(0)), person(E1, "id_0002", looks(1))]),
            episode(E2, [person(E2, "id_0007", looks(0))]),
        ]
    )

    assert members(only(linked)) == [(E1, "id_0001"), (E2, "id_0007")]
    assert only(linked).status is LinkStatus.UNNAMED
    assert only(linked).similarity == pytest.approx(1.0)


@pytest.mark.parametrize(("alike", "count"), [(0.31, 1), (0.29, 0)])
def test_people_are_linked_from_the_threshold_of_their_runs_on(alike: float, count: int) -> None:
    linked = link_people(
        [
            episode(E1, [person(E1, "id_0001", looks(0))], thresh=0.2),
            # The strictest of the runs' thresholds counts.
            episode(E2, [person(E2, "id_0001", looks(1, like=0, alike=alike))], thresh=0.3),
        ]
    )

    assert len(linked.links) == count


def test_two_who_were_seen_at_once_are_never_one_though_both_resemble_a_third() -> None:
    twins = [
        person(E1, "id_0001", looks(0)),
        person(E1, "id_0002", looks(1, like=0, alike=0.9)),
    ]
    third = episode(E2, [person(E2, "id_0001", looks(0))])

    together = link_people([episode(E1, twins), third])
    apart = link_people([episode(E1, twins, apart=[(0, 1)]), third])

    assert len(only(together).members) == 3
    assert members(only(apart)) == [(E1, "id_0001"), (E2, "id_0001")]


def test_a_name_in_one_episode_is_proposed_for_the_others() -> None:
    link = only(
        link_people(
            [
                episode(E1, [person(E1, "id_0001", looks(0), name="Lisa")]),
                episode(E2, [person(E2, "id_0004", looks(0))]),
            ]
        )
    )

    assert link.status is LinkStatus.PROPOSAL
    assert link.names == (("lisa", "Lisa"),)
    assert [m.person.person_id for m in link.unnamed] == ["id_0004"]


def test_two_names_in_one_link_are_a_conflict_and_propose_nobody() -> None:
    people = [
        episode(E1, [person(E1, "id_0001", looks(0), name="Lisa")]),
        episode(E2, [person(E2, "id_0001", looks(0), name="Kyle")]),
        episode(E3, [person(E3, "id_0001", looks(0))]),
    ]
    document = cast_of([done(E1), done(E2), done(E3)], people)

    (link,) = document["links"]
    assert link["status"] == "conflict"
    assert (link["cast_id"], link["names"]) == (None, ["Kyle", "Lisa"])


def test_one_name_everywhere_leaves_nothing_to_decide() -> None:
    linked = link_people([
        episode(e, [person(e, "id_0001", looks(0), name="Lisa")]) for e in (E1, E2)
    ])  # fmt: skip

    assert only(linked).status is LinkStatus.AGREED


def test_who_was_seen_beside_a_cast_member_is_not_that_member_in_another_episode() -> None:
    # The stranger of the second episode resembles Lisa, but stood beside her there.
    linked = link_people(
        [
            episode(E1, [person(E1, "id_0001", looks(0), name="Lisa")]),
            episode(
                E2,
                [
                    person(E2, "id_0002", looks(2), name="Lisa"),
                    person(E2, "id_0003", looks(0)),
                ],
                apart=[(0, 1)],
            ),
        ]
    )

    assert linked.links == ()


def test_who_was_decided_to_be_nobody_with_a_name_is_in_no_link() -> None:
    extra = person(E2, "id_0001", looks(0), settled=True)
    linked = link_people([episode(E1, [person(E1, "id_0001", looks(0))]), episode(E2, [extra])])

    assert linked.links == ()


def test_a_face_that_was_never_recognisable_is_in_no_link() -> None:
    faceless = person(E2, "id_0001", None)
    linked = link_people([episode(E1, [person(E1, "id_0001", looks(0))]), episode(E2, [faceless])])

    assert linked.links == ()


def test_vectors_of_different_models_are_not_compared_and_that_is_told() -> None:
    people = [
        episode(E1, [person(E1, "id_0001", looks(0))], embedder="a" * 64),
        episode(E2, [person(E2, "id_0001", looks(0))], embedder="b" * 64),
        episode(E3, [person(E3, "id_0001", looks(0))], embedder="a" * 64),
    ]
    document = cast_of([done(E1), done(E2), done(E3)], people)

    assert [m["ep_id"] for m in document["members"]] == [E1, E3]
    assert "different models" in document["notes"][0]
    assert E2 in document["notes"][0]


def test_people_said_not_to_be_one_are_linked_no_more_and_others_still_are() -> None:
    people = [episode(e, [person(e, "id_0001", looks(0))]) for e in (E1, E2, E3)]

    linked = link_people(people, held_apart=[((0, 0), (2, 0)), ((1, 0), (2, 0))])

    assert members(only(linked)) == [(E1, "id_0001"), (E2, "id_0001")]


def test_the_next_best_is_told_of_each_member() -> None:
    linked = link_people(
        [
            episode(E1, [
                person(E1, "id_0001", looks(0)),
                person(E1, "id_0002", looks(1, like=0, alike=0.25)),
            ]),
            episode(E2, [person(E2, "id_0001", looks(0))]),
        ]
    )  # fmt: skip

    assert [m.rival_similarity for m in only(linked).members] == [pytest.approx(0.25)] * 2


def test_a_seen_at_once_rival_is_no_rival() -> None:
    linked = link_people(
        [
            episode(
                E1,
                [
                    person(E1, "id_0001", looks(0)),
                    person(E1, "id_0002", looks(1, like=0, alike=0.9)),
                ],
                apart=[(0, 1)],
            ),
            episode(E2, [person(E2, "id_0001", looks(0))]),
        ]
    )

    first, second = only(linked).members
    assert first.rival_similarity is None
    assert second.rival_similarity == pytest.approx(0.9)


def test_a_link_is_named_after_its_tracks_and_not_after_numbers_of_identities() -> None:
    def link_id(identity_id: str, tracks: list[int]) -> str:
        first = episode(E1, [person(E1, identity_id, looks(0), tracks=tracks)])
        return only(link_people([first, episode(E2, [person(E2, "id_0001", looks(0))])])).link_id

    assert link_id("id_0001", [3, 4]) == link_id("id_0009", [3, 4])
    assert link_id("id_0001", [3, 4]) != link_id("id_0001", [3, 5])


def test_two_of_one_episode_alone_are_no_link() -> None:
    twice = [person(E1, "id_0001", looks(0)), person(E1, "id_0002", looks(0))]

    assert link_people([episode(E1, twice)]).links == ()


def test_no_episode_has_no_links() -> None:
    assert link_people([]) == SeasonLinks((), {})
