"""Which face belongs to which body, frame by frame, by where it lies in the body's box.

Nothing is known here of identities: a face and a body that fit are a vote, no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.assignment import greatest_gain
from screenalytics_core.vision.box_tracks import BoxTracks
from screenalytics_core.vision.boxes import Float64Array, IntArray, areas_px

# Part of the face's area inside the body's box, for it to be the body's face (detectors cut
# heads a little), and for it not to be elsewhere.
OWN_INSIDE: Final = 0.75
MIN_INSIDE: Final = 0.5
# Centre of the face below the top of the body, in body heights: 0.1 of a standing person,
# 0.2-0.3 of a sitting one, 0.53 of a close-up whose box holds little but the head.
MAX_DEPTH: Final = 0.6

# How a face lies in its own body. Measured on 39 pairs of face and body tracks of the clips
# (standing, sitting, close-up): centre 0.5-1.1 face heights below the top, at most 0.32 body
# widths off the middle, the body 1.5-5.5 faces wide. Faces of others inside the same box:
# 1.3-3.4 heights below the top, 0.3-0.5 off the middle, or the body 6-10 faces wide.
_TOP_FACES, _TOP_STD = 0.8, 0.3
_OFF_STD = 0.25
_WIDTH_FACES, _WIDE_LOG_STD, _NARROW_LOG_STD = 3.4, 0.5, 0.8
# Three such deviations of 1.2 each, or one of 2.1.
MIN_FIT: Final = 0.1
_TINY: Final = 1e-6


@dataclass(frozen=True, slots=True)
class FacesInBodies:
    """Every face that lies in a body for at least half, ascending by body, frame and face.

    Attributes:
        bodies: (P,) row of the body. faces: (P,) row of the face.
        frame_idxs: (P,).
        fits: (P,) 0 to 1, see `fit`; below `MIN_FIT` it is no face of this body.
        is_match: (P,) whether it is this body's face there: per frame each face has at most
            one body, and each body at most one face.
        has_match: (P,) whether the face has a body there, this one or another.
        is_observed: (P,) whether the face was seen there, not interpolated.
    """

    bodies: IntArray
    faces: IntArray
    frame_idxs: IntArray
    fits: Float64Array
    is_match: NDArray[np.bool_]
    has_match: NDArray[np.bool_]
    is_observed: NDArray[np.bool_]


def faces_in_bodies(
    faces: BoxTracks, bodies: BoxTracks, frame_times_s: Float64Array
) -> FacesInBodies:
    """Look at every frame of a face track that lies within a body track.

    Bodies are interpolated onto these frames. In each, the pairs that may be are matched so
    that the sum of their fits is greatest (Hungarian method): of two faces in one box, the
    one that fits worse gets the body behind, or none.

    Args:
        frame_times_s: (frames + 1,) presentation timestamps.
    """
    face_rows = np.argsort(faces.frame_idxs, kind="stable")
    face_frames = faces.frame_idxs[face_rows]
    owners, body_frames, body_boxes = _bodies_at(bodies, np.unique(face_frames), frame_times_s)
    at_face, at_body = _same_frame(face_frames, body_frames)
    boxes = faces.bboxes_xyxy[face_rows[at_face]]
    is_inside = np.flatnonzero(inside(boxes, body_boxes[at_body]) >= MIN_INSIDE)
    boxes, at_body = boxes[is_inside], at_body[is_inside]
    fits = fit(boxes, body_boxes[at_body])
    at_face = face_rows[at_face[is_inside]]
    body, face, frames = owners[at_body], faces.owners[at_face], body_frames[at_body]
    is_match = np.zeros(len(fits), bool)
    may_be = np.flatnonzero(fits >= MIN_FIT)
    is_match[may_be] = _matches(frames[may_be], face[may_be], body[may_be], fits[may_be])
    order = np.lexsort((face, frames, body))
    return FacesInBodies(
        bodies=body[order],
        faces=face[order],
        frame_idxs=frames[order],
        fits=fits[order],
        is_match=is_match[order],
        has_match=np.isin(at_face, at_face[is_match])[order],
        is_observed=faces.is_observed[at_face][order],
    )


def inside(faces_xyxy: Float64Array, bodies_xyxy: Float64Array) -> Float64Array:
    """Return the part of each face's area that lies in the body of the same row, (P,) 0 to 1."""
    low = np.maximum(faces_xyxy[:, :2], bodies_xyxy[:, :2])
    sides = np.maximum(np.minimum(faces_xyxy[:, 2:], bodies_xyxy[:, 2:]) - low, 0.0)
    return np.asarray(sides.prod(axis=1) / np.maximum(areas_px(faces_xyxy), _TINY), np.float64)


def fit(faces_xyxy: Float64Array, bodies_xyxy: Float64Array) -> Float64Array:
    """Return how well each face lies in the body of the same row, (P,) 0 to 1.

    0 where less than `OWN_INSIDE` of the face lies inside, or its centre lies lower than
    `MAX_DEPTH`. Else `exp(-(t² + o² + w²) / 2)`, where t, o and w are deviations from a face
    in its own body: distance of its centre from the top edge, in face heights; distance from
    the middle, in body widths; logarithm of the body's width in face widths.
    """
    face_sides = np.maximum(faces_xyxy[:, 2:] - faces_xyxy[:, :2], _TINY)
    body_sides = np.maximum(bodies_xyxy[:, 2:] - bodies_xyxy[:, :2], _TINY)
    centres = (faces_xyxy[:, :2] + faces_xyxy[:, 2:]) / 2
    depth_px = centres[:, 1] - bodies_xyxy[:, 1]
    middle_px = (bodies_xyxy[:, 0] + bodies_xyxy[:, 2]) / 2
    top = (depth_px / face_sides[:, 1] - _TOP_FACES) / _TOP_STD
    off = (centres[:, 0] - middle_px) / body_sides[:, 0] / _OFF_STD
    width = np.log(body_sides[:, 0] / face_sides[:, 0] / _WIDTH_FACES)
    # Too wide is a front body with a face from behind; too narrow is mostly a body that the
    # edge of the picture cuts.
    width /= np.where(width > 0, _WIDE_LOG_STD, _NARROW_LOG_STD)
    may_be = inside(faces_xyxy, bodies_xyxy) >= OWN_INSIDE
    may_be &= depth_px <= MAX_DEPTH * body_sides[:, 1]
    likeness = np.exp(-(top**2 + off**2 + width**2) / 2)
    return np.asarray(np.where(may_be, likeness, 0.0), np.float64)


def _bodies_at(
    bodies: BoxTracks, looks: IntArray, frame_times_s: Float64Array
) -> tuple[IntArray, IntArray, Float64Array]:
    """Return bodies at the frames `looks`: rows, frames and boxes, ascending by frame."""
    begins = np.searchsorted(looks, bodies.first_frame_idxs)
    ends = np.searchsorted(looks, bodies.last_frame_idxs, side="right")
    spans = list(enumerate(zip(begins.tolist(), ends.tolist(), strict=True)))
    frames = [np.empty(0, np.int64), *(looks[begin:end] for _, (begin, end) in spans)]
    boxes = [np.empty((0, 4))]
    boxes += [bodies.boxes_at(row, looks[begin:end], frame_times_s) for row, (begin, end) in spans]
    owners, joined = np.repeat(np.arange(len(bodies)), ends - begins), np.concatenate(frames)
    order = np.argsort(joined, kind="stable")
    return owners[order], joined[order], np.concatenate(boxes)[order]


def _same_frame(first: IntArray, second: IntArray) -> tuple[IntArray, IntArray]:
    """Return all pairs of positions with the same frame; both arrays ascend."""
    begins = np.searchsorted(second, first)
    counts = np.searchsorted(second, first, side="right") - begins
    at_first = np.repeat(np.arange(len(first)), counts)
    within = np.arange(len(at_first)) - np.repeat(np.cumsum(counts) - counts, counts)
    return at_first, np.repeat(begins, counts) + within


def _matches(
    frames: IntArray, faces: IntArray, bodies: IntArray, fits: Float64Array
) -> NDArray[np.bool_]:
    """Return which of the pairs, ascending by frame, are matched."""
    is_match = np.ones(len(frames), bool)
    face_place, is_face_twice = _places(frames, faces)
    body_place, is_body_twice = _places(frames, bodies)
    # Most frames need no choice, so the others are few.
    contested = np.unique(frames[is_face_twice | is_body_twice])
    begins = np.searchsorted(frames, contested).tolist()
    ends = np.searchsorted(frames, contested, side="right").tolist()
    for begin, end in zip(begins, ends, strict=True):
        rows, columns = face_place[begin:end], body_place[begin:end]
        gains = np.zeros((rows.max() + 1, columns.max() + 1))
        gains[rows, columns] = fits[begin:end]
        chosen = np.full(len(gains), -1)
        # Whoever is left over is assigned to something that it has no pair with.
        best_rows, best_columns = greatest_gain(gains)
        chosen[best_rows] = best_columns
        is_match[begin:end] = chosen[rows] == columns
    return is_match


def _places(frames: IntArray, things: IntArray) -> tuple[IntArray, NDArray[np.bool_]]:
    """Number the things of each frame from 0; tell which stand in more than one of its pairs."""
    width = int(things.max(initial=0)) + 1
    known, at, counts = np.unique(frames * width + things, return_inverse=True, return_counts=True)
    return at - np.searchsorted(known, frames * width), counts[at] > 1
