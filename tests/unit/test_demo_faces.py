"""The demo with the pack that it runs with: every face is found, and people stay apart.

Thresholds are the pack's own: where this fails, the composition changes, not they.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from itertools import combinations

import numpy as np
import pytest

from screenalytics_core.demo_render import draw_shot, load_pictures, placements
from screenalytics_core.demo_scenes import STORYBOARD
from screenalytics_core.demo_truth import CLEAR_PART
from screenalytics_core.vision.alignment import aligned_crop, face_transform
from screenalytics_core.vision.boxes import as_boxes, iou_matrix
from screenalytics_core.vision.models.protocols import FloatArray, ModelPack

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def vectors(lite_pack: ModelPack) -> dict[str, list[FloatArray]]:
    """Person -> normalised embeddings, over the first and last camera position of each shot."""
    detector = lite_pack.face_detector(max_side_px=640, min_confidence=0.1)
    embedder = lite_pack.face_embedder()
    sure = lite_pack.info.calibration.det_thresh
    pictures = load_pictures()
    found: dict[str, list[FloatArray]] = defaultdict(list)
    for number, shot in enumerate(STORYBOARD):
        ends = dataclasses.replace(shot, frame_count=2)
        for frame, image in enumerate(draw_shot(ends, pictures)):
            faces = detector.detect(image)
            strong = faces.confidences >= sure
            placed = placements(ends, frame)
            truth = as_boxes([face.bbox_xyxy for face in placed])
            all_overlaps = iou_matrix(truth, as_boxes(faces.bboxes_xyxy))
            for face, overlaps in zip(placed, all_overlaps, strict=True):
                if face.inside < CLEAR_PART:
                    continue
                best = int(np.argmax(overlaps))
                where = f"{face.person}, shot {number}, frame {frame}"
                assert overlaps[best] >= 0.6, where
                assert strong[best], where
                assert faces.landmarks_xy is not None
                transform = face_transform(faces.bboxes_xyxy[best], faces.landmarks_xy[best])
                vector = embedder.embed(aligned_crop(image, transform)[None])[0]
                found[face.person].append(vector / np.linalg.norm(vector))
            is_true = (all_overlaps > 0.4).any(axis=0)
            false = faces.bboxes_xyxy[strong & ~is_true].tolist()
            assert false == [], f"false faces in shot {number}"
    return found


def test_people_are_told_apart_by_likeness_or_by_being_seen_together(
    vectors: dict[str, list[FloatArray]], lite_pack: ModelPack
) -> None:
    join = lite_pack.info.calibration.cluster_thresh
    together = {
        frozenset(pair)
        for shot in STORYBOARD
        for pair in combinations([f.person for f in placements(shot, 0)], 2)
    }

    for a, b in combinations(vectors, 2):
        apart = float((np.stack(vectors[a]) @ np.stack(vectors[b]).T).max())
        for own in (np.stack(vectors[a]), np.stack(vectors[b])):
            assert float((own @ own.T).min()) > max(apart, join) + 0.1, (a, b)
        # Clustering never joins two whose tracks share a frame.
        assert apart < join or frozenset((a, b)) in together, (a, b)


def test_everybody_in_the_storyboard_is_found(vectors: dict[str, list[FloatArray]]) -> None:
    assert len(vectors) == 8
    assert min(len(v) for v in vectors.values()) >= 2
