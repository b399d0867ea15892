"""A small sound run as values in memory, to be broken one value at a time by the checks' tests.

Two shots of 25 frames at 25 fps; in each, three people stand side by side for 21 frames with
their face and for all 25 with their body.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa

from screenalytics_core import artifacts as specs
from screenalytics_core.artifacts import ARTIFACTS, ArtifactKind
from screenalytics_core.steps.base import FileFacts

Kind = ArtifactKind
Parts = dict[str, Any]
Run = dict[ArtifactKind, Parts]

FPS, FRAMES, SHOT_FRAMES, PEOPLE, STRIDE = 25, 50, 25, 3, 5
TIMES_S = np.arange(FRAMES + 1) / FPS
SAMPLED = np.arange(0, FRAMES, STRIDE)
IDS = tuple(f"id_{n + 1:04d}" for n in range(PEOPLE))


@dataclass
class Held:
    """An artifact of the run, with what its manifest would say of it."""

    kind: ArtifactKind
    parts: Parts
    files: tuple[FileFacts, ...]

    def read(self, part: str | None = None) -> Any:
        value = self.parts[part or ARTIFACTS[self.kind].primary.part]
        return BytesIO(value.getvalue()) if isinstance(value, BytesIO) else value


def finder(run: Run) -> Callable[[ArtifactKind], Held | None]:
    """What gives the run's artifacts; rows are as many as there are now."""
    held = {kind: Held(kind, parts, _files(kind, parts)) for kind, parts in run.items()}
    return held.get


def _files(kind: ArtifactKind, parts: Parts) -> tuple[FileFacts, ...]:
    return tuple(
        FileFacts(file.filename, "0" * 64, 1, _rows(parts[file.part], file.spec))
        for file in ARTIFACTS[kind].files
    )


def _rows(value: Any, spec: Any) -> int | None:
    if isinstance(value, bytes | BytesIO):
        return None
    return len(value[spec.tables[0].name]) if isinstance(value, dict) else len(value)


def sound_run() -> Run:
    """A run in which every check passes."""
    return {
        Kind.SHOTS: {"shots": _shots(), "frame_times": TIMES_S.copy()},
        Kind.DETECTIONS: {"detections": _detections(), "sampled_frames": SAMPLED.copy()},
        Kind.TRACKS: {"tracks": _tracks(specs.TRACKS, "track_id", length=21)},
        Kind.TRACK_METRICS: {"track_metrics": _metrics()},
        Kind.FACES: {"faces": _faces(), "crops": _crops()},
        Kind.FACES_EMBEDDINGS: {"embeddings": _unit_vectors(30, 512, np.float32)},
        Kind.TRACK_REPS: {"track_reps": _reps()},
        Kind.IDENTITIES: {"identities": _identities()},
        Kind.CAST: {"cast": _cast()},
        Kind.BODY_DETECTIONS: {
            "body_detections": _body_detections(),
            "body_sampled_frames": SAMPLED.copy(),
            "body_appearance": _unit_vectors(30, 8, np.float16),
        },
        Kind.BODY_TRACKS: {
            "body_tracks": _body_tracks(),
            "body_embeddings": _unit_vectors(6, 8, np.float32),
        },
        Kind.TRACK_FUSION: {"track_fusion": _fusion()},
        Kind.SCREEN_TIME: {
            "screen_time": _screen_time(),
            "csv": _csv(),
            "segments": _segments(),
        },
        Kind.REPORT: {
            "pdf": b"%PDF-1.4\n%%EOF\n",
            "html": b"<!DOCTYPE html>\n<html></html>\n",
        },
    }


def _shots() -> dict[str, Any]:
    rows = [
        {"shot_id": n, "start_frame": 25 * n, "end_frame": 25 * n + 25,
         "start_s": float(n), "end_s": float(n + 1)}
        for n in range(2)
    ]  # fmt: skip
    return specs.SHOTS.conform(
        {"fps": "25/1", "width_px": 640, "height_px": 480, "frame_count": FRAMES,
         "start_s": 0.0, "duration_s": 2.0, "shots": rows}
    )  # fmt: skip


def _box(person: int) -> list[float]:
    return [200.0 * person, 10.0, 200.0 * person + 60, 90.0]


def _detection_rows() -> list[dict[str, Any]]:
    """One row per person of each sampled frame, in frame order."""
    return [
        {"detection_id": PEOPLE * n + person, "frame_idx": int(frame),
         "timestamp_s": float(TIMES_S[frame]), "shot_id": int(frame) // SHOT_FRAMES,
         "bbox_xyxy": _box(person), "confidence": 0.9}
        for n, frame in enumerate(SAMPLED)
        for person in range(PEOPLE)
    ]  # fmt: skip


def _detections() -> pa.Table:
    return specs.DETECTIONS.from_rows(_detection_rows())


def _body_detections() -> pa.Table:
    rows = [{**row, "appearance": "hsv_stripes"} for row in _detection_rows()]
    return specs.BODY_DETECTIONS.from_rows(rows)


def _track_rows(id_column: str, length: int) -> list[dict[str, Any]]:
    """Tracks 0 to 2 of the first shot, 3 to 5 of the second, in the people's order."""
    rows = []
    for track_id in range(2 * PEOPLE):
        shot, person = divmod(track_id, PEOPLE)
        first = SHOT_FRAMES * shot
        last = first + length - 1
        frames = [*range(first, first + 21, STRIDE)]
        ids: list[int | None] = [PEOPLE * (f // STRIDE) + person for f in frames]
        if last > frames[-1]:
            frames, ids = [*frames, last], [*ids, None]
        rows.append(
            {id_column: track_id, "shot_id": shot, "first_frame_idx": first,
             "last_frame_idx": last, "start_s": float(TIMES_S[first]),
             "end_s": float(TIMES_S[last + 1]), "frame_idxs": frames,
             "bboxes_xyxy": [_box(person)] * len(frames), "detection_ids": ids,
             "mean_confidence": 0.9}
        )  # fmt: skip
    return rows


def _tracks(spec: Any, id_column: str, length: int) -> pa.Table:
    return spec.from_rows(_track_rows(id_column, length))


def _body_tracks() -> pa.Table:
    rows = [
        {**row, "appearance_row": n, "appearance": "hsv_stripes"}
        for n, row in enumerate(_track_rows("body_track_id", length=25))
    ]
    return specs.BODY_TRACKS.from_rows(rows)


def _metrics() -> dict[str, Any]:
    figure = {"name": "tracks_per_minute", "value": 20.0, "warn_below": 10.0, "warn_above": 30.0}
    return specs.TRACK_METRICS.conform(
        {"track_count": 6, "observed_detection_count": 30,
         "metrics": [{**figure, "is_warning": False}]}
    )  # fmt: skip


def _faces() -> pa.Table:
    rows = []
    for track in _track_rows("track_id", length=21):
        for frame, detection_id in zip(track["frame_idxs"], track["detection_ids"], strict=True):
            n = len(rows)
            rows.append(
                {"face_id": n, "track_id": track["track_id"], "detection_id": detection_id,
                 "frame_idx": frame, "timestamp_s": float(TIMES_S[frame]),
                 "bbox_xyxy": track["bboxes_xyxy"][0], "confidence": 0.9, "size_px": 60.0,
                 "sharpness": 80.0, "frontality": 0.8, "quality": 0.7, "accepted": True,
                 "embedding_row": n, "crop": f"{n}.jpg"}
            )  # fmt: skip
    return specs.FACES.from_rows(rows)


def _crops() -> BytesIO:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for n in range(30):
            archive.writestr(f"{n}.jpg", b"jpeg")
    return file


def _unit_vectors(rows: int, width: int, dtype: Any) -> Any:
    vectors = np.zeros((rows, width), dtype)
    vectors[np.arange(rows), np.arange(rows) % width] = 1
    return vectors


def _reps() -> pa.Table:
    return specs.TRACK_REPS.from_rows(
        [
            {"track_id": n, "representative_face_id": 5 * n,
             "face_ids": list(range(5 * n, 5 * n + 5)),
             "embedding": _unit_vectors(1, 512, np.float32)[0].tolist(), "spread": 0.1,
             "clarity": 0.9}
            for n in range(6)
        ]
    )  # fmt: skip


def _identities() -> dict[str, Any]:
    people = [
        {"identity_id": identity_id, "track_ids": [n, n + PEOPLE], "face_count": 10,
         "cohesion": 0.8, "representative_face_id": 5 * n, "confidence": 0.9}
        for n, identity_id in enumerate(IDS)
    ]  # fmt: skip
    memberships = [
        {"track_id": n, "identity_id": IDS[n % PEOPLE], "similarity": 0.8,
         "rival_id": IDS[(n + 1) % PEOPLE], "rival_similarity": 0.1, "confidence": 0.9}
        for n in range(6)
    ]  # fmt: skip
    return specs.IDENTITIES.conform(
        {"method": "average linkage", "cluster_thresh": 0.3, "min_identity_sim": 0.25,
         "cannot_link_pairs": 6, "unassigned_track_ids": [], "identities": people,
         "memberships": memberships, "alike": []}
    )  # fmt: skip


def _cast() -> dict[str, Any]:
    people = [
        {"identity_id": identity_id, "source": "machine", "confidence": 0.9} for identity_id in IDS
    ]
    return specs.CAST.conform({"show": None, "people": people, "suggestions": []})


def _fusion() -> dict[str, Any]:
    rows = [
        {"body_track_id": n, "start_s": float(n // PEOPLE), "end_s": n // PEOPLE + 1.0,
         "identity_id": IDS[n % PEOPLE], "evidence": "face_in_body", "track_ids": [n],
         "shared_frames": 5, "confidence": 0.9}
        for n in range(6)
    ]  # fmt: skip
    scene = {"scene_id": 0, "first_shot_id": 0, "last_shot_id": 1, "start_s": 0.0, "end_s": 2.0}
    return specs.TRACK_FUSION.conform(
        {"method": "votes", "has_bodies": True, "body_bridge_s": 10.0, "associations": rows,
         "scenes": [scene]}
    )  # fmt: skip


SPANS = ((0.0, 0.84, "face"), (0.84, 1.0, "body"), (1.0, 1.84, "face"), (1.84, 2.0, "body"))


def _people() -> list[dict[str, Any]]:
    return [
        {"identity_id": identity_id, "face_s": 1.68, "body_only_s": 0.32, "total_s": 2.0,
         "low_s": 1.7, "high_s": 2.0, "share": 1.0, "first_s": 0.0, "last_s": 2.0,
         "track_count": 2, "body_track_count": 2}
        for identity_id in IDS
    ]  # fmt: skip


def _screen_time() -> dict[str, Any]:
    segments = [{"start_s": a, "end_s": b, "source": source} for a, b, source in SPANS]
    pairs = [(IDS[0], IDS[1]), (IDS[0], IDS[2]), (IDS[1], IDS[2])]
    return specs.SCREEN_TIME.conform(
        {"duration_s": 2.0, "counted_s": 2.0, "covered_s": 2.0, "overlap_s": 2.0,
         "unknown_s": 0.0, "has_bodies": True,
         "people": [{**person, "segments": segments} for person in _people()],
         "co_appearances": [
             {"person_id": a, "other_id": b, "together_s": 2.0} for a, b in pairs
         ],
         "trims": []}
    )  # fmt: skip


def _csv() -> pa.Table:
    return specs.SCREEN_TIME_CSV.from_rows(_people())


def _segments() -> pa.Table:
    rows = [
        {"ep_id": "show-s01e01", "identity_id": identity_id, "start_s": a, "end_s": b,
         "source": source, "track_ids": [], "body_track_ids": [], "confidence": 0.9}
        for identity_id in IDS
        for a, b, source in SPANS
    ]  # fmt: skip
    return specs.SEGMENTS.from_rows(rows)
