"""Renders an episode: one pass from the takes to a video and its truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from benchmarks.composed.encoding import Encoding, write_video
from benchmarks.composed.mixing import join_shots
from benchmarks.composed.shots import EpisodeShot
from benchmarks.composed.truth import TruthWriter
from screenalytics_core.demo_render import Image


@dataclass(frozen=True, slots=True)
class Episode:
    """Shots in order, and how they are written."""

    name: str
    shots: tuple[EpisodeShot, ...]
    encoding: Encoding

    @property
    def frame_count(self) -> int:
        """How many frames the episode has; joins lay some over each other."""
        own = sum(shot.frame_count for shot in self.shots)
        return own - sum(shot.join.frames for shot in self.shots[1:])

    @property
    def main_people(self) -> frozenset[str]:
        """Whose name and face are certain."""
        return frozenset().union(*(shot.take.main_people() for shot in self.shots))

    @property
    def cut_tolerance(self) -> int:
        """How far a cut may be off: half of the longest transition."""
        return max((shot.join.until_cut for shot in self.shots[1:]), default=0)


@dataclass(frozen=True, slots=True)
class Composed:
    """A rendered episode: `NAME.mp4` and `NAME.truth.json`."""

    video_path: Path
    truth_path: Path

    def truth(self) -> dict[str, Any]:
        """Read the truth."""
        document: dict[str, Any] = json.loads(self.truth_path.read_text(encoding="utf-8"))
        return document


def compose(episode: Episode, folder: Path) -> Composed:
    """Write the episode's video and truth into `folder`, replacing earlier ones.

    The same libraries give the same bytes.

    Raises:
        VideoError: A picture or clip of the material is missing or another one.
        ValueError: A shot is too short for the transitions at its ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = Composed(folder / f"{episode.name}.mp4", folder / f"{episode.name}.truth.json")
    writer = TruthWriter(episode.main_people)
    unfinished = made.video_path.with_suffix(".part.mp4")
    write_video(unfinished, _images(episode, writer), episode.encoding, episode.frame_count)
    unfinished.replace(made.video_path)
    document = truth_document(episode, writer, stated_rate(made.video_path))
    made.truth_path.write_text(json.dumps(document) + "\n", encoding="utf-8")
    return made


def truth_document(episode: Episode, writer: TruthWriter, fps: float) -> dict[str, Any]:
    """Return the truth, with what is known of bodies, and each frame's time if uneven."""
    encoding = episode.encoding
    document = writer.document(f"{episode.name}.mp4", fps, encoding.size_px, episode.cut_tolerance)
    if not all(shot.take.is_exact for shot in episode.shots):
        # Nobody labelled the bodies of the clips' people.
        del document["present"]
    times_s = encoding.times_s(writer.frame_count)
    if encoding.uneven_seed is not None:
        document["frame_times_s"] = [round(t, 6) for t in times_s[:-1]]
        document["duration_s"] = round(times_s[-1], 6)
    return document


def stated_rate(video: Path) -> float:
    """Return the frames per second that the file states, which a truth is checked by.

    Of uneven frames it is a mean over the order in which they are coded, and so a little
    other than frames by seconds.
    """
    with av.open(str(video)) as container:
        return round(float(container.streams.video[0].average_rate or 0), 6)


def _images(episode: Episode, writer: TruthWriter) -> Iterator[Image]:
    for shown in join_shots(episode.shots, episode.encoding.size_px):
        writer.add(shown)
        yield shown.image
