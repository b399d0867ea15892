"""A composed season: the same people in every episode, each time from other pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.composed.clips import Clip, Excerpt
from benchmarks.composed.compose import Composed
from benchmarks.composed.looks import map_box
from benchmarks.composed.takes import Staged
from benchmarks.material import SHARED
from benchmarks.season.composing import compose_season, season_document
from benchmarks.season.people import LEAST_FRAMES, people_of
from benchmarks.season.plan import SeasonPlan
from benchmarks.season.stretches import Filmed
from screenalytics_core.demo_render import placements
from screenalytics_core.evaluation.truth import Truth, read_truth
from tests.composed_scenes import labelled_clip

CLIPS = SHARED / "clips"
PICTURED = people_of(None, cast_size=3, pictured_cast=3)
# Ends with the first round: three of the cast, and perhaps strangers.
SHORT = SeasonPlan(PICTURED, episodes=2, seed=1, length_s=0.5)


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> list[Composed]:
    return compose_season(SHORT, tmp_path_factory.mktemp("season"), tell=lambda _: None)


@pytest.fixture(scope="module")
def truths(season: list[Composed]) -> list[Truth]:
    return [read_truth(made.truth()) for made in season]


def rooms_of(plan: SeasonPlan, name: str) -> Iterator[set[str]]:
    for one in plan:
        yield {s.stretch for s in one.showings if s.person == name}


def test_every_episode_is_a_video_with_a_truth_that_can_be_read(truths: list[Truth]) -> None:
    assert [t.clip for t in truths] == ["demo-s01e01.mp4", "demo-s01e02.mp4"]
    assert all(t.frame_count > 0 and t.faces for t in truths)


def test_the_cast_goes_by_the_same_names_in_every_episode(truths: list[Truth]) -> None:
    main = [{p.name for p in t.persons if p.is_main} for t in truths]

    assert main[0] | main[1] == PICTURED.names
    assert main[0] & main[1]


def test_strangers_occur_but_are_no_main_people() -> None:
    planned = list(SeasonPlan(PICTURED, seed=1, length_s=0.5))
    strangers = {s.person for one in planned for s in one.showings} - PICTURED.names

    assert strangers
    assert all(one.episode.main_people <= PICTURED.names for one in planned)


def test_whom_a_shot_is_about_is_clear_in_all_of_its_frames(truths: list[Truth]) -> None:
    for truth, planned in zip(truths, SHORT, strict=True):
        mixed = sum(shot.join.frames for shot in planned.episode.shots)
        clear = sum(b - a + 1 for own in truth.visible_clear.values() for a, b in own)
        visible = sum(b - a + 1 for own in truth.visible.values() for a, b in own)

        assert visible >= truth.frame_count - mixed
        assert clear >= visible - 2 * mixed


def test_a_seed_gives_the_same_bytes(season: list[Composed], tmp_path: Path) -> None:
    (again,) = compose_season(replace(SHORT, episodes=1), tmp_path, tell=lambda _: None)

    assert again.video_path.read_bytes() == season[0].video_path.read_bytes()
    assert again.truth_path.read_bytes() == season[0].truth_path.read_bytes()


def test_another_seed_gives_another_season() -> None:
    plans = [SeasonPlan(PICTURED, episodes=2, seed=seed) for seed in (1, 2)]

    first, second = ([one.showings for one in plan] for plan in plans)
    assert first != second


def test_everybody_occurs_in_most_episodes_and_some_are_not_in_the_first() -> None:
    people = people_of(None, cast_size=7, pictured_cast=7)
    casts = [{s.person for s in one.showings} for one in SeasonPlan(people)]

    seen = Counter(name for cast in casts for name in cast)
    assert all(seen[name] > len(casts) / 2 for name in people.names)
    assert people.names - casts[0]
    assert all(3 <= len(cast & people.names) <= 7 for cast in casts)


def test_a_person_is_shown_from_other_pictures_until_none_are_left() -> None:
    name = PICTURED.cast[0].name
    shown = [rooms for rooms in rooms_of(SeasonPlan(PICTURED), name) if rooms]

    # Seven rooms, two an episode.
    assert len(set().union(*shown[:3])) == sum(map(len, shown[:3])) == 6


def test_the_season_says_how_often_an_episode_shows_others_frames() -> None:
    document = season_document(SHORT, list(SHORT))

    assert document["cast"] == [p.name for p in PICTURED.cast]
    assert [e["ep_id"] for e in document["episodes"]] == ["demo-s01e01", "demo-s01e02"]
    for told in document["stretches"].values():
        assert told["known"] == 7
        assert told["most_episodes_with_one"] <= 1


@pytest.mark.parametrize(
    ("left", "top", "width_px", "height_px", "least_zoom"),
    [
        pytest.param(20, 70, 30, 29, 1.5, id="small"),
        pytest.param(20, 70, 190, 29, 1.1, id="wide"),
        pytest.param(20, 0, 30, 120, 1.2, id="at the upper edge"),
        pytest.param(20, 60, 30, 120, 1.2, id="at the lower edge"),
    ],
)
def test_a_window_never_leaves_the_person_out(
    tmp_path: Path, left: int, top: int, width_px: int, height_px: int, least_zoom: float
) -> None:
    face = {"person": "red", "small": False, "hard": False, "away": False}
    faces = [
        face | {"frame_idx": frame, "bbox_xyxy": [x, top, x + width_px, top + height_px]}
        for frame, x in ((frame, left + 4 * frame) for frame in range(0, 18, 3))
    ]
    part = Filmed("red", "red", Excerpt(Clip(labelled_clip(tmp_path, faces=faces)), 3, 12))
    random = np.random.default_rng(0)

    zooms = []
    for _ in range(60):
        take, lens = part.shown(random)
        zooms.append(lens.zoom[0])
        x0, y0, x1, y1 = map_box(part.face_xyxy, lens.matrix(0.0, take.size_px, (320, 180)))
        assert (x0 > -0.01, y0 > -0.01, x1 < 320.01, y1 < 180.01) == (True,) * 4
    assert max(zooms) > least_zoom


def test_a_pictured_person_stands_inside_the_picture() -> None:
    random = np.random.default_rng(0)
    stretches = [s for person in PICTURED.cast for s in person.stretches]

    for stretch in stretches:
        take, _lens = stretch.shown(random)
        assert isinstance(take, Staged)
        for frame in range(take.frame_count):
            assert [face.inside for face in placements(take.shot, frame)] == [1.0]


def test_more_people_than_the_material_shows_are_refused() -> None:
    with pytest.raises(ValueError, match="the material shows 7 people"):
        people_of(None, cast_size=8, pictured_cast=8)


@pytest.mark.skipif(not CLIPS.is_dir(), reason="the labelled clips are not here")
def test_of_clips_only_frames_are_taken_in_which_the_person_is_clear() -> None:
    people = people_of(CLIPS, cast_size=8, pictured_cast=2)
    filmed = [s for p in people.cast for s in p.stretches if isinstance(s, Filmed)]

    assert len({p.name for p in people.cast}) == 8
    assert len({s.excerpt.clip.path for s in filmed}) > 1
    for part in filmed:
        excerpt = part.excerpt
        assert excerpt.frame_count >= LEAST_FRAMES
        clear = excerpt.clip.truth["visible_clear"][part.person]
        assert any(a <= excerpt.first and excerpt.last <= b for a, b in clear)
        assert any(a <= excerpt.first and excerpt.last <= b for a, b in excerpt.clip.shots)
