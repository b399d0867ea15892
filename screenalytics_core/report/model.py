"""What the report says, in the words of both renderers (`pdf` and `html`); `gather` fills it.

No clock, no path, no bytes of pictures: a picture is named by its crop inside crops.zip and
handed to the renderers separately.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from screenalytics_core.report.lineage import Lineage
from screenalytics_core.vision.intervals import Interval, union
from screenalytics_core.vision.quality_counters import QualityCounter


@dataclass(frozen=True, slots=True)
class FacePicture:
    """An accepted face: its picture, and where in the episode it is from.

    Attributes:
        crop: Name inside crops.zip.
        quality: 0 to 1.
    """

    crop: str
    face_id: int
    track_id: int
    frame_idx: int
    timestamp_s: float
    quality: float


@dataclass(frozen=True, slots=True)
class Appearance:
    """One segment of a person: half-open seconds, and what it rests on.

    Attributes:
        first_frame_idx: First frame in it, in decode order.
        last_frame_idx: Last frame in it, included.
        source: `face` or `body`.
        confidence: 0 to 1, of the surest track behind it.
        crop: The best face seen during it, by its name inside crops.zip; None for a body.
    """

    start_s: float
    end_s: float
    first_frame_idx: int
    last_frame_idx: int
    source: str
    track_ids: tuple[int, ...]
    body_track_ids: tuple[int, ...]
    confidence: float
    crop: str | None


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person of the episode.

    Attributes:
        person_id: cast_id, else identity_id; what co-appearances name.
        name: The label, else the identity's id.
        handle: Ids that lead back into the run, e.g. `id_0003`; empty when it is the name.
        body_only_s: None when no person detector looked at the episode.
        low_s: The part of total_s that is sure; low_s <= total_s <= high_s.
        high_s: total_s and everything else that may be this person.
        share: total_s / counted_s, 0 to 1; low_share and high_share likewise.
        confidence: 0 to 1, of the least sure of the person's identities; None without one.
        crop: The face to show, by its name inside crops.zip; None if there is none.
        sheet: Faces from all over the person's tracks, best first.
    """

    person_id: str
    name: str
    handle: str
    is_named: bool
    total_s: float
    face_s: float
    body_only_s: float | None
    low_s: float
    high_s: float
    share: float
    low_share: float
    high_share: float
    confidence: float | None
    first_s: float
    last_s: float
    track_count: int
    body_track_count: int
    segments: tuple[Appearance, ...]
    crop: str | None
    sheet: tuple[FacePicture, ...]

    @property
    def appearance_count(self) -> int:
        """How often they come on screen: a face that turns away into a body does not leave it."""
        return len(union((s.start_s, s.end_s) for s in self.segments))


@dataclass(frozen=True, slots=True)
class CoAppearance:
    """Two people on screen at once, for `together_s` > 0 seconds; `names` go with the ids."""

    person_id: str
    other_id: str
    name: str
    other_name: str
    together_s: float


@dataclass(frozen=True, slots=True)
class Trim:
    """A stretch that is not counted, e.g. recap or credits."""

    name: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A face track whose owner is doubtful; look at it where it matters most.

    Attributes:
        length_s: How long it is on screen, i.e. how much it can change.
        given: Name of the person it counts for; None = nobody.
        similarity: Cosine similarity to that identity's centre.
        rival: Name of the likeliest other person.
        confidence: 0 to 1.
        crop: Its best face, by its name inside crops.zip.
        reason: One line on why it is listed.
    """

    track_id: int
    start_s: float
    end_s: float
    first_frame_idx: int
    last_frame_idx: int
    length_s: float
    given: str | None
    similarity: float | None
    rival: str | None
    rival_similarity: float | None
    confidence: float
    crop: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class BodyReviewRow:
    """A body that counts for a person, doubtfully, while their face is not seen.

    Attributes:
        body_only_s: Seconds that neither a face nor a surer body of the person shows.
        name: Of the person.
        evidence: What ties it to them, an `Evidence`.
        confidence: 0 to 1, of the tie.
    """

    body_track_id: int
    start_s: float
    end_s: float
    first_frame_idx: int
    last_frame_idx: int
    body_only_s: float
    name: str
    evidence: str
    confidence: float


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """Body tracks (or time parts of them) that were tied to a person for one reason.

    Attributes:
        evidence: An `Evidence`.
        total_s: Sum of their lengths; two bodies at once count twice.
        mean_confidence: 0 to 1.
    """

    evidence: str
    associations: int
    total_s: float
    mean_confidence: float


@dataclass(frozen=True, slots=True)
class BodyFacts:
    """What the body branch did.

    Attributes:
        has_bodies: A person detector looked at the episode.
        detector: File name of the person detector; None if none looked.
        appearance: What made the appearance vectors: `reid` or `hsv_stripes`; None if none.
        bridge_s: Longest time that appearance may stand for a hidden face, seconds.
        why_none: A sentence on why seconds are those of faces only; None with bodies.
    """

    has_bodies: bool
    detector: str | None
    appearance: str | None
    track_count: int
    bridge_s: float
    evidence: tuple[EvidenceRow, ...]
    why_none: str | None


@dataclass(frozen=True, slots=True)
class ReportModel:
    """Everything that stands in the report.

    Attributes:
        start_s: Timestamp of the first frame, seconds; times below are on the same clock.
        fps: Average frame rate as a fraction, e.g. `30000/1001`.
        counted_s: Length without `trims`; the whole of every share.
        covered_s: Time with at least one identified person.
        overlap_s: Time with at least two of them.
        unknown_s: Time with a face that has no identity.
        has_faces: A face was tracked anywhere in the episode, counted or not.
        people: Most seconds first.
        shots_s: Half-open interval of every shot, seconds.
        unknown_segments_s: Where faces without an identity are, disjoint, ascending.
        co_appearances: Most seconds first.
        counters: Quality of the result against its warning limits, with advice.
        review: Doubtful tracks, those that can change most first.
        review_total: How many there are; `review` may hold fewer.
        body_review: Doubtful bodies that add seconds, most seconds first.
        body_review_total: How many there are; `body_review` may hold fewer.
        counts: (what, how many), in reading order.
    """

    ep_id: str
    run_id: str
    start_s: float
    duration_s: float
    fps: str
    counted_s: float
    covered_s: float
    overlap_s: float
    unknown_s: float
    has_faces: bool
    people: tuple[PersonRow, ...]
    shots_s: tuple[Interval, ...]
    unknown_segments_s: tuple[Interval, ...]
    co_appearances: tuple[CoAppearance, ...]
    trims: tuple[Trim, ...]
    bodies: BodyFacts
    counters: tuple[QualityCounter, ...]
    review: tuple[ReviewRow, ...]
    review_total: int
    body_review: tuple[BodyReviewRow, ...]
    body_review_total: int
    counts: tuple[tuple[str, int | None], ...]
    lineage: Lineage

    @property
    def crops(self) -> tuple[str, ...]:
        """Names of all pictures, each once, ascending: the order of the archive."""
        return tuple(sorted({name for name in self._crops() if name is not None}))

    def _crops(self) -> Iterable[str | None]:
        for person in self.people:
            yield person.crop
            yield from (face.crop for face in person.sheet)
            yield from (segment.crop for segment in person.segments)
        yield from (row.crop for row in self.review)
