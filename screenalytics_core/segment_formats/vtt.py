"""WebVTT: who is on screen, as subtitles.

A cue lasts as long as the same people are there, so a player shows one line: "Anna, Bob
(body)" while Bob is seen without his face. Cues never overlap; where nobody known is on
screen there is none.

Written by hand: a cue is three lines, and webvtt-py writes them without escaping names. The
tests read the files back with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from screenalytics_core.segment_formats.model import EpisodeSegments

_Cue = tuple[int, int, str]


def write_vtt(episode: EpisodeSegments) -> str:
    """Return the file; times are in ms, as WebVTT has them."""
    blocks = ["WEBVTT", f"NOTE {_escaped(f'{episode.ep_id} {episode.run_id}')}"]
    blocks += [f"{_time(start)} --> {_time(end)}\n{text}" for start, end, text in _cues(episode)]
    return "\n\n".join(blocks) + "\n"


def _cues(episode: EpisodeSegments) -> list[_Cue]:
    """Return the stretches, those in a row with the same people as one."""
    cues: list[_Cue] = []
    for start, end, text in _stretches(episode):
        if cues and cues[-1][1:] == (start, text):
            cues[-1] = (cues[-1][0], end, text)
        else:
            cues.append((start, end, text))
    return cues


def _stretches(episode: EpisodeSegments) -> Iterator[_Cue]:
    """Yield who is there between every two changes."""
    spans = [
        (_ms(segment.start_s), _ms(segment.end_s), rank, segment.source)
        for rank, person in enumerate(episode.people)
        for segment in person.segments
    ]
    spans.sort()
    changes = sorted({ms for start, end, *_ in spans for ms in (start, end)})
    present: list[tuple[int, int, int, str]] = []
    at = 0
    for start, end in pairwise(changes):
        present = [span for span in present if span[1] > start]
        while at < len(spans) and spans[at][0] <= start:
            present += [spans[at]] if spans[at][1] > start else []
            at += 1
        if present:
            yield start, end, _who(episode, {(rank, source) for *_, rank, source in present})


def _who(episode: EpisodeSegments, present: set[tuple[int, str]]) -> str:
    names = []
    for rank in sorted({rank for rank, _ in present}):
        name = _escaped(episode.people[rank].name)
        names.append(name if (rank, "face") in present else f"{name} (body)")
    return ", ".join(names)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _ms(time_s: float) -> int:
    return max(0, round(time_s * 1000))


def _time(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}.{ms:03d}"
