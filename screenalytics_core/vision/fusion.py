"""Bodies tied to identities: faces vote, likeness bridges, and everything else is nobody's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from screenalytics_core.vision.body_bridging import (
    Bridge,
    Likeness,
    Reference,
    Unnamed,
    bridge_scene,
)
from screenalytics_core.vision.body_conflicts import one_body_each
from screenalytics_core.vision.body_votes import NOBODY, Claim, claims_by_votes, votes_of
from screenalytics_core.vision.box_tracks import BoxTracks
from screenalytics_core.vision.boxes import Float64Array, IntArray
from screenalytics_core.vision.evidence import Evidence
from screenalytics_core.vision.face_evidence import FaceEvidence, FaceJudge
from screenalytics_core.vision.face_in_body import faces_in_bodies
from screenalytics_core.vision.intervals import Interval, Intervals, subtraction, union
from screenalytics_core.vision.scenes import Scene

# From this part of a track's time on, its mean vector is one stretch's.
_MOSTLY: Final = 0.75


@dataclass(frozen=True, slots=True)
class Association:
    """A stretch of a body track and whose it is; fields as `artifacts.TRACK_FUSION` says."""

    body_track_id: int
    start_s: float
    end_s: float
    identity: int
    evidence: Evidence
    track_ids: tuple[int, ...] = ()
    shared_frames: int = 0
    similarity: float | None = None
    gap_s: float | None = None
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Looks:
    """What bodies look like.

    Attributes:
        vectors: (bodies, D) L2-normalised; NaN where a body has none.
        likeness: What similarities mean; None where no body has a vector.
    """

    vectors: Float64Array
    likeness: Likeness | None


@dataclass(frozen=True, slots=True)
class People:
    """Who the face tracks are.

    Attributes:
        identities: (faces,) identity of each face track, 0 and up, or `NOBODY`.
        confidences: (faces,) 0 to 1, how sure each of them is; see `memberships_of`.
    """

    identities: IntArray
    confidences: Float64Array


def fuse(
    faces: BoxTracks,
    people: People,
    bodies: BoxTracks,
    looks: Looks,
    scenes: Sequence[Scene],
    frame_times_s: Float64Array,
    max_bridge_s: float,
) -> list[Association]:
    """Say of every moment of every body track whose body it is.

    Args:
        scenes: As `find_scenes` gives them for these faces.
        frame_times_s: (frames + 1,) presentation timestamps.
        max_bridge_s: Longest time that a likeness may bridge.

    Returns:
        Ascending by body track and time; each body track's are disjoint and cover it.
    """
    pairs = faces_in_bodies(faces, bodies, frame_times_s)
    votes = votes_of(pairs, people.identities, frame_times_s)
    claims = claims_by_votes(votes, pairs, faces, bodies, people.identities, frame_times_s)
    judge = FaceJudge(votes, pairs, faces, people.identities, people.confidences, frame_times_s)
    named = {
        claim: judge.judge(claim) for claim in one_body_each(claims, votes, bodies, frame_times_s)
    }
    bridges = _bridges(faces, people, bodies, looks, scenes, named, max_bridge_s)
    rows = [
        *(_by_face(bodies, claim, evidence) for claim, evidence in named.items()),
        *(_by_likeness(bodies, bridge) for bridge in bridges),
    ]
    taken = _taken([*named, *(bridge.claim for bridge in bridges)])
    for body in range(len(bodies)):
        for start_s, end_s in subtraction([bodies.interval(body)], taken.get(body, ())):
            rows.append(Association(int(bodies.ids[body]), start_s, end_s, NOBODY, Evidence.NONE))
    return sorted(rows, key=lambda row: (row.body_track_id, row.start_s))


def _by_face(bodies: BoxTracks, claim: Claim, evidence: FaceEvidence) -> Association:
    return Association(
        int(bodies.ids[claim.body]), claim.start_s, claim.end_s, claim.identity,
        Evidence.FACE_IN_BODY, evidence.track_ids, evidence.shared_frames,
        confidence=evidence.confidence,
    )  # fmt: skip


def _by_likeness(bodies: BoxTracks, bridge: Bridge) -> Association:
    claim = bridge.claim
    return Association(
        int(bodies.ids[claim.body]), claim.start_s, claim.end_s, claim.identity,
        Evidence.APPEARANCE, similarity=bridge.similarity, gap_s=bridge.gap_s,
        confidence=bridge.confidence,
    )  # fmt: skip


def _taken(claims: Iterable[Claim]) -> Mapping[int, list[Interval]]:
    taken: dict[int, list[Interval]] = defaultdict(list)
    for claim in claims:
        taken[claim.body].append(claim.interval)
    return taken


def _bridges(
    faces: BoxTracks,
    people: People,
    bodies: BoxTracks,
    looks: Looks,
    scenes: Sequence[Scene],
    named: Mapping[Claim, FaceEvidence],
    max_bridge_s: float,
) -> list[Bridge]:
    """Bridge scene by scene."""
    if looks.likeness is None:
        return []
    # A shot outside all scenes shows no identified face, so nothing there can be bridged.
    scene_of = {
        shot_id: number
        for number, scene in enumerate(scenes)
        for shot_id in range(scene.first_shot_id, scene.last_shot_id + 1)
    }
    references: dict[int, list[Reference]] = defaultdict(list)
    for claim, evidence in named.items():
        is_pure = _is_most(claim.interval, bodies.interval(claim.body))
        reference = Reference(claim, evidence.confidence, is_pure)
        references[scene_of[int(bodies.shot_ids[claim.body])]].append(reference)
    unnamed: dict[int, list[Unnamed]] = defaultdict(list)
    taken = _taken(named)
    for body, shot_id in enumerate(bodies.shot_ids.tolist()):
        track = bodies.interval(body)
        for interval in subtraction([track], taken.get(body, ())):
            if shot_id in scene_of and _is_most(interval, track):
                unnamed[scene_of[shot_id]].append(Unnamed(body, interval, track))
    on_screen = _on_screen(faces, people, bodies, named)
    return [
        bridge
        for scene in sorted(unnamed)
        for bridge in bridge_scene(
            unnamed[scene], references[scene], looks.vectors, bodies.shot_ids, on_screen,
            looks.likeness, max_bridge_s,
        )
    ]  # fmt: skip


def _is_most(part: Interval, whole: Interval) -> bool:
    return part[1] - part[0] >= _MOSTLY * (whole[1] - whole[0])


def _on_screen(
    faces: BoxTracks, people: People, bodies: BoxTracks, named: Iterable[Claim]
) -> Mapping[tuple[int, int], Intervals]:
    """Return when each identity is seen, by shot and identity."""
    seen: dict[tuple[int, int], list[Interval]] = defaultdict(list)
    for row in np.flatnonzero(people.identities != NOBODY).tolist():
        key = int(faces.shot_ids[row]), int(people.identities[row])
        seen[key].append(faces.interval(row))
    for claim in named:
        seen[int(bodies.shot_ids[claim.body]), claim.identity].append(claim.interval)
    return {key: union(intervals) for key, intervals in seen.items()}
