"""What holds for any faces and bodies, however odd."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from screenalytics_core.vision.body_votes import NOBODY
from screenalytics_core.vision.evidence import Evidence
from screenalytics_core.vision.fusion import Association
from tests.fusion_scenes import FPS, Seen, Story, body_at, face_at

PLACES = (150, 400, 650)
COLOURS = ((1.0, 0.0, 0.0), (0.99, 0.1, 0.0), (0.0, 1.0, 0.0), (0.5, 0.5, 0.5))


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """People at three places in some shots; who is who is drawn without any logic."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    lengths = draw(st.lists(st.integers(5, 60), min_size=1, max_size=4))
    ends = np.cumsum(lengths).tolist()
    names = ("anna", "ben", "cleo", None)

    def spans(count: int) -> list[tuple[int, int, int]]:
        found = []
        for _ in range(count):
            shot = int(random.integers(len(ends)))
            start = ends[shot] - lengths[shot]
            first, last = sorted(random.integers(start, ends[shot], 2).tolist())
            found.append((shot, first, last))
        return found

    faces = [
        Seen(
            int(track_id), first, last, face_at(random.choice(PLACES) + random.normal(0, 15)),
            names[random.integers(4)], shot_id=shot,
        )
        for track_id, (shot, first, last) in zip(
            random.permutation(100), spans(draw(st.integers(0, 12))), strict=False
        )
    ]  # fmt: skip
    bodies = [
        Seen(
            int(track_id), first, last, body_at(random.choice(PLACES) + random.normal(0, 5)),
            looks=COLOURS[random.integers(4)] if random.random() < 0.9 else None, shot_id=shot,
        )
        for track_id, (shot, first, last) in zip(
            random.permutation(100), spans(draw(st.integers(0, 10))), strict=False
        )
    ]  # fmt: skip
    return Story(
        faces, bodies, ends, max_bridge_s=draw(st.sampled_from([0.0, 0.5, 2.0, 9.0])),
        max_link_s=draw(st.sampled_from([0.0, 1.0, 20.0])),
    )  # fmt: skip


@given(stories())
@settings(deadline=None, max_examples=150)
def test_associations_cover_each_body_track_exactly(story: Story) -> None:
    by_track: dict[int, list[Association]] = defaultdict(list)
    for row in story.associations():
        by_track[row.body_track_id].append(row)

    assert set(by_track) == {body.track_id for body in story.bodies}
    for body in story.bodies:
        rows = by_track[body.track_id]
        edges = [body.first / FPS, *(row.end_s for row in rows)]
        assert [row.start_s for row in rows] == edges[:-1]
        assert edges[-1] == (body.last + 1) / FPS
        assert all(row.start_s < row.end_s for row in rows)


@given(stories())
@settings(deadline=None, max_examples=150)
def test_nobody_owns_two_bodies_at_one_time(story: Story) -> None:
    places = {body.track_id: min(PLACES, key=lambda x: abs(body.box[0] + 60 - x))
              for body in story.bodies}  # fmt: skip
    shots = {body.track_id: body.shot_id for body in story.bodies}
    rows = [row for row in story.associations() if row.identity != NOBODY]
    for n, one in enumerate(rows):
        for other in rows[n + 1 :]:
            if (
                one.identity == other.identity
                and shots[one.body_track_id] == shots[other.body_track_id]
            ):
                together = one.start_s < other.end_s and other.start_s < one.end_s
                # Two boxes at one place are one person's.
                is_same = places[one.body_track_id] == places[other.body_track_id]
                assert not together or is_same


@given(stories())
@settings(deadline=None, max_examples=150)
def test_a_bridge_stays_in_its_scene_and_near_a_body_with_a_face(story: Story) -> None:
    shots = {body.track_id: body.shot_id for body in story.bodies}
    scene_of = {
        shot: n
        for n, scene in enumerate(story.scenes)
        for shot in range(scene.first_shot_id, scene.last_shot_id + 1)
    }
    rows = story.associations()
    sure = [row for row in rows if row.evidence == Evidence.FACE_IN_BODY]
    for row in rows:
        if row.evidence == Evidence.APPEARANCE:
            scene = scene_of[shots[row.body_track_id]]
            assert any(
                scene_of[shots[other.body_track_id]] == scene
                and other.identity == row.identity
                and row.end_s - other.end_s <= story.max_bridge_s + 1e-9
                and other.start_s - row.start_s <= story.max_bridge_s + 1e-9
                for other in sure
            )


@given(stories())
@settings(deadline=None, max_examples=100)
def test_a_bridge_is_never_where_the_face_is_seen(story: Story) -> None:
    for row in story.associations():
        if row.evidence == Evidence.APPEARANCE:
            for face in story.faces:
                if face.who == story.name(row.identity):
                    assert not (
                        row.start_s < (face.last + 1) / FPS and face.first / FPS < row.end_s
                    )


@given(stories(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=100)
def test_the_order_of_rows_does_not_matter(story: Story, random: object) -> None:
    assert hasattr(random, "sample")
    mixed = replace(
        story,
        faces=random.sample(story.faces, len(story.faces)),
        bodies=random.sample(story.bodies, len(story.bodies)),
    )

    assert mixed.associations() == story.associations()


@given(stories())
@settings(deadline=None, max_examples=100)
def test_evidence_says_what_it_is(story: Story) -> None:
    for row in story.associations():
        assert 0 <= row.confidence <= 1
        assert (row.identity == NOBODY) == (row.evidence == Evidence.NONE)
        assert (row.shared_frames > 0) == (row.evidence == Evidence.FACE_IN_BODY)
        assert bool(row.track_ids) == (row.evidence == Evidence.FACE_IN_BODY)
        assert (row.similarity is not None) == (row.evidence == Evidence.APPEARANCE)
        assert (row.gap_s is not None) == (row.evidence == Evidence.APPEARANCE)


@given(stories())
@settings(deadline=None, max_examples=60)
def test_a_shot_is_judged_by_itself_unless_a_scene_joins_it(story: Story) -> None:
    """So an hour costs no more than its shots: leaving out other scenes changes nothing."""
    whole = story.associations()
    for scene in story.scenes:
        held = range(scene.first_shot_id, scene.last_shot_id + 1)
        # One name more keeps the numbers of the identities.
        part = [b for b in story.bodies if b.shot_id in held]
        alone = replace(story, bodies=part).associations()
        ids = {b.track_id for b in part}
        assert alone == [row for row in whole if row.body_track_id in ids]
