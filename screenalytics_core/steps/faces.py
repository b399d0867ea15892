"""`faces`: of each track the faces worth embedding, cut out and aligned.

Two phases. From the detections alone a few candidates per track are chosen; one decode then
visits only their frames, and sharpness, gates and the choice among them follow. Crops wait
until their track has had its last candidate, so memory holds the tracks that are on screen,
and the archive's order depends on nothing but the rows.
"""

from __future__ import annotations

import errno
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from screenalytics_core.artifacts import FACES, ArtifactKind
from screenalytics_core.crops import CropWriter, write_crops
from screenalytics_core.errors import DiskSpaceError
from screenalytics_core.steps import face_pictures
from screenalytics_core.steps.base import ArtifactData, Step, StepInput, StepOutput
from screenalytics_core.steps.face_pictures import FacePictures
from screenalytics_core.vision.alignment import aligned_crop, face_transform
from screenalytics_core.vision.face_candidates import (
    CANDIDATES_PER_FACE,
    Candidates,
    choose_candidates,
)
from screenalytics_core.vision.face_quality import (
    Gates,
    RejectReason,
    choose_faces,
    gate,
    qualities,
    sharpness,
)
from screenalytics_core.vision.models.protocols import FloatArray, Image
from screenalytics_core.vision.video import VideoSource

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(slots=True)
class _Looked:
    """A candidate's crop while its track is not complete."""

    crop_bgr: Image
    thumb: bytes | None


@dataclass(slots=True)
class _Verdicts:
    """What is known of each candidate, by row; grows only with the number of rows."""

    sharpness: FloatArray
    quality: FloatArray
    accepted: NDArray[np.bool_]
    reasons: dict[int, RejectReason] = field(default_factory=dict)


def run(step: StepInput) -> Mapping[ArtifactKind, ArtifactData]:
    """Make `faces`.

    Raises:
        VideoError: The video cannot be decoded, or changed meanwhile.
        DiskSpaceError: The crops do not fit into the temporary folder.
    """
    settings = step.settings
    gates = Gates(
        min_size_px=settings.min_face_px,
        min_confidence=settings.det_thresh,
        min_sharpness=settings.min_sharpness,
        min_frontality=settings.min_frontality,
    )
    found = Candidates.from_tables(
        step.read(ArtifactKind.TRACKS), step.read(ArtifactKind.DETECTIONS)
    )
    k = settings.max_samples_per_track
    candidates = choose_candidates(found, gates, CANDIDATES_PER_FACE * k)
    with ExitStack() as until_done:
        file = until_done.enter_context(tempfile.TemporaryFile())
        with _full_disk_named(), write_crops(file) as writer:
            collector = _Collector(candidates, gates, k, writer, FacePictures(step))
            _look(step, candidates, collector, gates.min_size_px)
        # From here the file is the store's to read; being nameless, it goes with its last user.
        until_done.pop_all()
    return {ArtifactKind.FACES: {"faces": _table(candidates, collector.verdicts), "crops": file}}


@contextmanager
def _full_disk_named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise DiskSpaceError(
            thing=f"temporary folder {tempfile.gettempdir()}",
            reason="is full while face crops are collected",
            way_out="Free some space in it, or set TMPDIR to another folder.",
        ) from error


class _Collector:
    """Takes candidates in frame order and settles each track after its last one."""

    def __init__(
        self,
        candidates: Candidates,
        gates: Gates,
        k: int,
        writer: CropWriter,
        pictures: FacePictures,
    ) -> None:
        n = len(candidates)
        self.pictures = pictures
        self.verdicts = _Verdicts(
            sharpness=np.full(n, np.nan, np.float32),
            quality=qualities(candidates.confidences, candidates.size_px, candidates.frontality),
            accepted=np.zeros(n, np.bool_),
        )
        self._candidates = candidates
        self._gates = gates
        self._k = k
        self._writer = writer
        self._rows_of_track = {
            int(candidates.track_ids[rows[0]]): rows for rows in candidates.by_track()
        }
        self._waiting: dict[int, dict[int, _Looked]] = defaultdict(dict)

    def refuse(self, row: int) -> None:
        """Note a face that is too small to look at."""
        self.verdicts.reasons[row] = RejectReason.TOO_SMALL

    def take(self, row: int, image_bgr: Image) -> None:
        """Cut a candidate out of its frame."""
        candidates = self._candidates
        landmarks = candidates.landmarks_xy[row]
        bbox = candidates.bboxes_xyxy[row]
        transform = face_transform(bbox, None if np.isnan(landmarks).any() else landmarks)
        crop = aligned_crop(image_bgr, transform)
        self.verdicts.sharpness[row] = sharpness(crop)
        track_id = int(candidates.track_ids[row])
        waiting = self._waiting[track_id]
        waiting[row] = _Looked(crop, self.pictures.thumb(image_bgr, bbox))
        if len(waiting) == len(self._rows_of_track[track_id]):
            self._settle(track_id, self._waiting.pop(track_id))

    def _settle(self, track_id: int, looked: Mapping[int, _Looked]) -> None:
        verdicts, of = self.verdicts, self._candidates
        rows = self._rows_of_track[track_id]
        verdicts.quality[rows] = qualities(
            of.confidences[rows], of.size_px[rows], of.frontality[rows], verdicts.sharpness[rows]
        )
        reasons = [self._gate(row) for row in rows]
        chosen = choose_faces(reasons, verdicts.quality[rows], of.timestamps_s[rows], self._k)
        verdicts.accepted[rows[chosen]] = True
        for row, reason in zip(rows.tolist(), reasons, strict=True):
            if verdicts.accepted[row]:
                name = crop_name(track_id, int(of.frame_idxs[row]))
                self._writer.add(name, looked[row].crop_bgr)
                self.pictures.save_face(name, looked[row].crop_bgr, looked[row].thumb)
            elif reason is None:
                reason = RejectReason.NOT_AMONG_BEST
            if reason is not None:
                verdicts.reasons[row] = reason

    def _gate(self, row: int) -> RejectReason | None:
        return gate(
            self._gates,
            size_px=float(self._candidates.size_px[row]),
            confidence=float(self._candidates.confidences[row]),
            sharpness=float(self.verdicts.sharpness[row]),
            frontality=float(self._candidates.frontality[row]),
        )


def _look(
    step: StepInput, candidates: Candidates, collector: _Collector, min_size_px: float
) -> None:
    is_large = candidates.size_px >= min_size_px
    for row in np.flatnonzero(~is_large).tolist():
        collector.refuse(row)
    rows = np.flatnonzero(is_large)
    rows = rows[np.argsort(candidates.frame_idxs[rows], kind="stable")]
    frame_idxs, starts = np.unique(candidates.frame_idxs[rows], return_index=True)
    if len(frame_idxs) == 0:
        return
    video: VideoSource = step.need_video()
    in_frame = np.split(rows, starts[1:])
    frames = video.frames_at(frame_idxs.tolist())
    for done, (frame, frame_rows) in enumerate(zip(frames, in_frame, strict=True), start=1):
        image = frame.bgr()
        collector.pictures.save_frame(frame.frame_idx, image)
        for row in frame_rows.tolist():
            collector.take(row, image)
        step.progress(done, len(frame_idxs), "frames searched for good faces")
    video.check_unchanged()


def crop_name(track_id: int, frame_idx: int) -> str:
    """Return a crop's name inside crops.zip."""
    return f"t{track_id:06d}_f{frame_idx:08d}.jpg"


def _table(candidates: Candidates, verdicts: _Verdicts) -> pa.Table:
    n = len(candidates)
    accepted = verdicts.accepted
    no_landmarks = np.isnan(candidates.landmarks_xy).any(axis=1)
    crops = [
        crop_name(track_id, frame_idx) if is_accepted else None
        for track_id, frame_idx, is_accepted in zip(
            candidates.track_ids.tolist(),
            candidates.frame_idxs.tolist(),
            accepted.tolist(),
            strict=True,
        )
    ]
    columns: dict[str, Any] = {
        "face_id": np.arange(n),
        "track_id": candidates.track_ids,
        "detection_id": candidates.detection_ids,
        "frame_idx": candidates.frame_idxs,
        "timestamp_s": candidates.timestamps_s,
        "bbox_xyxy": pa.FixedSizeListArray.from_arrays(candidates.bboxes_xyxy.reshape(-1), 4),
        "landmarks_xy": pa.FixedSizeListArray.from_arrays(
            candidates.landmarks_xy.reshape(-1), 10, mask=pa.array(no_landmarks)
        ),
        "confidence": candidates.confidences,
        "size_px": candidates.size_px,
        "sharpness": pa.array(verdicts.sharpness, from_pandas=True),
        "frontality": pa.array(candidates.frontality, from_pandas=True),
        "quality": verdicts.quality,
        "accepted": accepted,
        "reject_reason": pa.array([verdicts.reasons.get(row) for row in range(n)], pa.string()),
        "embedding_row": pa.array(np.cumsum(accepted) - 1, mask=~accepted),
        "crop": pa.array(crops, pa.string()),
    }
    return FACES.conform(pa.table(columns))


STEP = Step(
    name="faces",
    outputs=(
        StepOutput(
            name="faces",
            kinds=(ArtifactKind.FACES,),
            version="1",
            inputs=(ArtifactKind.DETECTIONS, ArtifactKind.TRACKS),
            settings=(
                "det_thresh",
                "min_face_px",
                "min_sharpness",
                "min_frontality",
                "max_samples_per_track",
            ),
            launch_settings=face_pictures.SETTINGS,
            reads_video=True,
        ),
    ),
    run=run,
    description="The best faces of each track, gated, aligned and cut out",
)
