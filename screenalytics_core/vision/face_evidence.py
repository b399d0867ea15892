"""How sure it is that a stretch of a body track is somebody's, by the faces in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from screenalytics_core.vision.body_votes import NOBODY, Claim, Votes
from screenalytics_core.vision.box_tracks import BoxTracks
from screenalytics_core.vision.boxes import Float64Array, IntArray
from screenalytics_core.vision.face_in_body import MIN_FIT, FacesInBodies
from screenalytics_core.vision.intervals import intersection, total_s

# Fit from which on a face lies where it should; half of all right ones lie above 0.7.
_GOOD_FIT: Final = 0.5


@dataclass(frozen=True, slots=True)
class FaceEvidence:
    """What stands behind a claim.

    Attributes:
        track_ids: Face tracks that voted for the identity, ascending.
        shared_frames: Frames on which one of them was seen in the body.
        confidence: 0 to 1, see `face_evidence`.
    """

    track_ids: tuple[int, ...]
    shared_frames: int
    confidence: float


class FaceJudge:
    """Knows all votes and the faces that might have voted; judges one claim at a time."""

    def __init__(
        self,
        votes: Votes,
        pairs: FacesInBodies,
        faces: BoxTracks,
        identities: IntArray,
        sureness: Float64Array,
        frame_times_s: Float64Array,
    ) -> None:
        """Take what was seen.

        Args:
            identities: (faces,) identity of each face track, or `NOBODY`.
            sureness: (faces,) 0 to 1, how sure it is that each face track is its identity.
        """
        self._votes = votes
        self._faces = faces
        self._sureness = sureness
        owners = identities[pairs.faces]
        # A face with a body of its own that also lies in this one says nothing about it; one
        # without may be the face of this body as well as the one that was matched.
        may_own = pairs.is_match | (~pairs.has_match & (pairs.fits >= MIN_FIT))
        may_own &= pairs.is_observed & (owners != NOBODY)
        rows = np.flatnonzero(may_own)
        self._all = Votes(
            pairs.bodies[rows],
            pairs.faces[rows],
            pairs.frame_idxs[rows],
            frame_times_s[pairs.frame_idxs[rows]],
            owners[rows],
            pairs.fits[rows],
        )

    def judge(self, claim: Claim) -> FaceEvidence:
        """Return the evidence for a claim that has votes.

        `confidence = sureness * share * seen * fit * visible`, each 0 to 1:

        - `sureness`: mean over its votes, weighted by their fit, of how sure it is that the face
          track that voted is the identity;
        - `share`: its votes, weighted by their fit, among those of all identified faces that
          lie in the body in that time and have no other body;
        - `seen = n / (n + 1)` for n shared frames;
        - `fit`: mean fit of its votes over 0.5, at most 1;
        - `visible = (1 + v) / 2`, where v is the part of the time in which a face that voted
          is on screen: the tracker alone carries the rest.
        """
        rows = self._votes.of(claim)
        weights = self._votes.weights[rows]
        others = self._all.weights[self._all.within(claim)].sum()
        own = float(weights.sum())
        voters = self._votes.faces[rows]
        tracks = np.unique(voters)
        shown = intersection([self._faces.interval(t) for t in tracks.tolist()], [claim.interval])
        visible = total_s(shown) / (claim.end_s - claim.start_s)
        confidence = (
            float(np.average(self._sureness[voters], weights=weights))
            * (own / max(own, float(others)))
            * len(rows) / (len(rows) + 1)
            * min(1.0, own / len(rows) / _GOOD_FIT)
            * (1 + min(1.0, visible)) / 2
        )  # fmt: skip
        return FaceEvidence(
            tuple(self._faces.ids[tracks].tolist()), len(rows), round(confidence, 6)
        )
