"""What holds of any decisions over any grouping: no label is lost, and undoing leaves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from screenalytics_core.artifacts import CAST
from screenalytics_core.decisions.records import Decision, Verb
from screenalytics_core.decisions.standing import standing
from tests.decided import Groups, cast_rows, label, lock, merge, move, owners, split, story, undo

TRACKS = range(12)
NAMES = ("anna", "ben", "cleo", None)
some_tracks = st.sets(st.sampled_from(TRACKS), min_size=1, max_size=5)
seconds_of_tracks = st.lists(st.integers(1, 30), min_size=12, max_size=12)


@st.composite
def groupings(draw: st.DrawFn) -> tuple[Groups, list[int]]:
    """Any grouping of the tracks into identities; group 0 is nobody."""
    of = draw(st.lists(st.integers(0, 4), min_size=12, max_size=12))
    groups = {f"id_{n:04d}": [t for t in TRACKS if of[t] == n] for n in range(1, 5) if n in of}
    return groups, [t for t in TRACKS if of[t] == 0]


@st.composite
def decisions(draw: st.DrawFn) -> Decision:
    tracks = draw(some_tracks)
    others = draw(some_tracks.map(lambda some: some - tracks).filter(bool))
    kind = draw(st.sampled_from(["label"] * 3 + ["merge", "split", "move", "cast", "lock"]))
    name = draw(st.sampled_from(NAMES))
    return {
        "label": label(name, *tracks),
        "merge": merge(tracks, others),
        "split": split(tracks, others),
        "move": move(tracks, others),
        "cast": move(tracks, cast=name),
        "lock": lock(*tracks),
    }[kind]


stories = st.lists(decisions(), max_size=8)


def last_said(told: Sequence[Decision]) -> dict[int, Decision]:
    """The last decision that names each track as one that it is about."""
    return {a.track_id: d for d in standing(told) for a in (*d.tracks, *d.others)}


@settings(max_examples=150)
@given(groupings(), stories, seconds_of_tracks)
def test_no_grouping_loses_a_label(
    grouping: tuple[Groups, list[int]], told: list[Decision], seconds: list[int]
) -> None:
    groups, loose = grouping
    # Merges carry names on; without them the last word on a track is the last one said.
    told = story(*(d for d in told if d.verb is not Verb.MERGE))
    rows = cast_rows(groups, told, dict(enumerate(seconds)), loose)

    found = owners(groups, rows).of_tracks

    for track_id, said in last_said(told).items():
        named_by_label = said.verb is Verb.LABEL
        moved_to_somebody = said.verb is Verb.MOVE_TRACK and not said.others
        if (named_by_label or moved_to_somebody) and said.cast_id is not None:
            assert found[track_id].cast_id == said.cast_id
        elif named_by_label and track_id in found:
            assert found[track_id].cast_id is None
        elif moved_to_somebody:
            assert track_id not in found


@settings(max_examples=60)
@given(groupings(), stories, st.sets(st.sampled_from(TRACKS), min_size=1), seconds_of_tracks)
def test_no_grouping_parts_a_merged_person_or_loses_its_name(
    grouping: tuple[Groups, list[int]],
    told: list[Decision],
    person: set[int],
    seconds: list[int],
) -> None:
    groups, loose = grouping
    first, others = {min(person)}, person - {min(person)} or {(min(person) + 1) % 12}
    told = story(*told, merge(first, others), label("zoe", *first, *others))
    rows = cast_rows(groups, told, dict(enumerate(seconds)), loose)

    found = owners(groups, rows).of_tracks

    assert {found[t].cast_id for t in first | others} == {"zoe"}


@settings(max_examples=60)
@given(groupings(), stories, seconds_of_tracks)
def test_undoing_everything_gives_the_undecided_result(
    grouping: tuple[Groups, list[int]], told: list[Decision], seconds: list[int]
) -> None:
    groups, loose = grouping
    lasting = dict(enumerate(seconds))
    undone = [undo(n) for n in range(1, len(told) + 1)]

    assert cast_rows(groups, story(*told, *undone), lasting, loose) == cast_rows(
        groups, [], lasting, loose
    )


@settings(max_examples=60)
@given(groupings(), stories, st.data(), seconds_of_tracks)
def test_undoing_one_gives_the_result_without_it(
    grouping: tuple[Groups, list[int]],
    told: list[Decision],
    data: st.DataObject,
    seconds: list[int],
) -> None:
    groups, loose = grouping
    numbered = story(*told, label("anna", 1))
    gone = data.draw(st.sampled_from(numbered)).sequence
    with_undo = [*numbered, replace(undo(gone), sequence=len(numbered) + 1)]
    lasting = dict(enumerate(seconds))

    assert cast_rows(groups, with_undo, lasting, loose) == cast_rows(
        groups, [d for d in numbered if d.sequence != gone], lasting, loose
    )


@settings(max_examples=60)
@given(groupings(), stories, seconds_of_tracks)
def test_the_rows_are_valid_and_do_not_depend_on_the_order_of_tracks(
    grouping: tuple[Groups, list[int]],
    told: list[Decision],
    seconds: list[int],
) -> None:
    groups, loose = grouping
    lasting = dict(enumerate(seconds))
    rows = cast_rows(groups, story(*told), lasting, loose)
    backwards = {i: tracks[::-1] for i, tracks in groups.items()}

    CAST.conform({"show": None, "people": rows, "suggestions": []})
    assert cast_rows(backwards, story(*told), lasting, loose[::-1]) == rows
    by_identity = {r["identity_id"]: r for r in rows if r.get("track_id") is None}
    assert list(by_identity) == list(groups)
    for row in by_identity.values():
        into = by_identity.get(row.get("merged_into"))
        assert row.get("merged_into") is None or (into is not None and not into.get("merged_into"))
        assert into is None or into.get("cast_id") == row.get("cast_id")
    singles = [r["track_id"] for r in rows if r.get("track_id") is not None]
    assert singles == sorted(set(singles))


@settings(max_examples=60)
@given(groupings(), stories, seconds_of_tracks, some_tracks)
def test_who_is_locked_is_exactly_the_locked_tracks(
    grouping: tuple[Groups, list[int]],
    told: list[Decision],
    seconds: list[int],
    locked: set[int],
) -> None:
    groups, loose = grouping
    told = [d for d in told if d.verb is not Verb.LABEL and d.cast_id is None]
    rows = cast_rows(groups, story(*told, lock(*locked)), dict(enumerate(seconds)), loose)

    found = owners(groups, rows).of_tracks

    [key] = {found[t].key for t in locked}
    assert {t for t, owner in found.items() if owner.key == key} == locked
