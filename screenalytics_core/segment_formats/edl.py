"""CMX 3600 edit decision lists: every segment as one event, strung together.

Source times are the episode's own timecode. Record times follow one upon the other, person
after person: a list has a single picture track, so people who are on screen together could
not keep their place in the episode; programs let the later event overwrite the earlier one.
FCPXML keeps the places.

Written by hand: OpenTimelineIO's CMX adapter states no frame code mode (FCM), which 29.97
needs, and what remains is one line of text per event. The tests read the lists back with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from screenalytics_core.segment_formats.model import EpisodeSegments, Person, Segment
from screenalytics_core.segment_formats.text import in_ascii
from screenalytics_core.vision.timecode import FrameClock

# CMX 3600 has room for eight characters.
_REEL_CHARS: Final = 8


def write_edl(episode: EpisodeSegments) -> str:
    """Return the list, in ASCII.

    Events are numbered from 001; past 999 the numbers get longer, as today's programs write
    and read them. A segment shorter than half a frame lasts one.
    """
    clock = episode.clock
    mode = "DROP FRAME" if clock.is_drop_frame else "NON-DROP FRAME"
    lines = [f"TITLE: {in_ascii(f'{episode.ep_id} {episode.run_id}', 'SEGMENTS')}", f"FCM: {mode}"]
    reel = f"{_reel(episode.ep_id):<{_REEL_CHARS}}"
    record = 0
    for number, (person, segment, start, end) in enumerate(_events(episode, clock), 1):
        times = [clock.timecode(clock.start_frame + at) for at in (start, end)]
        times += [clock.timecode(at) for at in (record, record + end - start)]
        lines += [
            "",
            f"{number:03d}  {reel} V     C        {' '.join(times)}",
            f"* FROM CLIP NAME: {in_ascii(person.name, person.person_id)}",
            f"* COMMENT: {in_ascii(person.person_id, '?')}, {segment.source}, "
            f"confidence {segment.confidence:.2f}",
            f"* SOURCE FILE: {in_ascii(episode.media.name, 'video')}",
        ]
        record += end - start
    return "\n".join(lines) + "\n"


def _events(
    episode: EpisodeSegments, clock: FrameClock
) -> Iterator[tuple[Person, Segment, int, int]]:
    for person in episode.people:
        for segment, start, end in person.on_frames(clock):
            yield person, segment, start, end


def _reel(ep_id: str) -> str:
    """Return a reel name; season and episode stand at the end of an id, so that is kept."""
    name = "".join(c for c in ep_id.upper() if c.isascii() and c.isalnum())
    return name if len(name) <= _REEL_CHARS else name[:2] + name[2 - _REEL_CHARS :]
