"""The data contract: every artifact's files, columns, units and codec, stated once.

Writers, readers, checks, the Dagster UI and `docs/data-contract.md` are all rendered
from `ARTIFACTS`. Which stage an artifact belongs to stands in `stages`; where its files
lie stands in `layout`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import pyarrow as pa

from screenalytics_core.schema import Column, DocumentSpec, TableSpec

EMBEDDING_DIM: Final = 512


class ArtifactKind(StrEnum):
    """The seeds' names, and those of the artifacts that came after them."""

    VIDEO = "video"
    SHOTS = "shots"
    DETECTIONS = "detections"
    TRACKS = "tracks"
    TRACK_METRICS = "track_metrics"
    FACES = "faces"
    FACES_EMBEDDINGS = "faces_embeddings"
    TRACK_REPS = "track_reps"
    IDENTITIES = "identities"
    CAST = "cast"
    BODY_DETECTIONS = "body_detections"
    BODY_TRACKS = "body_tracks"
    TRACK_FUSION = "track_fusion"
    SCREEN_TIME = "screen_time"
    REPORT = "report"
    FRAMES_ROOT = "frames_root"
    CROPS_DIR = "crops_dir"
    THUMBS_DIR = "thumbs_dir"


class Codec(StrEnum):
    """How a file's value is written.

    In memory: JSONL, CSV and PARQUET are a `pyarrow.Table`; JSON a `dict`; NPY a
    `numpy.ndarray`; ZIP a seekable binary file (see `crops`); PDF and HTML `bytes`.
    """

    JSONL = "jsonl"
    JSON = "json"
    NPY = "npy"
    ZIP = "zip"
    CSV = "csv"
    PARQUET = "parquet"
    PDF = "pdf"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """A numpy array; `None` in `shape` is a free dimension."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    description: str


@dataclass(frozen=True, slots=True)
class FileSpec:
    """One file of an artifact; `part` names it in code, `filename` in the run folder."""

    part: str
    filename: str
    codec: Codec
    spec: TableSpec | DocumentSpec | ArraySpec | None
    description: str


@dataclass(frozen=True, slots=True)
class ArtifactSpec:
    """One artifact: its files, the first of which gives its row count."""

    kind: ArtifactKind
    files: tuple[FileSpec, ...]
    description: str

    @property
    def primary(self) -> FileSpec:
        """The file that names the artifact."""
        return self.files[0]

    def file(self, part: str) -> FileSpec:
        """Return the file called `part`."""
        for spec in self.files:
            if spec.part == part:
                return spec
        raise KeyError(f"{self.kind} has no part {part!r}")


_INT: Final = pa.int64()
_F32: Final = pa.float32()
_F64: Final = pa.float64()
_TEXT: Final = pa.string()
_BOX: Final = pa.list_(_F32, 4)
_LANDMARKS: Final = pa.list_(_F32, 10)

_FRAME_IDX = Column("frame_idx", _INT, "0-based index in decode order", "frame")
_TIMESTAMP = Column("timestamp_s", _F64, "presentation timestamp of the frame", "s")
_BBOX = Column("bbox_xyxy", _BOX, "left, top, right, bottom in the source frame", "px")
_SHOT_ID = Column("shot_id", _INT, "shot that holds the frame")
_TRACK_ID = Column("track_id", _INT, "face track")
_START = Column("start_s", _F64, "start, included", "s")
_END = Column("end_s", _F64, "end, excluded", "s")
_LANDMARKS_XY = Column(
    "landmarks_xy", _LANDMARKS, "x, y of eyes, nose, mouth corners (image left first)", "px", True
)

SHOTS = DocumentSpec(
    "shots",
    (
        Column("fps", _TEXT, "average frame rate as a fraction, e.g. 30000/1001", "1/s"),
        Column("width_px", _INT, "picture width as shown", "px"),
        Column("height_px", _INT, "picture height as shown", "px"),
        Column("frame_count", _INT, "decoded frames", "frame"),
        Column("start_s", _F64, "timestamp of the first frame", "s"),
        Column("duration_s", _F64, "from the first frame's start to the last frame's end", "s"),
    ),
    (
        TableSpec(
            "shots",
            (
                Column("shot_id", _INT, "0-based, in time order"),
                Column("start_frame", _INT, "first frame, included", "frame"),
                Column("end_frame", _INT, "frame after the last one", "frame"),
                _START,
                _END,
            ),
            ("shot_id",),
        ),
    ),
)
FRAME_TIMES = ArraySpec(
    "frame_times",
    "float64",
    (None,),
    "timestamp in s of every frame, and as last element the end of the last frame",
)
DETECTIONS = TableSpec(
    "detections",
    (
        Column("detection_id", _INT, "0-based, in frame order"),
        _FRAME_IDX,
        _TIMESTAMP,
        _SHOT_ID,
        _BBOX,
        Column("confidence", _F32, "detector's confidence, 0.1 to 1"),
        _LANDMARKS_XY,
    ),
    ("detection_id",),
)
SAMPLED_FRAMES = ArraySpec(
    "sampled_frames",
    "int64",
    (None,),
    "ascending indices of the frames that were looked at, whatever was found",
)
_TRACK_COLUMNS = (
    _SHOT_ID,
    Column("first_frame_idx", _INT, "first frame, included", "frame"),
    Column("last_frame_idx", _INT, "last frame, included", "frame"),
    _START,
    _END,
    Column("frame_idxs", pa.list_(_INT), "frames of the boxes, ascending", "frame"),
    Column("bboxes_xyxy", pa.list_(_BOX), "one box per frame index", "px"),
    Column(
        "detection_ids",
        pa.list_(_INT),
        "detection behind each box; null = interpolated or extended",
    ),
    Column("mean_confidence", _F32, "mean confidence of the observed boxes"),
)
TRACKS = TableSpec("tracks", (_TRACK_ID, *_TRACK_COLUMNS), ("track_id",))
TRACK_METRICS = DocumentSpec(
    "track_metrics",
    (
        Column("track_count", _INT, "face tracks"),
        Column("observed_detection_count", _INT, "detections that are part of a track"),
    ),
    (
        TableSpec(
            "metrics",
            (
                Column("name", _TEXT, "metric"),
                Column("value", _F64, "measured value; null when undefined", nullable=True),
                Column("warn_below", _F64, "lower warning limit", nullable=True),
                Column("warn_above", _F64, "upper warning limit", nullable=True),
                Column("is_warning", pa.bool_(), "value lies outside its limits"),
            ),
            ("name",),
        ),
    ),
)
FACES = TableSpec(
    "faces",
    (
        Column("face_id", _INT, "0-based, in track and frame order"),
        _TRACK_ID,
        Column("detection_id", _INT, "detection that this face is cut from"),
        _FRAME_IDX,
        _TIMESTAMP,
        _BBOX,
        _LANDMARKS_XY,
        Column("confidence", _F32, "detector's confidence"),
        Column("size_px", _F32, "shorter side of the box", "px"),
        Column("sharpness", _F32, "variance of the Laplacian of the aligned grey crop", None, True),
        Column("frontality", _F32, "1 = frontal, 0 = profile, from landmarks", None, True),
        Column("quality", _F32, "product of the parts, 0 to 1"),
        Column("accepted", pa.bool_(), "one of the best K faces of its track, and embedded"),
        Column(
            "reject_reason",
            _TEXT,
            "gate that it failed; an accepted face is then doubtful",
            None,
            True,
        ),
        Column("embedding_row", _INT, "row in faces_embeddings", None, True),
        Column("crop", _TEXT, "name inside crops.zip", None, True),
    ),
    ("face_id",),
)
FACES_EMBEDDINGS = ArraySpec(
    "faces_embeddings",
    "float32",
    (None, EMBEDDING_DIM),
    "L2-normalised embedding of each accepted face; row = faces.embedding_row",
)
TRACK_REPS = TableSpec(
    "track_reps",
    (
        _TRACK_ID,
        Column("representative_face_id", _INT, "face of highest quality among the pooled ones"),
        Column("face_ids", pa.list_(_INT), "faces that were pooled (outliers left out)"),
        Column(
            "embedding",
            pa.list_(_F32, EMBEDDING_DIM),
            "mean by quality and length, seen from unrecognisable faces, L2-normalised",
        ),
        Column("spread", _F32, "mean cosine distance of the pooled faces to the embedding"),
        Column("clarity", _F32, "0 to 1: part of the embedding that is signal, not noise"),
        Column(
            "left_out_embedding",
            pa.list_(_F32, EMBEDDING_DIM),
            "mean direction of the accepted faces left out, L2-normalised; null if fewer than two",
            None,
            True,
        ),
    ),
    ("track_id",),
)
IDENTITIES = DocumentSpec(
    "identities",
    (
        Column("method", _TEXT, "clustering method"),
        Column(
            "cluster_thresh", _F64, "minimum mean similarity (cosine x clarity of both) to join"
        ),
        Column("min_identity_sim", _F64, "minimum similarity (cosine x clarity) to the centre"),
        Column("cannot_link_pairs", _INT, "track pairs seen in one frame at different places"),
        Column("unassigned_track_ids", pa.list_(_INT), "tracks without an identity"),
    ),
    (
        TableSpec(
            "identities",
            (
                Column("identity_id", _TEXT, "id_0001, in order of total face time"),
                Column("label", _TEXT, "null here: names stand in cast", None, True),
                Column("track_ids", pa.list_(_INT), "tracks of this person"),
                Column("face_count", _INT, "accepted faces"),
                Column(
                    "cohesion",
                    _F64,
                    "mean similarity (cosine x clarity) of its tracks to its centre",
                ),
                Column("representative_face_id", _INT, "face to show"),
                Column(
                    "confidence", _F64, "0 to 1: evidence-weighted mean of its tracks' memberships"
                ),
            ),
            ("identity_id",),
        ),
        TableSpec(
            "memberships",
            (
                _TRACK_ID,
                Column("identity_id", _TEXT, "identity it was given to; null = none", None, True),
                Column(
                    "similarity", _F64, "cosine to that identity's centre x clarity", None, True
                ),
                Column("rival_id", _TEXT, "likeliest other identity that it may be", None, True),
                Column(
                    "rival_similarity", _F64, "cosine to the rival's centre x clarity", None, True
                ),
                Column(
                    "confidence", _F64, "0 to 1: how likely it shows this identity; 0 without one"
                ),
            ),
            ("track_id",),
        ),
        TableSpec(
            "alike",
            (
                Column("identity_id", _TEXT, "one of two identities that may be one person"),
                Column("other_id", _TEXT, "the other one"),
                Column(
                    "similarity",
                    _F64,
                    "mean similarity of either's tracks to the other's centre, the greater one",
                ),
            ),
            ("identity_id", "other_id"),
        ),
    ),
)
CAST = DocumentSpec(
    "cast",
    (Column("show", _TEXT, "gallery that was used; null without one", None, True),),
    (
        TableSpec(
            "people",
            (
                Column("identity_id", _TEXT, "identity this row is about", None, True),
                Column("track_id", _INT, "single track this row is about", None, True),
                Column(
                    "merged_into",
                    _TEXT,
                    "identity that this one is the same person as; null = itself",
                    None,
                    True,
                ),
                Column("cast_id", _TEXT, "cast member; null = unnamed", None, True),
                Column("label", _TEXT, "display name; null = unnamed", None, True),
                Column("source", _TEXT, "machine, gallery or decision"),
                Column("decision", _INT, "sequence of the decision that says so", None, True),
                Column("confidence", _F64, "0 to 1"),
            ),
            (),
        ),
        TableSpec(
            "suggestions",
            (
                Column("identity_id", _TEXT, "identity"),
                Column("cast_id", _TEXT, "possible cast member"),
                Column("label", _TEXT, "display name"),
                Column("similarity", _F64, "similarity to the cast member, see cast matching"),
                Column("margin", _F64, "lead over the next candidate; negative = behind the best"),
                Column("reason", _TEXT, "why it is only a suggestion, for people"),
            ),
            ("identity_id", "cast_id"),
        ),
    ),
)
BODY_DETECTIONS = TableSpec(
    "body_detections",
    (
        Column("detection_id", _INT, "0-based, in frame order"),
        _FRAME_IDX,
        _TIMESTAMP,
        _SHOT_ID,
        _BBOX,
        Column("confidence", _F32, "detector's confidence, 0.25 to 1"),
        Column(
            "appearance",
            _TEXT,
            "what made its vector in body_appearance: reid or hsv_stripes; null = it has none",
            None,
            True,
        ),
    ),
    ("detection_id",),
)
BODY_APPEARANCE = ArraySpec(
    "body_appearance",
    "float16",
    (None, None),
    "appearance vector of each body detection, L2-normalised; row = its place in body_detections",
)
BODY_TRACKS = TableSpec(
    "body_tracks",
    (
        Column("body_track_id", _INT, "body track"),
        *_TRACK_COLUMNS,
        Column("appearance_row", _INT, "row in body_embeddings", None, True),
        Column("appearance", _TEXT, "what made the vector: reid or hsv_stripes", None, True),
    ),
    ("body_track_id",),
)
BODY_EMBEDDINGS = ArraySpec(
    "body_embeddings", "float32", (None, None), "appearance vector of a body track, L2-normalised"
)
TRACK_FUSION = DocumentSpec(
    "track_fusion",
    (
        Column("method", _TEXT, "fusion method"),
        Column("has_bodies", pa.bool_(), "a person detector looked at the episode"),
        Column("body_bridge_s", _F64, "longest time that appearance may bridge", "s"),
    ),
    (
        TableSpec(
            "associations",
            (
                Column("body_track_id", _INT, "body track"),
                _START,
                _END,
                Column("identity_id", _TEXT, "identity; null = nobody", None, True),
                Column("evidence", _TEXT, "face_in_body, appearance or none"),
                Column("track_ids", pa.list_(_INT), "face tracks that voted for the identity"),
                Column("shared_frames", _INT, "frames with such a face inside the body", "frame"),
                Column("similarity", _F64, "cosine similarity of the appearance", None, True),
                Column("gap_s", _F64, "time to the body that appearance bridges from", "s", True),
                Column("confidence", _F64, "0 to 1"),
            ),
            ("body_track_id", "start_s"),
        ),
        TableSpec(
            "scenes",
            (
                Column("scene_id", _INT, "0-based, in time order"),
                Column("first_shot_id", _INT, "first shot, included"),
                Column("last_shot_id", _INT, "last shot, included"),
                _START,
                _END,
            ),
            ("scene_id",),
        ),
    ),
)
_SEGMENT = pa.struct(
    [
        pa.field("start_s", _F64, False),
        pa.field("end_s", _F64, False),
        pa.field("source", _TEXT, False),
    ]
)
_PERSON_COLUMNS = (
    Column("identity_id", _TEXT, "identity; null when a cast member joins several", None, True),
    Column("cast_id", _TEXT, "cast member; null = unnamed", None, True),
    Column("label", _TEXT, "display name; null = unnamed", None, True),
    Column("face_s", _F64, "union of the face tracks' intervals", "s"),
    Column("body_only_s", _F64, "body seen without face; null = no body branch ran", "s", True),
    Column("total_s", _F64, "union of face and body intervals", "s"),
    Column("low_s", _F64, "the part of total_s that is sure", "s"),
    Column("high_s", _F64, "total_s and everything else that may be this person", "s"),
    Column("share", _F64, "total_s / counted_s, 0 to 1"),
    Column("first_s", _F64, "first appearance", "s"),
    Column("last_s", _F64, "end of the last appearance", "s"),
    Column("track_count", _INT, "face tracks"),
    Column("body_track_count", _INT, "body tracks"),
)
SCREEN_TIME = DocumentSpec(
    "screen_time",
    (
        Column("duration_s", _F64, "length of the episode", "s"),
        Column("counted_s", _F64, "length without the trimmed stretches", "s"),
        Column("covered_s", _F64, "time with at least one identified person", "s"),
        Column("overlap_s", _F64, "time with at least two identified people", "s"),
        Column("unknown_s", _F64, "time with a face that has no identity", "s"),
        Column("has_bodies", pa.bool_(), "a person detector looked at the episode"),
    ),
    (
        TableSpec(
            "people",
            (
                *_PERSON_COLUMNS,
                Column("segments", pa.list_(_SEGMENT), "half-open intervals, disjoint, ascending"),
            ),
            (),
        ),
        TableSpec(
            "co_appearances",
            (
                Column("person_id", _TEXT, "cast_id, else identity_id, of the one with more time"),
                Column("other_id", _TEXT, "the same of the other one"),
                Column("together_s", _F64, "time with both on screen, more than 0", "s"),
            ),
            ("person_id", "other_id"),
        ),
        TableSpec(
            "trims",
            (
                Column("name", _TEXT, "recap or credits"),
                _START,
                _END,
            ),
            ("name",),
        ),
    ),
)
SCREEN_TIME_CSV = TableSpec("screen_time_csv", _PERSON_COLUMNS, ())
SEGMENTS = TableSpec(
    "segments",
    (
        # No run_id: a second run with the same settings must give the same bytes.
        Column("ep_id", _TEXT, "episode"),
        Column("identity_id", _TEXT, "identity", None, True),
        Column("cast_id", _TEXT, "cast member", None, True),
        Column("label", _TEXT, "display name", None, True),
        _START,
        _END,
        Column("source", _TEXT, "face, or body"),
        Column("track_ids", pa.list_(_INT), "face tracks behind the segment"),
        Column("body_track_ids", pa.list_(_INT), "body tracks behind the segment"),
        Column("confidence", _F64, "0 to 1, of the surest track behind it"),
    ),
    (),
)


def _artifact(kind: ArtifactKind, description: str, *files: FileSpec) -> ArtifactSpec:
    return ArtifactSpec(kind, files, description)


_SPECS = (
    _artifact(
        ArtifactKind.SHOTS,
        "cuts, and the time of every frame",
        FileSpec("shots", "shots.json", Codec.JSON, SHOTS, "shots and facts of the picture"),
        FileSpec("frame_times", "frame_times.npy", Codec.NPY, FRAME_TIMES, "frame timestamps"),
    ),
    _artifact(
        ArtifactKind.DETECTIONS,
        "faces on the sampled frames",
        FileSpec("detections", "detections.jsonl", Codec.JSONL, DETECTIONS, "one row per face"),
        FileSpec(
            "sampled_frames", "sampled_frames.npy", Codec.NPY, SAMPLED_FRAMES, "frames looked at"
        ),
    ),
    _artifact(
        ArtifactKind.TRACKS,
        "faces followed through a shot",
        FileSpec("tracks", "tracks.jsonl", Codec.JSONL, TRACKS, "one row per track"),
    ),
    _artifact(
        ArtifactKind.TRACK_METRICS,
        "is the tracking healthy",
        FileSpec("track_metrics", "track_metrics.json", Codec.JSON, TRACK_METRICS, "counters"),
    ),
    _artifact(
        ArtifactKind.FACES,
        "candidate faces of each track, with quality",
        FileSpec("faces", "faces.jsonl", Codec.JSONL, FACES, "one row per candidate"),
        FileSpec("crops", "crops.zip", Codec.ZIP, None, "aligned 112x112 crops of accepted faces"),
    ),
    _artifact(
        ArtifactKind.FACES_EMBEDDINGS,
        "what the embedder says of each accepted face",
        FileSpec("embeddings", "faces_embeddings.npy", Codec.NPY, FACES_EMBEDDINGS, "vectors"),
    ),
    _artifact(
        ArtifactKind.TRACK_REPS,
        "one vector per track",
        FileSpec("track_reps", "track_reps.jsonl", Codec.JSONL, TRACK_REPS, "one row per track"),
    ),
    _artifact(
        ArtifactKind.IDENTITIES,
        "tracks grouped into people, by the machine alone",
        FileSpec("identities", "identities.json", Codec.JSON, IDENTITIES, "people"),
    ),
    _artifact(
        ArtifactKind.CAST,
        "who is who: identities, decisions and gallery",
        FileSpec("cast", "cast.json", Codec.JSON, CAST, "names"),
    ),
    _artifact(
        ArtifactKind.BODY_DETECTIONS,
        "bodies on the sampled frames",
        FileSpec(
            "body_detections",
            "body_tracking/body_detections.jsonl",
            Codec.JSONL,
            BODY_DETECTIONS,
            "one row per body",
        ),
        FileSpec(
            "body_sampled_frames",
            "body_tracking/body_sampled_frames.npy",
            Codec.NPY,
            SAMPLED_FRAMES,
            "frames looked at",
        ),
        FileSpec(
            "body_appearance",
            "body_tracking/body_appearance.npy",
            Codec.NPY,
            BODY_APPEARANCE,
            "what each body looks like",
        ),
    ),
    _artifact(
        ArtifactKind.BODY_TRACKS,
        "bodies followed through a shot",
        FileSpec(
            "body_tracks",
            "body_tracking/body_tracks.jsonl",
            Codec.JSONL,
            BODY_TRACKS,
            "one row per track",
        ),
        FileSpec(
            "body_embeddings",
            "body_tracking/body_embeddings.npy",
            Codec.NPY,
            BODY_EMBEDDINGS,
            "appearance vectors",
        ),
    ),
    _artifact(
        ArtifactKind.TRACK_FUSION,
        "which body belongs to whom",
        FileSpec(
            "track_fusion",
            "body_tracking/track_fusion.json",
            Codec.JSON,
            TRACK_FUSION,
            "associations",
        ),
    ),
    _artifact(
        ArtifactKind.SCREEN_TIME,
        "seconds per person",
        FileSpec("screen_time", "screen_time.json", Codec.JSON, SCREEN_TIME, "people, segments"),
        FileSpec("csv", "screen_time.csv", Codec.CSV, SCREEN_TIME_CSV, "people, for spreadsheets"),
        FileSpec("segments", "segments.parquet", Codec.PARQUET, SEGMENTS, "one row per segment"),
    ),
    _artifact(
        ArtifactKind.REPORT,
        "the report people keep",
        FileSpec("pdf", "report.pdf", Codec.PDF, None, "PDF with reproducible bytes"),
        FileSpec("html", "report.html", Codec.HTML, None, "one page with everything inside"),
    ),
)

ARTIFACTS: Final[dict[ArtifactKind, ArtifactSpec]] = {s.kind: s for s in _SPECS}
