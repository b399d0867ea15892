"""The faces step: which frames it decodes, which faces it keeps, what it writes."""

from __future__ import annotations

import errno
import io
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import pytest

from screenalytics_core.artifacts import ARTIFACTS, FACES, ArtifactKind
from screenalytics_core.codecs import encode
from screenalytics_core.crops import decode_crop, read_jpegs
from screenalytics_core.errors import DiskSpaceError
from screenalytics_core.steps.base import StepNeedsError
from screenalytics_core.steps.faces import STEP
from tests.face_fakes import (
    BLUE,
    GREEN,
    RED,
    Face,
    FakeVideo,
    detections_table,
    run_step,
    tracks_table,
)

LEFT, RIGHT = (40, 20, 100, 100), (200, 20, 260, 100)
TINY = (40, 20, 52, 36)
FLAT = 0.0


class Pictures:
    """Remembers the loose pictures."""

    def __init__(self) -> None:
        self.saved: dict[tuple[ArtifactKind, str], Any] = {}

    def save(self, kind: ArtifactKind, name: str, jpeg: bytes) -> None:
        self.saved[kind, name] = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def harvest(
    faces: Sequence[Face],
    members: Mapping[int, Sequence[int]],
    *,
    video: FakeVideo | None = None,
    media: Pictures | None = None,
    **settings: Any,
) -> Mapping[str, Any]:
    upstream = {
        ArtifactKind.DETECTIONS: {"detections": detections_table(faces)},
        ArtifactKind.TRACKS: {"tracks": tracks_table(faces, members)},
    }
    return run_step(STEP, upstream, video=video or FakeVideo(faces), media=media, **settings)[
        ArtifactKind.FACES
    ]


def rows(made: Mapping[str, Any]) -> list[dict[str, Any]]:
    return made["faces"].to_pylist()


def names(made: Mapping[str, Any]) -> list[str]:
    with zipfile.ZipFile(made["crops"]) as archive:
        return archive.namelist()


def test_each_accepted_face_has_a_row_and_a_crop_of_itself() -> None:
    faces = [Face(0, LEFT, RED), Face(0, RIGHT, GREEN), Face(3, LEFT, RED), Face(3, RIGHT, GREEN)]

    made = harvest(faces, {1: [0, 2], 2: [1, 3]})

    table = rows(made)
    assert FACES.conform(made["faces"]).equals(made["faces"])
    assert [(r["track_id"], r["frame_idx"], r["embedding_row"]) for r in table] == [
        (1, 0, 0), (1, 3, 1), (2, 0, 2), (2, 3, 3),
    ]  # fmt: skip
    crops = [decode_crop(j) for j in read_jpegs(made["crops"], [r["crop"] for r in table])]
    for row, crop in zip(table, crops, strict=True):
        blue, green, red = crop[30:90, 40:72].mean(axis=(0, 1))
        assert (red > 100 and green < 40) if row["track_id"] == 1 else (green > 100 and red < 40)
        assert blue < 40
        assert crop.shape == (112, 112, 3)


def test_ids_are_numbered_by_track_and_frame_and_name_the_detection() -> None:
    faces = [Face(0, RIGHT), Face(3, LEFT), Face(3, RIGHT), Face(6, LEFT)]

    table = rows(harvest(faces, {9: [0, 2], 4: [1, 3]}))

    assert [r["face_id"] for r in table] == [0, 1, 2, 3]
    assert [r["track_id"] for r in table] == [4, 4, 9, 9]
    assert [r["detection_id"] for r in table] == [1, 3, 0, 2]
    assert [r["bbox_xyxy"] for r in table] == [list(LEFT), list(LEFT), list(RIGHT), list(RIGHT)]
    assert table[0]["timestamp_s"] == 3 / 25
    assert table[0]["size_px"] == 60


def test_only_frames_of_candidates_are_decoded_each_once() -> None:
    faces = [f for i in range(0, 300, 3) for f in (Face(i, LEFT), Face(i, RIGHT))]
    video = FakeVideo(faces)

    made = harvest(
        faces,
        {1: list(range(0, 200, 2)), 2: list(range(1, 200, 2))},
        video=video,
        max_samples_per_track=4,
    )

    assert video.decoded == sorted(set(video.decoded))
    assert len(video.decoded) <= 2 * 2 * 4
    assert len(names(made)) == 2 * 4
    assert video.checks == 1


def test_the_best_faces_of_a_track_are_kept_and_the_others_say_why_not() -> None:
    sharp = {0, 12, 24}
    faces = [Face(i, contrast=0.5 if i in sharp else 0.2) for i in range(0, 27, 3)]

    table = rows(harvest(faces, {1: list(range(9))}, max_samples_per_track=3, min_sharpness=1))

    kept = [r for r in table if r["accepted"]]
    assert {r["frame_idx"] for r in kept} == sharp
    assert {r["reject_reason"] for r in kept} == {None}
    left = [r for r in table if not r["accepted"]]
    assert {r["reject_reason"] for r in left} == {"not_among_best"}
    assert all(r["embedding_row"] is None and r["crop"] is None for r in left)


@pytest.mark.parametrize(
    ("doubtful", "reason"),
    [
        (Face(3, contrast=FLAT), "blurred"),
        (Face(3, confidence=0.3), "low_confidence"),
        (Face(3, turned=1.5), "profile"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_a_track_of_doubtful_faces_keeps_them_and_says_so(doubtful: Face, reason: str) -> None:
    """Else a person who is only seen from the side or blurred would have no embedding at all."""
    alone = rows(harvest([doubtful], {1: [0]}, min_frontality=0.5))
    clear = Face(0)
    beside = rows(harvest([clear, doubtful], {1: [0, 1]}, min_frontality=0.5))

    assert [(r["accepted"], r["reject_reason"], r["embedding_row"]) for r in alone] == [
        (True, reason, 0)
    ]
    assert [r["frame_idx"] for r in beside if r["accepted"]] == [0]


def test_a_blurred_face_beside_a_sharp_one_is_refused_by_name() -> None:
    table = rows(harvest([Face(0), Face(3, contrast=FLAT)], {1: [0, 1]}))

    assert [(r["accepted"], r["reject_reason"]) for r in table] == [
        (True, None),
        (False, "blurred"),
    ]


def test_a_track_of_tiny_faces_has_one_refused_row_and_costs_no_decoding() -> None:
    faces = [Face(0, TINY), Face(3, TINY)]
    video = FakeVideo(faces)

    made = harvest(faces, {1: [0, 1]}, video=video)

    assert [(r["accepted"], r["reject_reason"], r["sharpness"]) for r in rows(made)] == [
        (False, "too_small", None)
    ]
    assert video.decoded == []
    assert names(made) == []


def test_a_face_without_landmarks_is_cut_by_its_box() -> None:
    made = harvest([Face(0, has_landmarks=False)], {1: [0]})

    row = rows(made)[0]
    assert (row["accepted"], row["frontality"], row["landmarks_xy"]) == (True, None, None)
    crop = decode_crop(next(read_jpegs(made["crops"], [row["crop"]])))
    assert crop[64, 56, 2] > 60
    assert crop[64, 8].tolist() == pytest.approx([60, 60, 60], abs=12)


def test_an_episode_without_a_face_is_a_valid_empty_artifact() -> None:
    made = harvest([], {})

    assert rows(made) == []
    assert names(made) == []
    for file in ARTIFACTS[ArtifactKind.FACES].files:
        assert b"".join(encode(file, made[file.part]).chunks) or file.part == "faces"


def test_two_runs_give_the_same_bytes() -> None:
    faces = [f for i in range(0, 60, 3) for f in (Face(i, LEFT, RED), Face(i, RIGHT, BLUE))]
    members = {2: list(range(0, 40, 2)), 1: list(range(1, 40, 2))}

    first, second = (harvest(faces, members, max_samples_per_track=3) for _ in range(2))

    assert first["faces"].equals(second["faces"])
    assert first["crops"].read() == second["crops"].read() != b""


def test_crops_of_a_finished_track_do_not_wait_for_the_end_of_the_episode() -> None:
    """The archive is in the order in which tracks end, so no more than those on screen wait."""
    faces = [Face(i, LEFT) for i in (0, 3)] + [Face(i, LEFT) for i in (30, 33)]
    early = harvest(faces, {8: [0, 1], 3: [2, 3]})

    assert [name[:7] for name in names(early)] == ["t000008", "t000008", "t000003", "t000003"]


def test_loose_pictures_are_saved_only_when_asked_for_and_change_nothing() -> None:
    faces = [Face(0, LEFT), Face(3, LEFT, contrast=FLAT)]
    nothing, everything = Pictures(), Pictures()

    plain = harvest(faces, {1: [0, 1]}, media=nothing)
    rich = harvest(
        faces, {1: [0, 1]}, media=everything,
        save_crops=True, save_frames=True, thumb_size=64, jpeg_quality=90,
    )  # fmt: skip

    assert nothing.saved == {}
    name = rows(plain)[0]["crop"]
    assert set(everything.saved) == {
        (ArtifactKind.CROPS_DIR, name),
        (ArtifactKind.THUMBS_DIR, name),
        (ArtifactKind.FRAMES_ROOT, "frame_00000000.jpg"),
        (ArtifactKind.FRAMES_ROOT, "frame_00000003.jpg"),
    }
    assert everything.saved[ArtifactKind.THUMBS_DIR, name].shape == (64, 64, 3)
    assert everything.saved[ArtifactKind.CROPS_DIR, name].shape == (112, 112, 3)
    assert everything.saved[ArtifactKind.FRAMES_ROOT, "frame_00000000.jpg"].shape == (192, 320, 3)
    assert plain["crops"].read() == rich["crops"].read()
    assert plain["faces"].equals(rich["faces"])


def test_a_thumbnail_at_the_edge_of_the_picture_stays_inside_it() -> None:
    corner = Face(0, (270, 130, 320, 192))
    pictures = Pictures()

    harvest([corner], {1: [0]}, media=pictures, save_crops=True)

    thumb = pictures.saved[ArtifactKind.THUMBS_DIR, "t000001_f00000000.jpg"]
    assert thumb.shape == (256, 256, 3)
    assert thumb[200, 150, 2] > 80
    assert thumb[200, 105].tolist() == pytest.approx([60, 60, 60], abs=25), "stretched"
    assert thumb[5, 5].tolist() == pytest.approx([60, 60, 60], abs=5)


class FullDisk(io.BytesIO):
    def write(self, data: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_temporary_folder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", FullDisk)

    with pytest.raises(DiskSpaceError, match=r"temporary folder .* is full .* TMPDIR"):
        harvest([Face(0)], {1: [0]})


class BrokenDisk(io.BytesIO):
    def write(self, data: Any) -> int:
        raise OSError(errno.EIO, "Input/output error")


def test_another_fault_of_the_disk_is_not_called_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", BrokenDisk)

    with pytest.raises(OSError, match="Input/output error"):
        harvest([Face(0)], {1: [0]})


def test_a_video_is_needed_only_if_there_are_faces() -> None:
    upstream = {
        ArtifactKind.DETECTIONS: {"detections": detections_table([Face(0)])},
        ArtifactKind.TRACKS: {"tracks": tracks_table([Face(0)], {1: [0]})},
    }

    with pytest.raises(StepNeedsError, match="video"):
        run_step(STEP, upstream)


def test_how_pictures_are_saved_is_no_part_of_the_fingerprint() -> None:
    fingerprinted = {s for output in STEP.outputs for s in output.settings}

    assert "save_crops" in STEP.settings
    assert fingerprinted == {
        "det_thresh", "min_face_px", "min_sharpness", "min_frontality", "max_samples_per_track",
    }  # fmt: skip
    assert STEP.outputs[0].reads_video
