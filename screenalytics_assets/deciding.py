"""A decision about who is who: recorded, and carried out by a run from `cast` to `report`.

Such a run takes everything else over from the run that was looked at, so that it is done in
seconds and opens no model. What is recorded holds for every later run, whatever becomes of
this one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from screenalytics_assets.results import EpisodeRunResult
from screenalytics_assets.settings import Settings
from screenalytics_assets.settings_as_before import config_of
from screenalytics_assets.stores import Stores
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.attempts import utc_now
from screenalytics_core.decisions.anchors import anchors_of
from screenalytics_core.decisions.records import Decision, Verb
from screenalytics_core.decisions.roster import Roster
from screenalytics_core.decisions.standing import holding, standing
from screenalytics_core.episodes import EpisodeId
from screenalytics_core.errors import DecisionError
from screenalytics_core.gallery.enrolment import drafts_of
from screenalytics_core.gallery.names import cast_id_of, folded
from screenalytics_core.ledger.events import iso
from screenalytics_core.stages import PipelineStage

if TYPE_CHECKING:
    from screenalytics_assets.binding import Tell
    from screenalytics_assets.resources import Listener

# Bodies are tied to identities, not to names, so that this stage only takes over.
STAGES: Final = (
    PipelineStage.CLUSTER,
    PipelineStage.TRACK_FUSION,
    PipelineStage.SCREEN_TIME,
    PipelineStage.PDF_EXPORT,
)


@dataclass(frozen=True, slots=True)
class Member:
    """A cast member as a decision names them.

    Attributes:
        is_known: The gallery, or a decision of the episode, named them before.
        has_faces: The gallery has faces of them.
    """

    cast_id: str
    label: str
    is_known: bool
    has_faces: bool


class LookedAt:
    """A run whose people somebody decides about, and what had been decided then."""

    def __init__(self, stores: Stores, ep_id: str, run_id: str) -> None:
        """Read who is who; raises ArtifactNotFoundError where the run has no `cast`."""
        self.stores = stores
        self.ep_id = ep_id
        self.run_id = run_id
        self._decisions = stores.decisions.read(ep_id)
        self._tracks_ref = stores.require(ep_id, run_id, ArtifactKind.TRACKS)
        self._tracks = self._tracks_ref.read()
        names = ("track_id", "start_s", "end_s")
        columns = (self._tracks.column(name).to_pylist() for name in names)
        spans_s = {t: (start, end) for t, start, end in zip(*columns, strict=True)}
        self.identities = stores.require(ep_id, run_id, ArtifactKind.IDENTITIES).read()
        self.cast = stores.require(ep_id, run_id, ArtifactKind.CAST).read()
        self.roster = Roster(self.identities, self.cast, spans_s)

    @property
    def show(self) -> str | None:
        """The show whose gallery the episode is of."""
        return EpisodeId.parse(self.ep_id).show

    def decision(
        self, verb: Verb, tracks: Iterable[int] = (), others: Iterable[int] = (), **more: Any
    ) -> Decision:
        """Return a decision about tracks of this run, not recorded yet.

        Args:
            more: `by`, and the other fields of `Decision`.
        """
        times_s = self.stores.require(self.ep_id, self.run_id, ArtifactKind.SHOTS).read(
            "frame_times"
        )
        sha256 = self._tracks_ref.files[0].sha256
        return Decision(
            sequence=0,
            at=iso(utc_now()),
            run_id=self.run_id,
            verb=verb,
            tracks=anchors_of(tracks, self._tracks, times_s, sha256),
            others=anchors_of(others, self._tracks, times_s, sha256),
            **more,
        )

    def member(self, text: str) -> Member:
        """Return the cast member that a slug or a display name means, or who is new.

        Raises:
            InvalidIdError: The name cannot be one.
        """
        known = {cast_id: d.label or cast_id for d in self._decisions if (cast_id := d.cast_id)}
        in_gallery = self.stores.gallery.members(self.show) if self.show else ()
        known |= {m.cast_id: m.label for m in in_gallery}
        with_faces = {m.cast_id for m in in_gallery if m.prototypes}
        for cast_id, label in known.items():
            if text == cast_id or folded(text) == folded(label):
                return Member(cast_id, label, True, cast_id in with_faces)
        return Member(free_cast_id(text, known), text.strip(), False, False)

    def enrol(self, member: Member, tracks: Iterable[int], by: str, settings: Settings) -> int:
        """Offer the good faces of tracks to the show's gallery; return how many it took.

        Nothing is installed for it: that takes minutes, and whoever names somebody waits.

        Raises:
            GalleryError: Somebody else has the cast_id by now.
            ModelError: The run's pack cannot be used. ModelInstallError if it is not there.
        """
        # Models are imported for this alone.
        from screenalytics_assets.binding import silent
        from screenalytics_assets.casting import open_pack

        if self.show is None:
            return 0
        record = self.stores.runs.require(self.ep_id, self.run_id)
        pack = open_pack(settings, str(record.settings["models"]), silent, install_missing=False)

        def read(kind: ArtifactKind, part: str | None = None) -> Any:
            return self.stores.require(self.ep_id, self.run_id, kind).read(part)

        with read(ArtifactKind.FACES, "crops") as crops:
            drafts = drafts_of(
                read(ArtifactKind.FACES),
                read(ArtifactKind.FACES_EMBEDDINGS),
                read(ArtifactKind.TRACK_REPS),
                crops,
                sorted(tracks),
                run=f"{self.ep_id}/{self.run_id}",
            )
        at = iso(utc_now())
        offers = self.stores.gallery.enrol(
            self.show, member.cast_id, member.label, drafts, pack, by=by, at=at
        )
        return sum(offer.is_new for offer in offers)

    def record(self, decision: Decision) -> Decision | None:
        """Append a decision to the episode's; None if somebody else has decided meanwhile.

        Then who a name means, and what can be undone, may be otherwise: look again.

        Raises:
            ArtifactCorruptError: The decisions are damaged; nothing is added.
        """
        return self.stores.decisions.append_after(self.ep_id, decision, len(self._decisions))

    def to_undo(self, sequence: int | None) -> Decision:
        """Return the decision that is meant: by its sequence, else the last one that holds.

        Raises:
            DecisionError: There is none, or it was undone already.
        """
        decisions = self._decisions
        about_people = {d.sequence: d for d in standing(decisions)}
        if sequence is None and about_people:
            return about_people[max(about_people)]
        hold = {d.sequence: d for d in holding(decisions)}
        if sequence in hold:
            return hold[sequence]
        nearest = min(hold, key=lambda s: (abs(s - (sequence or 0)), s), default=None)
        exists = sequence in {d.sequence for d in decisions}
        near = "Nothing is decided" if nearest is None else f"The nearest that holds is {nearest}"
        raise DecisionError(
            thing=f"decision {sequence}" if sequence is not None else "last decision",
            reason=f"of {self.ep_id} " + ("was undone already" if exists else "does not exist"),
            way_out=f"{near}: screenalytics identities list {self.ep_id} --decisions.",
            over_http=f"{near}: GET /episodes/{self.ep_id}/decisions.",
        )


def free_cast_id(name: str, taken: Iterable[str]) -> str:
    """Return the slug of a new name; one that is somebody else's gets -2, -3, ... behind it.

    Raises:
        InvalidIdError: The name cannot be one.
    """
    slug, known = cast_id_of(name), set(taken)
    candidates = (slug, *(f"{slug}-{n}" for n in range(2, len(known) + 3)))
    return next(candidate for candidate in candidates if candidate not in known)


def carry_out(
    looked_at: LookedAt, settings: Settings, *, listener: Listener | None, tell: Tell
) -> EpisodeRunResult:
    """Run `cast` to `report` in a new run, with all else taken over from the one looked at.

    Raises:
        ScreenalyticsError: The run cannot start; the decision stands all the same.
    """
    # Dagster is imported for a run alone: recording a decision needs none of it.
    from screenalytics_assets.engine import Launch, run_episode

    record = looked_at.stores.runs.require(looked_at.ep_id, looked_at.run_id)
    return run_episode(
        looked_at.ep_id,
        None,
        config_of(record),
        stages=STAGES,
        settings=settings,
        launch=Launch(upstream_run_id=looked_at.run_id, listener=listener, tell=tell),
    )
