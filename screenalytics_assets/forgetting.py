"""Forgets a cast member everywhere: gallery, runs, seasons, and what Dagster shows of runs.

The audit says what is begun before the first change and what is done after the last, so that
who was killed in between is noticed and finished by the next call.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import dagster as dg

from screenalytics_assets.graph import KINDS_OF_ASSET
from screenalytics_assets.instance import home_errors, open_instance
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core import layout
from screenalytics_core.episodes import EpisodeId
from screenalytics_core.errors import GalleryError, RunBusyError
from screenalytics_core.fingerprints import combine_sha256s
from screenalytics_core.manifest import Manifest
from screenalytics_core.run_record import RunKey
from screenalytics_core.run_tools.forget import Finding, PersonFinder, Whom
from screenalytics_core.run_tools.forget_audit import ForgetAudit
from screenalytics_core.run_tools.forget_unnamed import Unnamed, UnnamedFinder
from screenalytics_core.run_tools.gc_facts import GcFacts
from screenalytics_core.run_tools.lives import Life
from screenalytics_core.run_tools.redact_run import Redaction, redact_run

Tell = Callable[[str], None]


@dataclass(slots=True)
class Forgotten:
    """What was taken out, or would be.

    Attributes:
        forget_id: By which the audit's lines belong together.
        is_begun: A call before this one did not come to its end.
        gallery_files: Files of the cast member's folder.
        runs: Run -> how many face and body tracks show the person there, and how many of the
            face tracks are called so by nothing but decisions that were undone since.
        already_gone: Runs that nothing of the person is left in.
        already_gone_at: When that was last done, ISO 8601 in UTC; None if the audit says nothing.
        not_named: Who may be the person, but has no name, and so stays.
        notes: Why more such people may be there, for people.
        season_files: Files of seasons that showed the person; a roll-up makes them anew.
        seasons: Those seasons.
        dagster_runs: Dagster runs whose pictures are gone from its history.
    """

    show: str
    cast_id: str
    forget_id: str
    is_begun: bool = False
    gallery_files: int = 0
    runs: dict[str, dict[str, int]] = field(default_factory=dict)
    already_gone: list[str] = field(default_factory=list)
    already_gone_at: str | None = None
    not_named: list[Unnamed] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    season_files: list[str] = field(default_factory=list)
    seasons: list[str] = field(default_factory=list)
    dagster_runs: list[str] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to take out."""
        return not (self.gallery_files or self.runs or self.is_begun)

    @property
    def is_unknown(self) -> bool:
        """Whether nobody of that name was found anywhere, or ever was."""
        known = self.already_gone or self.already_gone_at or self.not_named
        return self.is_nothing and not known


def find_person(stores: Stores, whom: Whom) -> tuple[Forgotten, dict[RunKey, Redaction]]:
    """Return what there is of a person, without changing anything."""
    finder = PersonFinder(stores.storage, stores.runs, stores.artifacts, stores.decisions)
    findings = list(finder.find(whom))
    audit = ForgetAudit(stores.storage)
    begun, done = audit.begun(whom), audit.done(whom)
    forget_id = str(begun["forget_id"]) if begun else str(uuid.uuid4())
    found = Forgotten(whom.show, whom.cast_id, forget_id, begun is not None)
    folder = layout.facebank_prefix(whom.show, whom.cast_id)
    found.gallery_files = len(stores.storage.list(folder))
    # After a kill all is done once more: what of a run is in Dagster may be left.
    gone = {f.key for f in findings if begun is None and _is_gone(stores, f)}
    todo = [f for f in findings if f.key not in gone]
    found.runs = {_name(f.key): _counts(f) for f in todo}
    found.already_gone = [_name(f.key) for f in findings if f.key in gone]
    found.already_gone_at = done["at"] if done else None
    _find_unnamed(stores, whom, found, findings, done)
    seasons = {EpisodeId.parse(f.key.ep_id).season_key for f in todo}
    files = {s: stores.seasons.rolled_up_files(s) for s in sorted(s for s in seasons if s)}
    found.season_files = [name for names in files.values() for name in names]
    left = begun["seasons"] if begun else []
    found.seasons = sorted({*left, *(season for season, names in files.items() if names)})
    return found, {f.key: f.redaction for f in todo}


def _is_gone(stores: Stores, finding: Finding) -> bool:
    """Tell whether a run has nothing of the person, and nobody works on it who may find them."""
    if finding.is_left:
        return False
    facts = GcFacts(stores.storage, stores.runs, stores.ledger)
    return facts.summary(finding.key).life is Life.OVER


def _name(key: RunKey) -> str:
    return f"{key.ep_id}/{key.run_id}"


def _counts(finding: Finding) -> dict[str, int]:
    return {
        "tracks": len(finding.redaction.track_ids),
        "body_tracks": len(finding.redaction.body_track_ids),
        "undone_tracks": len(finding.undone_track_ids),
    }


def _find_unnamed(
    stores: Stores,
    whom: Whom,
    found: Forgotten,
    findings: Iterable[Finding],
    done: Mapping[str, Any] | None,
) -> None:
    finder = UnnamedFinder(
        stores.storage, stores.runs, stores.artifacts, stores.decisions, stores.seasons
    )
    taken = {f.key: f.redaction.track_ids for f in findings}
    before = [Unnamed.from_dict(row) for row in done.get("not_named", ())] if done else []
    found.not_named, found.notes = finder.find(whom, taken, before)


def forget_person(settings: Settings, stores: Stores, whom: Whom, tell: Tell) -> Forgotten:
    """Take a person out of everything; begin again after a kill by calling it once more.

    Where nothing of them is left, no file is changed.

    The gallery goes first, so that no run which begins meanwhile is given it. Seasons have no
    figures afterwards until they are rolled up.

    Raises:
        RunBusyError: Somebody works on one of the runs; nothing was changed.
        ArtifactCorruptError: Of a run nobody can say whom it shows; nothing was changed, or
            nothing of that run.
    """
    found, redactions = find_person(stores, whom)
    if found.is_nothing:
        return found
    dagster_runs = _check_idle(stores, redactions)
    audit = ForgetAudit(stores.storage)
    audit.write("begun", whom, asdict(found))
    if found.gallery_files:
        try:
            stores.gallery.forget_member(whom.show, whom.cast_id)
        except GalleryError as error:
            tell(str(error))  # somebody else has just done it
    for key, redaction in redactions.items():
        redact_run(stores.storage, stores.artifacts, stores.runs.require(*key), redaction)
        stores.ledger.render(*key)
        tell(f"{key.ep_id}/{key.run_id}: taken out of {len(redaction.track_ids)} face tracks")
    for season in found.seasons:
        stores.seasons.withdraw(season)
    found.dagster_runs = list(dagster_runs)
    _take_out_of_dagster(settings, stores, redactions, dagster_runs)
    audit.write("done", whom, asdict(found))
    return found


def _check_idle(stores: Stores, keys: Iterable[RunKey]) -> tuple[str, ...]:
    """Return the Dagster runs of the runs, none of which anybody works on."""
    facts = GcFacts(stores.storage, stores.runs, stores.ledger)
    dagster_runs: list[str] = []
    for key in keys:
        summary = facts.summary(key)
        if summary.life is not Life.OVER:
            raise RunBusyError(
                thing=f"run {key.ep_id}/{key.run_id}",
                reason="may be worked on now",
                way_out="Wait for its end, or run `screenalytics runs sync`, then try again.",
                ep_id=key.ep_id,
                run_id=key.run_id,
            )
        dagster_runs += summary.dagster_run_ids
    return tuple(dict.fromkeys(dagster_runs))


def _take_out_of_dagster(
    settings: Settings, stores: Stores, keys: Iterable[RunKey], dagster_runs: Iterable[str]
) -> None:
    """Delete runs whose metadata shows faces, and say again what their episodes hold.

    The event log of each run keeps what happened; Dagster's own copy goes with the pictures.
    """
    with home_errors(settings.dagster_home), open_instance(settings.dagster_home) as instance:
        for dagster_run_id in dagster_runs:
            if instance.has_run(dagster_run_id):
                instance.delete_run(dagster_run_id)
        for ep_id in sorted({key.ep_id for key in keys}):
            run_id = stores.runs.active_run_id(ep_id)
            if run_id is not None:
                _announce(instance, stores.artifacts.manifest(ep_id, run_id))


def _announce(instance: dg.DagsterInstance, manifest: Manifest) -> None:
    for asset, kinds in KINDS_OF_ASSET.items():
        entries = [manifest.entries[kind] for kind in kinds if kind in manifest.entries]
        if len(entries) < len(kinds):
            continue
        version = combine_sha256s([entry.content_sha256 for entry in entries])
        instance.report_runless_asset_event(
            dg.AssetMaterialization(
                asset_key=asset,
                partition=manifest.ep_id,
                description="said again after somebody was forgotten",
                metadata={"run_id": manifest.run_id},
                tags={"dagster/data_version": version},
            )
        )
