"""The people of a season's episodes, read from the artifacts of their runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from screenalytics_assets.stores import Stores
from screenalytics_core.artifact_store import ArtifactRef
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.decisions.anchors import TrackFinder, anchors_of
from screenalytics_core.decisions.records import TrackAnchor, Verb
from screenalytics_core.errors import ArtifactCorruptError
from screenalytics_core.seasons.model import EpisodeInput, EpisodePeople
from screenalytics_core.seasons.people import people_of_episode, seen_at_once

_EMBEDDER = "face_embedder"


@dataclass(frozen=True, slots=True)
class EpisodeReading:
    """One episode's people, and what finds tracks of other runs among theirs.

    Attributes:
        seen: Its people.
        finder: Finds tracks that somebody decided about.
    """

    seen: EpisodePeople
    finder: TrackFinder


def read_people(stores: Stores, episode: EpisodeInput) -> EpisodeReading:
    """Read the people of an episode that has figures.

    Raises:
        ArtifactNotFoundError, ArtifactCorruptError: An artifact is gone, damaged, or another
            one than the season was to be made from.
    """
    run = _Run(stores, episode)
    tracks, reps = run.read(ArtifactKind.TRACKS), run.ref(ArtifactKind.TRACK_REPS)
    identities = run.read(ArtifactKind.IDENTITIES)
    people = people_of_episode(
        episode.ep_id,
        identities,
        run.read(ArtifactKind.CAST),
        reps.read(),
        run.read(ArtifactKind.SCREEN_TIME),
        settled=_settled(stores, episode.ep_id),
    )
    tracks_sha256 = run.tracks_sha256
    return EpisodeReading(
        EpisodePeople(
            ep_id=episode.ep_id,
            run_id=run.run_id,
            embedder_sha256=reps.entry.models.get(_EMBEDDER, ""),
            cluster_thresh=float(identities["cluster_thresh"]),
            tracks_sha256=tracks_sha256,
            people=people,
            apart=seen_at_once(people, tracks),
        ),
        TrackFinder(tracks, run.read(ArtifactKind.SHOTS, "frame_times"), tracks_sha256),
    )


def read_screen_time(stores: Stores, episode: EpisodeInput) -> dict[str, Any]:
    """Return the document of `artifacts.SCREEN_TIME`; raises as `read_people`."""
    document: dict[str, Any] = _Run(stores, episode).read(ArtifactKind.SCREEN_TIME)
    return document


def anchors_in(
    stores: Stores, episode: EpisodeInput, track_ids: Sequence[int]
) -> tuple[TrackAnchor, ...]:
    """Return what names some tracks of an episode's run for ever."""
    run = _Run(stores, episode)
    times_s = run.read(ArtifactKind.SHOTS, "frame_times")
    return anchors_of(track_ids, run.read(ArtifactKind.TRACKS), times_s, run.tracks_sha256)


class _Run:
    """The run that a season takes an episode from."""

    def __init__(self, stores: Stores, episode: EpisodeInput) -> None:
        if episode.run_id is None:
            raise ValueError(f"{episode.ep_id} has no run with figures")
        self.run_id = episode.run_id
        self._stores = stores
        self._episode = episode

    @property
    def tracks_sha256(self) -> str:
        """Content of the tracks' file, as decisions name it."""
        return self.ref(ArtifactKind.TRACKS).files[0].sha256

    def ref(self, kind: ArtifactKind) -> ArtifactRef:
        """Return an artifact, which must be the one that was there when the season began."""
        ref = self._stores.require(self._episode.ep_id, self.run_id, kind)
        if ref.content_sha256 != self._episode.sha256s[str(kind)]:
            raise ArtifactCorruptError(
                thing=f"{kind} of run {self._episode.ep_id}/{self.run_id}",
                reason="was made anew while the season was being made",
                way_out="Make the season again once no episode of it runs.",
            )
        return ref

    def read(self, kind: ArtifactKind, part: str | None = None) -> Any:
        """Return its value."""
        return self.ref(kind).read(part)


def _settled(stores: Stores, ep_id: str) -> frozenset[int]:
    """Return the decisions that say of somebody that they have no name."""
    decisions = stores.decisions.read(ep_id)
    return frozenset(d.sequence for d in decisions if d.verb is Verb.LABEL and d.cast_id is None)
