"""What holds of every measurement, whatever was seen."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenalytics_core.vision.intervals import intersection, subtraction, total_s, union
from screenalytics_core.vision.screen_time import Sources, screen_time
from screenalytics_core.vision.spans import BodySpan, Extent, FaceSpan
from screenalytics_core.vision.time_bounds import Doubt

PEOPLE = ("id_0001", "id_0002", "id_0003")
NAMES = st.sampled_from((None, *PEOPLE))


@st.composite
def extents(draw: Any, grid: float | None = 4.0) -> Extent:
    """Three stretches, each in the next; on a grid sums are exact."""
    if grid:
        six = sorted(draw(st.lists(st.integers(0, 80), min_size=6, max_size=6)))
        a, b, c, d, e, f = (x / grid for x in six)
    else:
        a, b, c, d, e, f = sorted(draw(st.lists(st.floats(0, 1e4), min_size=6, max_size=6)))
    return Extent((c, d), (b, e + 0.25), (a, f + 0.5))


@st.composite
def sources(draw: Any, grid: float | None = 4.0) -> Sources:
    faces, members = [], []
    owner_of: dict[int, str | None] = {}
    for track_id in range(draw(st.integers(0, 8))):
        faces.append(FaceSpan(track_id, draw(extents(grid))))
        owner_of[track_id] = draw(NAMES)
        rival = draw(NAMES)
        members.append(
            {
                "track_id": track_id,
                "identity_id": owner_of[track_id],
                "confidence": draw(st.floats(0, 1)) if owner_of[track_id] else 0.0,
                "rival_id": None if rival == owner_of[track_id] else rival,
                "rival_similarity": draw(st.floats(-1, 1)),
            }
        )
    identities = [
        {"identity_id": k, "track_ids": [t for t, o in owner_of.items() if o == k]} for k in PEOPLE
    ]
    bodies = [
        BodySpan(
            n, draw(extents(grid)), draw(NAMES), draw(st.sampled_from(["face_in_body", "none"])),
            tuple(draw(st.sets(st.sampled_from(range(len(faces)))))) if faces else (),
            draw(st.floats(0, 1)),
        )
        for n in range(draw(st.integers(0, 6)))
    ]  # fmt: skip
    cast = draw(
        st.lists(
            st.builds(
                lambda i, c: {
                    "identity_id": i,
                    "track_id": None,
                    "cast_id": c,
                    "confidence": 1.0,
                    "label": c and f"Anna of {i}",
                },
                st.sampled_from(PEOPLE),
                st.sampled_from([None, "anna"]),
            ),
            max_size=3,
            unique_by=lambda row: row["identity_id"],
        )
    )
    twins = draw(st.sets(st.sampled_from([("id_0001", "id_0002"), ("id_0002", "id_0003")])))
    alike = [{"identity_id": a, "other_id": b, "similarity": 0.3} for a, b in sorted(twins)]
    doubt = Doubt(members, alike, 0.3)
    return Sources(faces, draw(st.sampled_from([None, bodies])), identities, doubt, cast)


TRIMS = st.lists(
    st.tuples(st.integers(0, 80), st.integers(1, 30)).map(lambda p: (p[0] / 4, (p[0] + p[1]) / 4)),
    max_size=2,
)


@given(st.one_of(sources(), sources(grid=None)), TRIMS)
def test_bounds_hold_the_total_which_holds_the_faces(
    found: Sources, trims: list[tuple[float, float]]
) -> None:
    measured = screen_time(found, trims)

    for person in measured.people:
        assert 0 <= person.low_s <= person.total_s <= person.high_s
        assert 0 <= person.face_s <= person.total_s
        assert 0 < person.total_s <= measured.covered_s + 1e-6
        if found.bodies is None:
            assert person.body_only_s is None
            assert person.face_s == person.total_s
        else:
            assert person.body_only_s == pytest.approx(person.total_s - person.face_s, abs=1e-6)
    assert measured.overlap_s <= measured.covered_s
    assert measured.covered_s <= sum(p.total_s for p in measured.people) + 1e-6
    assert {t.person_id for t in measured.together} <= {p.person_id for p in measured.people}
    assert all(0 < t.together_s <= measured.overlap_s + 1e-6 for t in measured.together)


@given(sources(), TRIMS)
def test_a_person_is_the_union_of_their_tracks_without_the_trims(
    found: Sources, trims: list[tuple[float, float]]
) -> None:
    measured = screen_time(found, trims)
    spans = {f.track_id: f.extent.counted for f in found.faces}
    bodies = {b.body_track_id: b.extent.counted for b in found.bodies or ()}

    for person in measured.people:
        faces = [s for s in person.segments if s.source == "face"]
        hidden = [s for s in person.segments if s.source == "body"]
        assert person.face_s == sum(s.end_s - s.start_s for s in faces)
        assert (person.body_only_s or 0) == sum(s.end_s - s.start_s for s in hidden)
        pairs = [(s.start_s, s.end_s) for s in person.segments]
        assert pairs == sorted(pairs)
        assert total_s(pairs) == sum(e - s for s, e in pairs)  # disjoint
        assert intersection(pairs, trims) == ()
        for segment in faces:
            own = subtraction([spans[i] for i in segment.track_ids], trims)
            assert intersection(own, [(segment.start_s, segment.end_s)]) == (
                (segment.start_s, segment.end_s),
            )
        for segment in hidden:
            own = union(bodies[i] for i in segment.body_track_ids)
            assert intersection(own, [(segment.start_s, segment.end_s)]) == (
                (segment.start_s, segment.end_s),
            )


@given(sources(), TRIMS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(
    found: Sources, trims: list[tuple[float, float]], dice: random.Random
) -> None:
    def shuffled(rows: Sequence[Any]) -> list[Any]:
        return dice.sample(list(rows), len(rows))

    mixed = Sources(
        shuffled(found.faces),
        None if found.bodies is None else shuffled(found.bodies),
        shuffled(found.identities),
        Doubt(
            shuffled(found.doubt.memberships),
            shuffled(found.doubt.alike),
            found.doubt.cluster_thresh,
        ),
        shuffled(found.cast),
    )

    assert screen_time(mixed, shuffled(trims)) == screen_time(found, trims)


@given(sources(), TRIMS)
def test_trimming_gives_the_seconds_of_the_video_cut_short(
    found: Sources, trims: list[tuple[float, float]]
) -> None:
    """Take the trimmed stretches out of the film, and measure what is left."""

    def moved(at_s: float) -> float:
        return at_s - total_s(intersection(trims, [(-1.0, at_s)]))

    def cut(extent: Extent) -> Extent:
        return Extent(*((moved(start), moved(end)) for start, end in extent))

    short = Sources(
        [FaceSpan(f.track_id, cut(f.extent)) for f in found.faces],
        None if found.bodies is None else [
            BodySpan(b.body_track_id, cut(b.extent), b.identity_id, b.evidence, b.track_ids,
                     b.confidence)
            for b in found.bodies
        ],
        found.identities, found.doubt, found.cast,
    )  # fmt: skip

    def seconds(measured: Any) -> Any:
        people = [
            (p.person_id, p.face_s, p.body_only_s, p.total_s, p.low_s, p.high_s, p.track_count)
            for p in measured.people
        ]
        return people, measured.covered_s, measured.overlap_s, measured.unknown_s, measured.together

    assert seconds(screen_time(found, trims)) == seconds(screen_time(short))
