"""The artifacts' rows of a made-up episode, for `report_samples`; all of them conform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise
from typing import Any, Final

import pyarrow as pa

from screenalytics_core.artifacts import (
    BODY_TRACKS,
    CAST,
    IDENTITIES,
    SCREEN_TIME,
    SEGMENTS,
    SHOTS,
    TRACK_FUSION,
    TRACK_METRICS,
)
from screenalytics_core.vision.intervals import Intervals, intersection, total_s, union

DURATION_S: Final = 2531.529
BODY_S: Final = 0.4


@dataclass(frozen=True)
class Person:
    """Somebody with face tracks over `spans_s`, and a body after every third of them."""

    place: int
    label: str | None
    spans_s: list[tuple[float, float]]
    has_bodies: bool

    @property
    def identity_id(self) -> str:
        return f"id_{self.place + 1:04d}"

    @property
    def cast_id(self) -> str | None:
        return f"cast-{self.place}" if self.label else None

    @property
    def track_ids(self) -> list[int]:
        return [self.place * 1000 + j for j in range(len(self.spans_s))]

    @property
    def bodies(self) -> dict[int, tuple[float, float]]:
        """Body track -> its interval, which has no face."""
        if not self.has_bodies:
            return {}
        ends = [(t, end) for t, (_, end) in zip(self.track_ids, self.spans_s, strict=True)]
        return {t: (end, end + BODY_S) for t, end in ends[::3]}

    @cached_property
    def seen_s(self) -> Intervals:
        return union(self.spans_s, self.bodies.values())

    def is_doubtful(self, track_id: int) -> bool:
        return self.place % 4 == 3 and track_id == self.track_ids[-1]

    def row(self) -> dict[str, Any]:
        """What screen time says of the person, without the segments."""
        total, face = total_s(self.seen_s), total_s(self.spans_s)
        return {
            "identity_id": self.identity_id, "cast_id": self.cast_id, "label": self.label,
            "face_s": face, "body_only_s": total - face if self.has_bodies else None,
            "total_s": total, "low_s": 0.8 * total, "high_s": min(1.1 * total, DURATION_S),
            "share": total / DURATION_S, "first_s": self.seen_s[0][0],
            "last_s": self.seen_s[-1][1], "track_count": len(self.spans_s),
            "body_track_count": len(self.bodies),
        }  # fmt: skip

    def segments(self) -> list[dict[str, Any]]:
        """The rows of segments, in time order."""
        who = {k: v for k, v in self.row().items() if k in ("identity_id", "cast_id", "label")}
        seen = zip(self.track_ids, self.spans_s, strict=True)
        rows = [
            {**who, "ep_id": "rhobh-s05e14", "start_s": s, "end_s": e, "source": source,
             "track_ids": [t] if source == "face" else [],
             "body_track_ids": [t] if source == "body" else [], "confidence": 0.9}
            for source, of in (("face", seen), ("body", self.bodies.items()))
            for t, (s, e) in of
        ]  # fmt: skip
        return sorted(rows, key=lambda r: r["start_s"])


def screen_time(people: Sequence[Person], has_bodies: bool, unknown_s: float) -> dict[str, Any]:
    together: list[dict[str, Any]] = [
        {"person_id": a.cast_id or a.identity_id, "other_id": b.cast_id or b.identity_id,
         "together_s": both}
        for a, b in combinations(people, 2)
        if (both := total_s(intersection(a.seen_s, b.seen_s))) > 0
    ]  # fmt: skip
    return SCREEN_TIME.conform(
        {"duration_s": DURATION_S, "counted_s": DURATION_S,
         "covered_s": total_s(union(*(p.seen_s for p in people))),
         "overlap_s": min(sum(t["together_s"] for t in together), DURATION_S / 2),
         "unknown_s": unknown_s, "has_bodies": has_bodies,
         "people": [
             {**p.row(), "segments": [
                 {k: s[k] for k in ("start_s", "end_s", "source")} for s in p.segments()
             ]}
             for p in people
         ],
         "co_appearances": together, "trims": []}
    )  # fmt: skip


def segments(people: Sequence[Person]) -> pa.Table:
    return SEGMENTS.from_rows([row for p in people for row in p.segments()])


def identities(
    people: Sequence[Person], faces: Sequence[dict[str, Any]], unassigned: Sequence[int]
) -> dict[str, Any]:
    first_face = {f["track_id"]: f["face_id"] for f in reversed(faces)}
    doubtful = {"similarity": 0.31, "confidence": 0.2}
    return IDENTITIES.conform(
        {"method": "average_linkage", "cluster_thresh": 0.3, "min_identity_sim": 0.25,
         "cannot_link_pairs": len(people), "unassigned_track_ids": list(unassigned),
         "identities": [
             {"identity_id": p.identity_id, "cohesion": 0.8, "confidence": 0.9,
              "track_ids": p.track_ids, "face_count": 9,
              "representative_face_id": first_face[p.track_ids[0]]}
             for p in people
         ],
         "alike": [],
         "memberships": [
             {"track_id": t, "identity_id": p.identity_id, "similarity": 0.8, "confidence": 0.9,
              "rival_id": "id_0001" if p.place else None,
              "rival_similarity": 0.3 if p.place else None,
              **(doubtful if p.is_doubtful(t) else {})}
             for p in people for t in p.track_ids
         ]}
    )  # fmt: skip


def cast(people: Sequence[Person]) -> dict[str, Any]:
    return CAST.conform(
        {"show": None, "suggestions": [],
         "people": [
             {"identity_id": p.identity_id, "cast_id": p.cast_id, "label": p.label,
              "source": "decision" if p.label else "machine", "confidence": 0.9}
             for p in people
         ]}
    )  # fmt: skip


def fusion(people: Sequence[Person], has_bodies: bool) -> dict[str, Any]:
    rows = [
        {"body_track_id": t, "start_s": s, "end_s": e, "identity_id": p.identity_id,
         "evidence": ("face_in_body", "appearance")[t % 2], "track_ids": [t], "shared_frames": 4,
         "confidence": 0.75}
        for p in people for t, (s, e) in p.bodies.items()
    ]  # fmt: skip
    scene = {"scene_id": 0, "first_shot_id": 0, "last_shot_id": 3, "start_s": 0.0, "end_s": 9.0}
    return TRACK_FUSION.conform(
        {"method": "face_in_body", "has_bodies": has_bodies, "body_bridge_s": 10.0,
         "associations": rows, "scenes": [scene] if has_bodies else []}
    )  # fmt: skip


def body_tracks(people: Sequence[Person]) -> pa.Table:
    rows = []
    for row, (t, span) in enumerate((t, s) for p in people for t, s in p.bodies.items()):
        body = track(t, *span)
        body["body_track_id"] = body.pop("track_id")
        rows.append({**body, "appearance_row": row, "appearance": "hsv_stripes"})
    return BODY_TRACKS.from_rows(rows)


def shots(cuts: Any) -> dict[str, Any]:
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


def metrics(tracks: int) -> dict[str, Any]:
    rows = [
        {"name": "tracks_per_minute", "value": tracks / 42, "warn_below": None,
         "warn_above": 120.0, "is_warning": False},
        {"name": "short_track_fraction", "value": 0.31, "warn_below": None, "warn_above": 0.2,
         "is_warning": True},
        {"name": "median_track_s", "value": None, "warn_below": 0.5, "warn_above": None,
         "is_warning": False},
    ]  # fmt: skip
    return TRACK_METRICS.conform(
        {"track_count": tracks, "observed_detection_count": 10 * tracks, "metrics": rows}
    )


def track(track_id: int, start_s: float, end_s: float) -> dict[str, Any]:
    first, last = int(start_s * 30), int(end_s * 30)
    return {
        "track_id": track_id, "shot_id": 0, "first_frame_idx": first, "last_frame_idx": last,
        "start_s": start_s, "end_s": end_s, "frame_idxs": [first, last], "mean_confidence": 0.9,
        "bboxes_xyxy": [[0, 0, 9, 9]] * 2, "detection_ids": [0, None],
    }  # fmt: skip


def face(face_id: int, track_id: int, at_s: float) -> dict[str, Any]:
    return {
        "face_id": face_id, "track_id": track_id, "detection_id": face_id,
        "frame_idx": int(at_s * 30), "timestamp_s": at_s, "bbox_xyxy": [0, 0, 9, 9],
        "confidence": 0.9, "size_px": 90.0, "quality": 0.5 + face_id % 50 / 100, "accepted": True,
        "embedding_row": face_id, "crop": f"{face_id:06d}.jpg",
    }  # fmt: skip
