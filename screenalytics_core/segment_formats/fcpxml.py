"""FCPXML 1.10: the episode as a timeline, and above it one lane per person.

Each segment is a piece of the episode's own picture in the person's lane, named after the
person and with the person as its role. Final Cut Pro shows and hides people by role; DaVinci
Resolve makes a video track of each lane. Nothing moves: a segment lies where it is in the
episode.

Written by hand: OpenTimelineIO's adapter writes FCPXML 1.8 whose rates stand in a table and
whose times pass through floats. Element and attribute names and their order follow Apple's
FCPXML 1.10 DTD.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final
from xml.etree import ElementTree as ET

from screenalytics_core.segment_formats.model import EpisodeSegments, Person
from screenalytics_core.vision.timecode import FrameClock

VERSION: Final = "1.10"
_FORMAT: Final = "r1"
_ASSET: Final = "r2"


def write_fcpxml(episode: EpisodeSegments) -> str:
    """Return the document; every time in it is a whole number of frames."""
    clock = episode.clock
    ends = [end for person in episode.people for _, _, end in person.on_frames(clock)]
    length = max([1, clock.nearest(episode.duration_s), *ends])
    root = ET.Element("fcpxml", version=VERSION)
    _add_resources(ET.SubElement(root, "resources"), episode, clock, length)
    event = ET.SubElement(ET.SubElement(root, "library"), "event", name="Screenalytics")
    project = ET.SubElement(event, "project", name=f"{episode.ep_id} {episode.run_id}")
    numbering = {
        "tcStart": _time(clock.start_frame, clock),
        "tcFormat": "DF" if clock.is_drop_frame else "NDF",
    }
    sequence = ET.SubElement(
        project, "sequence", {"format": _FORMAT, "duration": _time(length, clock), **numbering}
    )
    whole = ET.SubElement(
        ET.SubElement(sequence, "spine"),
        "asset-clip",
        ref=_ASSET,
        offset=_time(clock.start_frame, clock),
        name=episode.ep_id,
        start=_time(clock.start_frame, clock),
        duration=_time(length, clock),
        format=_FORMAT,
        tcFormat=numbering["tcFormat"],
    )
    for lane, person in enumerate(episode.people, 1):
        for segment, start, end in person.on_frames(clock):
            clip = _add_clip(whole, person, lane, start, end, clock)
            clip.set("name", f"{person.name} ({segment.source})")
            ET.SubElement(
                clip, "note"
            ).text = f"{person.person_id}, {segment.source}, confidence {segment.confidence:.2f}"
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n{body}\n'


def _add_resources(
    resources: ET.Element, episode: EpisodeSegments, clock: FrameClock, length: int
) -> None:
    ET.SubElement(
        resources,
        "format",
        id=_FORMAT,
        frameDuration=_time(1, clock),
        width=str(episode.width_px),
        height=str(episode.height_px),
    )
    sound = {"hasAudio": "1", "audioSources": "1"} if episode.media.has_audio else {}
    asset = ET.SubElement(
        resources,
        "asset",
        {
            "id": _ASSET,
            "name": episode.ep_id,
            "start": _time(clock.start_frame, clock),
            "duration": _time(length, clock),
            "hasVideo": "1",
            "format": _FORMAT,
            "videoSources": "1",
            **sound,
        },
    )
    ET.SubElement(asset, "media-rep", kind="original-media", src=episode.media.url)


def _add_clip(
    whole: ET.Element, person: Person, lane: int, start: int, end: int, clock: FrameClock
) -> ET.Element:
    # A connected clip's offset counts in the time of the clip that it hangs on: the source's.
    at = _time(clock.start_frame + start, clock)
    return ET.SubElement(
        whole,
        "asset-clip",
        ref=_ASSET,
        lane=str(lane),
        offset=at,
        start=at,
        duration=_time(end - start, clock),
        srcEnable="video",
        format=_FORMAT,
        videoRole=_role(person),
    )


def _role(person: Person) -> str:
    # A dot would part a role from its subrole; a name of dots alone leaves nothing.
    role = person.name.replace(".", " ")
    return role if role.strip() else person.person_id.replace(".", " ")


def _time(frames: int, clock: FrameClock) -> str:
    """Return `frames` as rational seconds over the rate's own numerator."""
    if frames == 0:
        return "0s"
    duration = 1 / Fraction(clock.rate)
    return f"{frames * duration.numerator}/{duration.denominator}s"
