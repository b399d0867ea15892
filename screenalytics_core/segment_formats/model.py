"""What every format is written from: people, their segments, and the video they lie in.

Times here count from the start of the first frame, as editors and players place a file; the
artifacts' presentation timestamps need not begin at 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import fsum
from typing import Any

from screenalytics_core.errors import SettingsError
from screenalytics_core.segment_formats.text import on_one_line
from screenalytics_core.vision.timecode import FrameClock


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch with one person on screen.

    Attributes:
        start_s: Seconds after the first frame's start.
        end_s: Excluded.
        source: face, or body.
        confidence: 0 to 1.
    """

    start_s: float
    end_s: float
    source: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody and when they are on screen.

    Attributes:
        person_id: The cast_id, else the identity_id.
        name: For people; no two people of an episode share one.
        identity_id: None where a cast member joins several.
        segments: Ascending.
    """

    person_id: str
    name: str
    identity_id: str | None
    segments: tuple[Segment, ...]

    def on_frames(self, clock: FrameClock) -> Iterator[tuple[Segment, int, int]]:
        """Yield each segment with its first frame and the one after its last.

        Frames count from the episode's first. A segment lasts at least one frame and begins
        after the one before it has ended, so that they fit on one track.
        """
        free = 0
        for segment in self.segments:
            start = max(free, clock.nearest(segment.start_s))
            free = max(clock.nearest(segment.end_s), start + 1)
            yield segment, start, free


@dataclass(frozen=True, slots=True)
class MediaFile:
    """The video file, as a program finds it.

    Attributes:
        url: file:// URL.
        has_audio: It holds sound.
        start_timecode: HH:MM:SS:FF of its first frame, if the file states one.
    """

    name: str
    url: str
    has_audio: bool
    start_timecode: str | None = None


@dataclass(frozen=True, slots=True)
class EpisodeSegments:
    """All that is written.

    Attributes:
        fps: Average rate of the video.
        duration_s: From the first frame's start to the last one's end.
        people: Most seconds first.
    """

    ep_id: str
    run_id: str
    fps: Fraction
    duration_s: float
    width_px: int
    height_px: int
    people: tuple[Person, ...]
    media: MediaFile

    @property
    def clock(self) -> FrameClock:
        """Frames of the timeline."""
        return FrameClock.of(self.fps, self.media.start_timecode)

    def only(self, wanted: str) -> EpisodeSegments:
        """Return it with one person, by name, cast_id or identity_id.

        Raises:
            SettingsError: Nobody is called that.
        """
        folded = wanted.strip().casefold()
        for person in self.people:
            ids = {person.person_id, person.identity_id, person.name.casefold()}
            if wanted in ids or folded in ids:
                return replace(self, people=(person,))
        raise SettingsError(
            thing=f"person {wanted!r}",
            reason=f"is not in run {self.ep_id}/{self.run_id}",
            way_out="It has " + (", ".join(p.name for p in self.people) or "nobody") + ".",
        )


def episode_segments(
    ep_id: str,
    run_id: str,
    shots: Mapping[str, Any],
    segments: Iterable[Mapping[str, Any]],
    media: MediaFile,
) -> EpisodeSegments:
    """Gather what is written.

    Args:
        shots: `artifacts.SHOTS`.
        segments: Rows of `artifacts.SEGMENTS`.
        media: The video's file.
    """
    rows: dict[tuple[bool, str], list[Mapping[str, Any]]] = {}
    for row in segments:
        # An identity and a cast member of the same spelling stay two.
        key = row["cast_id"] is not None, row["cast_id"] or row["identity_id"]
        rows.setdefault(key, []).append(row)
    people = [_person(person_id, of, shots["start_s"]) for (_, person_id), of in rows.items()]
    people.sort(key=lambda p: (-fsum(s.end_s - s.start_s for s in p.segments), p.person_id))
    return EpisodeSegments(
        ep_id,
        run_id,
        Fraction(shots["fps"]),
        shots["duration_s"],
        shots["width_px"],
        shots["height_px"],
        tuple(_told_apart(people)),
        media,
    )


def _person(person_id: str, rows: Iterable[Mapping[str, Any]], first_frame_s: float) -> Person:
    rows = sorted(rows, key=lambda row: (row["start_s"], row["end_s"]))
    identities = {row["identity_id"] for row in rows}
    label = next((row["label"] for row in rows if row["label"]), None)
    return Person(
        person_id,
        on_one_line(label or "") or person_id,
        identities.pop() if len(identities) == 1 else None,
        tuple(
            Segment(
                row["start_s"] - first_frame_s,
                row["end_s"] - first_frame_s,
                row["source"],
                row["confidence"],
            )
            for row in rows
        ),
    )


def _told_apart(people: list[Person]) -> Iterator[Person]:
    """Yield people with their ids behind names that several have."""
    counts = Counter(person.name.casefold() for person in people)
    for person in people:
        if counts[person.name.casefold()] > 1 and person.name != person.person_id:
            yield replace(person, name=f"{person.name} ({person.person_id})")
        else:
            yield person
