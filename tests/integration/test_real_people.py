"""Seven real people from pictures that ship inside two packages, through faces to identities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest

from screenalytics_core.artifacts import DETECTIONS, TRACKS, ArtifactKind
from screenalytics_core.steps.embeddings import STEP as EMBEDDINGS
from screenalytics_core.steps.faces import STEP as FACES
from screenalytics_core.steps.identities import STEP as IDENTITIES
from screenalytics_core.vision.clustering import cluster_tracks
from screenalytics_core.vision.models.protocols import Image, ModelPack
from tests.face_fakes import FPS, FakeFrame, FakeVideo, run_step

pytestmark = pytest.mark.models
PEOPLE = 7


def picture(package: str, path: str) -> Image:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return np.asarray(cv2.imread(str(Path(spec.origin).parent / path)), np.uint8)


def taken_again(image: Image) -> Image:
    """The same people tilted, nearer, darker, a little out of focus and compressed."""
    height, width = image.shape[:2]
    warp = cv2.getRotationMatrix2D((width / 2, height / 2), 6, 1.06)
    moved = cv2.warpAffine(image, warp, (width, height))
    dark = cv2.GaussianBlur(cv2.convertScaleAbs(moved, alpha=0.7, beta=5), (5, 5), 0)
    _, jpeg = cv2.imencode(".jpg", dark, [cv2.IMWRITE_JPEG_QUALITY, 60])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


class Stills(FakeVideo):
    """Each picture is one frame, 25 frames apart."""

    def __init__(self, pictures: list[Image]) -> None:
        super().__init__([])
        self.pictures = {25 * i: p for i, p in enumerate(pictures)}

    def frames_at(self, frame_idxs: Iterable[int]) -> Iterator[FakeFrame]:
        return (FakeFrame(idx, self.pictures[idx]) for idx in frame_idxs)


def found_in(video: Stills, pack: ModelPack) -> list[dict[str, Any]]:
    """Detections of all pictures, from left to right in each."""
    detector = pack.face_detector(max_side_px=640, min_confidence=0.9)
    rows = []
    for frame_idx, image in video.pictures.items():
        faces = detector.detect(image)
        assert faces.landmarks_xy is not None
        for i in np.argsort(faces.bboxes_xyxy[:, 0]):
            rows.append(
                {
                    "detection_id": len(rows), "frame_idx": frame_idx, "shot_id": len(rows),
                    "timestamp_s": frame_idx / FPS, "bbox_xyxy": faces.bboxes_xyxy[i],
                    "confidence": faces.confidences[i], "landmarks_xy": faces.landmarks_xy[i],
                }
            )  # fmt: skip
    return rows


def one_track_each(rows: list[dict[str, Any]]) -> pa.Table:
    return TRACKS.from_rows(
        [
            {
                "track_id": r["detection_id"], "shot_id": r["shot_id"],
                "first_frame_idx": r["frame_idx"], "last_frame_idx": r["frame_idx"],
                "start_s": r["timestamp_s"], "end_s": r["timestamp_s"] + 1 / FPS,
                "frame_idxs": [r["frame_idx"]], "bboxes_xyxy": [r["bbox_xyxy"]],
                "detection_ids": [r["detection_id"]], "mean_confidence": r["confidence"],
            }
            for r in rows
        ]
    )  # fmt: skip


@pytest.fixture(scope="module")
def artifacts(lite_pack: ModelPack) -> dict[ArtifactKind, Any]:
    actors = picture("insightface", "data/images/t1.jpg")
    astronaut = picture("skimage", "data/astronaut.png")
    video = Stills([actors, astronaut, taken_again(actors), taken_again(astronaut)])
    rows = found_in(video, lite_pack)
    made: dict[ArtifactKind, Any] = {
        ArtifactKind.DETECTIONS: {"detections": DETECTIONS.from_rows(rows)},
        ArtifactKind.TRACKS: {"tracks": one_track_each(rows)},
    }
    thresholds = settings(lite_pack)
    made |= run_step(FACES, made, video=video, **thresholds)
    made |= run_step(EMBEDDINGS, made, pack=lite_pack, embed_batch=4, **thresholds)
    return made | dict(run_step(IDENTITIES, made, **thresholds))


def settings(pack: ModelPack) -> dict[str, float]:
    calibration = pack.info.calibration
    return {
        "det_thresh": calibration.det_thresh,
        "cluster_thresh": calibration.cluster_thresh,
        "min_identity_sim": calibration.min_identity_sim,
    }


def test_seven_people_are_told_apart_and_found_again(artifacts: dict[ArtifactKind, Any]) -> None:
    document = artifacts[ArtifactKind.IDENTITIES]["identities"]

    pairs = sorted(identity["track_ids"] for identity in document["identities"])
    assert pairs == [[i, i + PEOPLE] for i in range(PEOPLE)]
    assert document["unassigned_track_ids"] == []
    assert all(identity["confidence"] > 0.3 for identity in document["identities"])


def test_they_are_told_apart_by_their_faces_alone(artifacts: dict[ArtifactKind, Any]) -> None:
    """Without the help of having been in one picture."""
    reps = artifacts[ArtifactKind.TRACK_REPS]["track_reps"]
    vectors = np.array(reps["embedding"].to_pylist(), np.float32)
    similarity = vectors @ vectors.T
    is_same = np.eye(2 * PEOPLE, k=PEOPLE, dtype=bool)
    is_other = np.triu(~is_same, 1)

    groups = cluster_tracks(
        reps["track_id"].to_numpy(), vectors, np.zeros((0, 2), np.int64), min_similarity=0.43
    )

    assert similarity[is_same].min() > similarity[is_other].max() + 0.05
    assert groups == [[i, i + PEOPLE] for i in range(PEOPLE)]


def test_the_same_faces_give_the_same_bytes_in_one_thread_and_in_many(
    artifacts: dict[ArtifactKind, Any], lite_pack: ModelPack
) -> None:
    again = [
        run_step(EMBEDDINGS, artifacts, pack=lite_pack, embed_batch=4, workers=workers)[
            ArtifactKind.FACES_EMBEDDINGS
        ]["embeddings"].tobytes()
        for workers in (1, 4)
    ]

    assert again[0] == again[1]
    assert again[0] == artifacts[ArtifactKind.FACES_EMBEDDINGS]["embeddings"].tobytes()
