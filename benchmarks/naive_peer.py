"""What a user would write today to get screen time: one script on insightface and scikit-learn.

Every frame is decoded and given to the detector at 640x640, every face is aligned and
embedded, and all faces are clustered by agglomerative clustering on cosine distance. A
person's seconds are the frames with one of their faces over the frame rate. It is written
with care: one decode, one pass, the same models and threads as the product, nothing kept
but boxes and vectors.

    python -m benchmarks.naive_peer VIDEO --models DIR --out OUT [--loop N] [--threads N]

`--models lite` takes that pack's detector instead, which insightface cannot load; its input
keeps the picture's aspect ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import onnxruntime
from insightface.app import FaceAnalysis
from insightface.utils.face_align import norm_crop
from sklearn.cluster import AgglomerativeClustering

DET_SIZE = (640, 640)
# insightface's own default.
DET_THRESH = 0.5
JOIN_COSINE = 0.40
# Overlap of two boxes in consecutive frames that are drawn as one run.
RUN_IOU = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """A face on one frame: its box (4,) px and its L2-normalised embedding (512,)."""

    frame_idx: int
    bbox_xyxy: np.ndarray
    embedding: np.ndarray


SeeFaces = Callable[[np.ndarray], list[tuple[np.ndarray, np.ndarray]]]
"""A picture's faces: box (4,) px and L2-normalised embedding (512,) of each."""


def load_models(models: str, threads: int) -> SeeFaces:
    """Return what finds and embeds the faces of one picture."""
    return _insightface(models, threads) if Path(models).is_dir() else _pack(models)


def _insightface(models_dir: str, threads: int) -> SeeFaces:
    """Return insightface's own pipeline over a directory of its ONNX files."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    app = FaceAnalysis(
        name=models_dir,
        allowed_modules=["detection", "recognition"],
        providers=["CPUExecutionProvider"],
        sess_options=options,
    )
    app.prepare(ctx_id=-1, det_size=DET_SIZE, det_thresh=DET_THRESH)
    return lambda picture: [(face.bbox, face.normed_embedding) for face in app.get(picture)]


def _pack(name: str) -> SeeFaces:
    """Return the same over one of the product's packs, whose models run on one thread."""
    from screenalytics_assets.binding import models_home
    from screenalytics_assets.settings import Settings
    from screenalytics_core.vision.models.packs import find_pack

    pack = find_pack(
        name,
        models_home(Settings.from_env()),
        device="cpu",
        embed_device="cpu",
        install_missing=True,
        progress=lambda line: print(line, file=sys.stderr),
    )
    detector = pack.face_detector(max_side_px=DET_SIZE[0], min_confidence=DET_THRESH)
    embedder = pack.face_embedder()

    def see(picture: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        faces = detector.detect(picture)
        if faces.landmarks_xy is None:
            raise SystemExit(f"the detector of {name} gives no landmarks to align a face by")
        seen = []
        for bbox, landmarks in zip(faces.bboxes_xyxy, faces.landmarks_xy, strict=True):
            crop = norm_crop(picture, landmarks.reshape(5, 2), image_size=112)
            vector = embedder.embed(crop[np.newaxis])[0]
            seen.append((bbox, vector / np.linalg.norm(vector)))
        return seen

    return see


def decode(video: Path, loops: int) -> Iterator[np.ndarray]:
    """Yield every frame, (H, W, 3) BGR, the whole video `loops` times."""
    for _ in range(loops):
        with av.open(str(video)) as container:
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format="bgr24")


def frame_rate(video: Path) -> float:
    """Return the average frames per second."""
    with av.open(str(video)) as container:
        rate = container.streams.video[0].average_rate
    if rate is None:
        raise SystemExit(f"{video} states no frame rate")
    return float(rate)


def see_all(see: SeeFaces, frames: Iterator[np.ndarray]) -> tuple[list[SeenFace], int]:
    """Detect and embed every face of every frame; also return how many frames there were."""
    seen: list[SeenFace] = []
    count = 0
    for frame_idx, picture in enumerate(frames):
        count = frame_idx + 1
        seen += [SeenFace(frame_idx, bbox, embedding) for bbox, embedding in see(picture)]
    return seen, count


def cluster(seen: list[SeenFace]) -> np.ndarray:
    """Return one cluster number per face, by average linkage on cosine distance."""
    if len(seen) < 2:
        return np.zeros(len(seen), dtype=int)
    model = AgglomerativeClustering(
        n_clusters=None, metric="cosine", linkage="average", distance_threshold=1 - JOIN_COSINE
    )
    return np.asarray(model.fit_predict(np.stack([face.embedding for face in seen])))


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Return the overlap of two boxes, intersection over union, 0 to 1."""
    sides = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None)
    shared = float(sides.prod())
    total = float((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod()) - shared
    return shared / total if total > 0 else 0.0


def face_runs(faces: list[SeenFace]) -> list[list[SeenFace]]:
    """Split one person's faces, in frame order, into runs of overlapping consecutive boxes."""
    runs: list[list[SeenFace]] = []
    # Runs that end on the frame before this one, and those that end on this one.
    ending: list[list[SeenFace]] = []
    current: list[list[SeenFace]] = []
    frame_idx = -1
    for face in faces:
        if face.frame_idx != frame_idx:
            ending = current if face.frame_idx == frame_idx + 1 else []
            current, frame_idx = [], face.frame_idx
        run = max(ending, key=lambda r: iou(r[-1].bbox_xyxy, face.bbox_xyxy), default=None)
        if run is None or iou(run[-1].bbox_xyxy, face.bbox_xyxy) <= RUN_IOU:
            run = []
            runs.append(run)
        else:
            ending.remove(run)
        run.append(face)
        current.append(run)
    return runs


def describe(seen: list[SeenFace], labels: np.ndarray, fps: float) -> tuple[list[Any], list[Any]]:
    """Return the rows of tracks.jsonl and the entries of identities.json, largest first."""
    by_label: dict[int, list[SeenFace]] = {}
    for face, label in zip(seen, labels.tolist(), strict=True):
        by_label.setdefault(label, []).append(face)
    tracks: list[dict[str, Any]] = []
    identities: list[dict[str, Any]] = []
    for faces in sorted(by_label.values(), key=len, reverse=True):
        first_track = len(tracks)
        for run in face_runs(faces):
            tracks.append(
                {
                    "track_id": len(tracks),
                    "frame_idxs": [face.frame_idx for face in run],
                    "bboxes_xyxy": [face.bbox_xyxy.tolist() for face in run],
                }
            )
        identities.append(
            {
                "identity_id": f"id_{len(identities) + 1:04d}",
                "label": None,
                "track_ids": list(range(first_track, len(tracks))),
                "seconds": len({face.frame_idx for face in faces}) / fps,
            }
        )
    return tracks, identities


def run(video: Path, models: str, out: Path, loops: int, threads: int) -> dict[str, Any]:
    """Process a video, write tracks.jsonl and identities.json, and return the counts."""
    cv2.setNumThreads(threads)
    seen, frame_count = see_all(load_models(models, threads), decode(video, loops))
    tracks, identities = describe(seen, cluster(seen), frame_rate(video))
    out.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(track) + "\n" for track in tracks)
    (out / "tracks.jsonl").write_text(lines, encoding="utf-8")
    (out / "identities.json").write_text(json.dumps({"identities": identities}), encoding="utf-8")
    return {"frames": frame_count, "faces": len(seen), "identities": len(identities)}


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--models", required=True, help="folder of ONNX files, or lite")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--loop", type=int, default=1, help="go through the video N times")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    args = parser.parse_args()
    print(json.dumps(run(args.video, args.models, args.out, args.loop, args.threads)))


if __name__ == "__main__":
    main()
