"""The product's tracker beside a published ByteTrack, on the same public detections.

Both get TUD-Campus as MOTChallenge ships it, every frame and with frames left out.

- `product`: its own step for bodies, with the settings that bodies have. Its `body_thresh` is
  calibrated for its own detector, whose confidences are not on this detector's scale.
- `product at 0.7`: the same, tracks beginning at the confidence where ByteTrack's do.
- `bytetrack`: `trackers`' ByteTrack as it comes.
- `bytetrack best`: with whichever parameters of a small grid score best on this very truth, and
  its gaps filled by straight lines where that helps: more than a user without a truth would find.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.mot import Boxes, filled, joined, read_mot, score_mot
from screenalytics_core.artifacts import BODY_DETECTIONS, ArtifactKind
from screenalytics_core.config import DEFAULT_PROFILE, EpisodeRunConfig
from screenalytics_core.steps.base import FileFacts, StepInput
from screenalytics_core.steps.body_tracks import STEP

# Of the sequence; its files do not say.
FPS = 25
STRIDES = (1, 2, 3)
# ByteTrackTracker's default for `track_activation_threshold`.
PEERS_THRESHOLD = 0.7
GRID = {
    "track_activation_threshold": (0.3, 0.5, 0.7),
    "high_conf_det_threshold": (0.4, 0.6),
    "minimum_consecutive_frames": (1, 2),
    "minimum_iou_threshold": (0.1, 0.2, 0.3),
}
# 20 is what ByteTrack's authors fill in their own evaluation.
FILLED_FRAMES = (0, 20)


@dataclass(frozen=True, slots=True)
class _Given:
    """An artifact in memory."""

    kind: ArtifactKind
    parts: Mapping[str | None, Any]
    files: tuple[FileFacts, ...] = ()

    def read(self, part: str | None = None) -> Any:
        return self.parts[part]


def compare_trackers(folder: Path) -> list[dict[str, Any]]:
    """Return a row of scores per contestant and stride.

    Args:
        folder: Holds det.txt and gt.txt of one sequence.
    """
    found, truth = read_mot(folder / "det.txt"), read_mot(folder / "gt.txt")
    frame_count = int(truth.frames.max()) + 1
    rows: list[dict[str, Any]] = []
    for stride in STRIDES:
        # Its first and last frame are looked at whatever the stride, as in every shot.
        looks = np.unique([*range(0, frame_count, stride), frame_count - 1])
        seen = found.where(np.isin(found.frames, looks))
        rows.append(_row("product", stride, truth, product_boxes(seen, looks)))
        alike = product_boxes(seen, looks, body_thresh=PEERS_THRESHOLD)
        rows.append(_row(f"product at {PEERS_THRESHOLD}", stride, truth, alike))
        rows.append(_row("bytetrack", stride, truth, bytetrack_boxes(seen, looks, {}, stride)))
        rows.append(_best(seen, looks, truth, stride))
    return rows


def _row(
    who: str, stride: int, truth: Boxes, made: Boxes, parameters: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    scores = score_mot(truth, made)
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in scores.items()}
    return {"who": who, "stride": stride, **rounded, "parameters": dict(parameters or {})}


def _best(seen: Boxes, looks: NDArray[np.int64], truth: Boxes, stride: int) -> dict[str, Any]:
    """Return the row of the grid with the largest sum of MOTA and IDF1."""
    rows = []
    for parameters in _grid():
        for gap in FILLED_FRAMES:
            made = bytetrack_boxes(seen, looks, parameters, max(gap, stride))
            told = {**parameters, "filled_frames": max(gap, stride)}
            rows.append(_row("bytetrack best", stride, truth, made, told))
    return max(rows, key=lambda row: row["mota"] + row["idf1"])


def _grid() -> Iterator[dict[str, Any]]:
    for values in product(*GRID.values()):
        yield dict(zip(GRID, values, strict=True))


def product_boxes(seen: Boxes, looks: NDArray[np.int64], **settings: Any) -> Boxes:
    """Return the boxes of the product's body tracks on every frame that they last.

    Args:
        seen: Detections on the frames that were looked at.
        looks: Those frames, ascending; the last one is the sequence's last.
        settings: Other than the profile `balanced` has.
    """
    frame_count = int(looks[-1]) + 1
    times_s = np.arange(frame_count + 1) / FPS
    shot = {"shot_id": 0, "start_frame": 0, "end_frame": frame_count}
    shots = {"fps": f"{FPS}/1", "frame_count": frame_count, "shots": [shot]}
    bodies = {
        None: _detections(seen),
        "body_sampled_frames": looks,
        "body_appearance": np.empty((0, 0), np.float16),
    }
    made = STEP.run(
        StepInput(
            ep_id="tracking",
            run_id="tracking",
            settings=EpisodeRunConfig.from_mapping(settings, DEFAULT_PROFILE).only(STEP.settings),
            artifacts={
                ArtifactKind.SHOTS: _Given(
                    ArtifactKind.SHOTS, {None: shots, "frame_times": times_s}
                ),
                ArtifactKind.BODY_DETECTIONS: _Given(ArtifactKind.BODY_DETECTIONS, bodies),
            },
        )
    )
    tracks = made[ArtifactKind.BODY_TRACKS]["body_tracks"].to_pylist()
    return filled({t["body_track_id"]: _path(t) for t in tracks}, frame_count)


def _detections(seen: Boxes) -> Any:
    return BODY_DETECTIONS.from_rows(
        [
            {
                "detection_id": number,
                "frame_idx": int(frame),
                "timestamp_s": float(frame / FPS),
                "shot_id": 0,
                "bbox_xyxy": bbox.tolist(),
                "confidence": float(confidence),
                "appearance": None,
            }
            for number, (frame, _, bbox, confidence) in enumerate(zip(*seen, strict=True))
        ]
    )


def _path(track: Mapping[str, Any]) -> Boxes:
    frames = np.array(track["frame_idxs"], np.int64)
    return Boxes(
        frames, np.zeros_like(frames), np.array(track["bboxes_xyxy"], np.float64),
        np.ones(len(frames)),
    )  # fmt: skip


def bytetrack_boxes(
    seen: Boxes, looks: NDArray[np.int64], parameters: Mapping[str, Any], max_gap: int
) -> Boxes:
    """Return the boxes that ByteTrack gives a name, gaps up to `max_gap` frames filled.

    Args:
        seen: Detections on the frames that were looked at.
        looks: Those frames; their times are handed over, so a stride is no surprise to it.
        parameters: Of `ByteTrackTracker`; its defaults otherwise.
    """
    from supervision import Detections
    from trackers import ByteTrackTracker

    tracker = ByteTrackTracker(frame_rate=float(FPS), **parameters)
    named: list[Boxes] = []
    for frame in looks.tolist():
        own = seen.where(seen.frames == frame)
        tracked = tracker.update(
            Detections(
                own.bboxes_xyxy.astype(np.float32), confidence=own.confidences.astype(np.float32)
            ),
            timestamp=frame / FPS,
        )
        ids = np.asarray(tracked.tracker_id, np.int64)
        boxes = Boxes(
            np.full(len(ids), frame), ids, tracked.xyxy.astype(np.float64), np.ones(len(ids))
        )
        named.append(boxes.where(ids >= 0))
    all_named = joined(named)
    paths = {int(i): all_named.where(all_named.ids == i) for i in np.unique(all_named.ids)}
    return filled(paths, max_gap)


def tracking_lines(rows: list[dict[str, Any]]) -> list[str]:
    """Return the comparison as lines for people."""
    lines = [f"{'tracker':<18}{'stride':>7}{'MOTA':>8}{'IDF1':>8}{'HOTA':>8}{'switches':>10}"]
    lines += [
        f"{row['who']:<18}{row['stride']:>7}{row['mota']:>8.3f}{row['idf1']:>8.3f}"
        f"{row['hota']:>8.3f}{row['switches']:>10}"
        for row in rows
    ]
    return lines


if __name__ == "__main__":
    from benchmarks.material import SHARED

    print("\n".join(tracking_lines(compare_trackers(SHARED / "tracking" / "TUD-Campus"))))
