"""Faces that a label put into a gallery go again when the label does not hold any more.

Else a label that was taken back would come again as the gallery's, and in other episodes too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from screenalytics_assets.stores import Stores
from screenalytics_core import layout
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.decisions.anchors import TrackFinder
from screenalytics_core.decisions.claims import decided_cast_ids
from screenalytics_core.decisions.records import Verb
from screenalytics_core.decisions.standing import find_all, standing
from screenalytics_core.episodes import EpisodeId, is_path_safe
from screenalytics_core.errors import ArtifactCorruptError, ArtifactNotFoundError
from screenalytics_core.gallery.records import Member


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What went out of a gallery.

    Attributes:
        faces: How many of the member's.
        left: How many the member has still; None = the member went, too.
    """

    cast_id: str
    label: str
    faces: int
    left: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return asdict(self)


def withdraw(stores: Stores, ep_id: str) -> tuple[Withdrawn, ...]:
    """Take out of the show's gallery what labels of an episode put in that hold no more.

    A member who has no face left and whom no decision of any episode names goes with them.

    Raises:
        ArtifactCorruptError: The gallery or decisions are damaged; what is undone is in doubt.
    """
    show = EpisodeId.parse(ep_id).show
    if show is None:
        return ()
    claims = _Claims(stores, ep_id)
    gone = []
    for member in stores.gallery.members(show):
        wrong = claims.not_held(member)
        is_empty = len(wrong) == len(member.prototypes)
        if not wrong and not (is_empty and member.cast_id in claims.were_named):
            continue
        stays = not is_empty or _is_named(stores, show, member.cast_id)
        left = stores.gallery.withdraw(show, member.cast_id, wrong, keeps_empty=stays)
        if wrong or left is None:
            count = None if left is None else len(left.prototypes)
            gone.append(Withdrawn(member.cast_id, member.label, len(wrong), count))
    return tuple(gone)


class _Claims:
    """What the decisions of an episode say of the tracks of its runs."""

    def __init__(self, stores: Stores, ep_id: str) -> None:
        self._stores = stores
        self._ep_id = ep_id
        self._decisions = stores.decisions.read(ep_id)
        self.were_named = {d.cast_id for d in self._decisions}
        self._of_runs: dict[str, Mapping[int, str | None]] = {}

    def not_held(self, member: Member) -> frozenset[str]:
        """Return the member's faces from the episode that nobody says are the member's."""
        return frozenset(
            p.prototype_id
            for p in member.prototypes
            if p.run is not None
            and p.track_id is not None
            and p.run.partition("/")[0] == self._ep_id
            and self._of(p.run.partition("/")[2]).get(p.track_id) != member.cast_id
        )

    def name(self, cast_id: str) -> bool:
        """Tell whether what somebody called the member is called so still."""
        return any(
            self._of(decision.run_id).get(anchor.track_id) == cast_id
            for decision in standing(self._decisions)
            if decision.cast_id == cast_id
            for anchor in decision.tracks
        )

    def _of(self, run_id: str) -> Mapping[int, str | None]:
        if run_id not in self._of_runs:
            try:
                self._of_runs[run_id] = self._seen(run_id)
            except (ArtifactNotFoundError, ArtifactCorruptError):
                # The run is gone: what was decided looking at it names its tracks by number.
                self._of_runs[run_id] = self._numbered(run_id)
        return self._of_runs[run_id]

    def _seen(self, run_id: str) -> Mapping[int, str | None]:
        tracks_ref = self._stores.require(self._ep_id, run_id, ArtifactKind.TRACKS)
        shots = self._stores.require(self._ep_id, run_id, ArtifactKind.SHOTS)
        identities = self._stores.require(self._ep_id, run_id, ArtifactKind.IDENTITIES).read()
        tracks = tracks_ref.read()
        finder = TrackFinder(tracks, shots.read("frame_times"), tracks_ref.files[0].sha256)
        columns = (tracks.column(name).to_pylist() for name in ("track_id", "start_s", "end_s"))
        seconds = {t: end - start for t, start, end in zip(*columns, strict=True)}
        found = find_all(self._decisions, finder.find)
        return decided_cast_ids(identities["identities"], found, seconds)

    def _numbered(self, run_id: str) -> Mapping[int, str | None]:
        return {
            anchor.track_id: decision.cast_id
            for decision in standing(self._decisions)
            if decision.run_id == run_id and decision.verb is Verb.LABEL
            for anchor in decision.tracks
        }


def _is_named(stores: Stores, show: str, cast_id: str) -> bool:
    """Tell whether decisions of any episode of the show name a cast member."""
    names = stores.storage.list_folders(layout.MANIFESTS)
    episodes = (n for n in names if is_path_safe(n) and EpisodeId.parse(n).show == show)
    return any(_Claims(stores, ep_id).name(cast_id) for ep_id in episodes)
