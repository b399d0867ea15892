"""What a labelled clip's truth says survives its way through an episode."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.composed.camera import Lens, Pace
from benchmarks.composed.clip_episodes import clip_episodes
from benchmarks.composed.clips import Clip, Excerpt, labelled_clips
from benchmarks.composed.mixing import join_shots
from benchmarks.composed.shots import EpisodeShot
from benchmarks.composed.truth import TruthWriter
from benchmarks.material import SHARED
from screenalytics_core.errors import TruthError, VideoError
from tests.composed_scenes import found_box, labelled_clip, made_of, pictures

CLIPS = SHARED / "clips"


def truth_of(excerpt: Excerpt, size_px: tuple[int, int]) -> dict[str, Any]:
    writer = TruthWriter(excerpt.main_people())
    for shown in join_shots([EpisodeShot(excerpt)], size_px):
        writer.add(shown)
    return writer.document("again.mp4", 25.0, size_px, 1)


def test_a_whole_clip_shown_as_it_is_keeps_its_truth(tmp_path: Path) -> None:
    clip = Clip(labelled_clip(tmp_path))

    truth = truth_of(Excerpt(clip, 0, 29), (320, 180))

    given = clip.truth
    for key in ("frames", "cuts", "labelled_frames", "ignore_regions"):
        assert truth[key] == given[key]
    assert truth["visible"] == {"red": [[0, 17]], "walk green": [[18, 29]]}
    assert truth["visible_clear"] == {"red": [[0, 16]], "walk green": [[18, 29]]}
    flags = ("frame_idx", "bbox_xyxy", "small", "hard", "away")
    assert [[f[k] for k in flags] for f in truth["faces"]] == [
        [f[k] for k in flags] for f in given["faces"]
    ]
    assert [p["main"] for p in truth["persons"].values()] == [True, False]


@pytest.mark.shared
@pytest.mark.skipif(not CLIPS.is_dir(), reason="the labelled clips are not beside the checkout")
@pytest.mark.parametrize("number", range(4))
def test_a_real_clip_shown_as_it_is_keeps_its_truth(number: int) -> None:
    clip = labelled_clips(CLIPS)[number]
    given = clip.truth

    truth = truth_of(Excerpt(clip, 0, given["frames"] - 1), (given["width"], given["height"]))

    assert truth["cuts"] == given["cuts"]
    assert truth["labelled_frames"] == given["labelled_frames"]
    named = {clip.name_of(p): v for p, v in given["visible"].items()}
    assert {p: v for p, v in truth["visible"].items() if v} == named
    assert len(truth["faces"]) == len(given["faces"])


def test_boxes_between_labels_follow_the_head_so_that_its_seconds_end_at_the_edge(
    tmp_path: Path,
) -> None:
    clip = Clip(labelled_clip(tmp_path))
    # Shows px 0 to 96 of the clip; the box is at px 20 to 60 and moves 4 px a frame.
    window = Lens((2.5, 2.5), ((0.1, 0.4), (0.1, 0.4)))

    truth = made_of(EpisodeShot(Excerpt(clip, 0, 17), window), folder=tmp_path).truth()

    assert truth["visible"]["red"] == [[0, 14]], "its middle is at px 96 in frame 14"
    assert truth["visible_clear"]["red"] == [[0, 10]], "its edge is 4 of 40 px beyond in frame 10"


def test_an_excerpt_with_a_cut_inside_brings_the_cut_and_its_own_pace(tmp_path: Path) -> None:
    clip = Clip(labelled_clip(tmp_path))

    made = made_of(EpisodeShot(Excerpt(clip, 9, 29), pace=Pace(2.0)), folder=tmp_path)

    truth = made.truth()
    assert truth["cuts"] == [5], "frame 18 is left out, frame 19 is the first of the new shot"
    shown = pictures(made.video_path)
    for face in truth["faces"]:
        found = found_box(shown[face["frame_idx"]], face["person"].split()[-1])
        assert found == pytest.approx(face["bbox_xyxy"], abs=1.6)
    assert "present" not in truth, "nobody labelled bodies"


def test_a_clip_without_a_truth_is_named_in_the_error(tmp_path: Path) -> None:
    path = labelled_clip(tmp_path)
    (tmp_path / "truth" / "walk.json").unlink()

    with pytest.raises(VideoError, match=r"walk\.mp4"):
        _ = Clip(path).truth
    assert labelled_clips(tmp_path) == ()
    with pytest.raises(VideoError, match="holds no labelled clip"):
        clip_episodes(tmp_path)


OPTIONAL = ("visible_clear", "maybe", "ignore_regions", "alt_reading")


@pytest.mark.parametrize("absent", ["left out", "null"])
def test_what_a_truth_may_leave_out_need_not_be_there(tmp_path: Path, absent: str) -> None:
    path = labelled_clip(tmp_path)
    truth = json.loads((tmp_path / "truth" / "walk.json").read_text())

    def without(given: dict[str, Any], *names: str) -> dict[str, Any]:
        rest = {k: v for k, v in given.items() if k not in names}
        return rest if absent == "left out" else rest | dict.fromkeys(names)

    truth = without(truth, *OPTIONAL)
    truth["faces"] = [without(f, "small", "hard", "away") for f in truth["faces"]]
    truth["persons"]["green"] = without(truth["persons"]["green"], "main", "gallery")
    (tmp_path / "truth" / "walk.json").write_text(json.dumps(truth))

    shown = truth_of(Excerpt(Clip(path), 0, 29), (320, 180))

    assert shown["visible_clear"] == shown["visible"] == {
        "red": [[0, 17]], "walk green": [[18, 29]],
    }  # fmt: skip
    assert shown["ignore_regions"] == []
    doubts = [face[doubt] for face in shown["faces"] for doubt in ("hard", "small", "away")]
    assert all(doubt is False for doubt in doubts)
    assert [p["main"] for p in shown["persons"].values()] == [True, False]


def test_a_truth_that_is_wrong_is_named_by_file_and_field(tmp_path: Path) -> None:
    path = labelled_clip(tmp_path, faces=[{"frame_idx": 0, "person": "red"}])

    with pytest.raises(TruthError, match=r"walk\.json, faces\[0\]\.bbox_xyxy: is missing"):
        _ = Clip(path).truth


def test_a_clip_without_labelled_cuts_is_refused_since_shots_are_taken_whole(
    tmp_path: Path,
) -> None:
    path = labelled_clip(tmp_path, cuts=None)

    with pytest.raises(VideoError, match=r"walk\.mp4: has no cuts in .*Label them"):
        _ = Clip(path).shots


def test_every_kind_of_episode_is_built_from_whatever_clips_there_are(tmp_path: Path) -> None:
    clip = labelled_clip(tmp_path)
    truth = json.loads((tmp_path / "truth" / "walk.json").read_text())
    one_shot = {"cuts": [], "visible": {"red": [[0, 29]]}, "visible_clear": {"red": [[0, 29]]}}
    faces = [f | {"person": "red"} for f in truth["faces"]]
    labelled_clip(tmp_path, **one_shot, persons={"red": {"main": True}}, faces=faces)

    made = {name: make() for name, make in clip_episodes(clip.parent).items()}

    assert len(made) == 10
    for name, episode in made.items():
        assert episode.name == name
        assert episode.frame_count > 80
        assert episode.main_people == {"red"}
