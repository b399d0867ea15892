"""A backfill's record from what was asked for: every episode decided, every run named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import dagster as dg

from screenalytics_assets.backfill_facts import Wanted, survey
from screenalytics_assets.graph import OUTPUTS
from screenalytics_assets.stores import Stores
from screenalytics_assets.whoami import whoami
from screenalytics_core import layout
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.attempts import Clock, utc_now
from screenalytics_core.backfills.choice import Chosen, Skip, Skipped, Which, choose
from screenalytics_core.backfills.facts import EpisodeSeen
from screenalytics_core.backfills.record import (
    BackfillRecord,
    BackfillStore,
    How,
    PlannedEpisode,
    SkippedEpisode,
)
from screenalytics_core.backfills.run_names import check_template, mint_run_id, name_run
from screenalytics_core.episode_registry import list_episodes, recorded_video
from screenalytics_core.episode_selection import expand, gaps
from screenalytics_core.errors import RunExistsError
from screenalytics_core.ledger.events import iso
from screenalytics_core.processes import ProcessIdentity
from screenalytics_core.stages import STAGE_ARTIFACTS, STAGE_PLAN


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for.

    Attributes:
        selection: Episodes, seasons, ranges or files of them.
        template: Of the run ids; None mints one for each episode.
        backfill_id: None mints one.
    """

    selection: tuple[str, ...]
    which: tuple[Which, ...]
    how: How = "processes"
    jobs: int = 1
    template: str | None = None
    backfill_id: str | None = None
    created_by: str | None = None


def plan_backfill(
    instance: dg.DagsterInstance,
    stores: Stores,
    wanted: Wanted,
    request: Request,
    clock: Clock = utc_now,
) -> BackfillRecord:
    """Return the record of a backfill; nothing is written, nothing starts.

    Raises:
        SettingsError: The selection or the template of run ids is wrong.
        InvalidIdError: The template gives what cannot be a run id.
        RunExistsError: A run id of the template is taken by a run that cannot be resumed.
    """
    if request.template is not None:
        check_template(request.template)
    registered = list_episodes(stores.storage)
    ep_ids = expand(request.selection, registered)
    created_at = clock().astimezone(UTC)
    backfill_id = request.backfill_id or BackfillStore(stores.storage).mint(created_at)
    seen = survey(instance, stores, wanted, ep_ids)
    decided = [choose(episode, request.which) for episode in seen]
    naming = _Naming(stores, request.template, backfill_id, created_at)
    return BackfillRecord(
        backfill_id=backfill_id,
        created_at=iso(created_at),
        created_by=request.created_by or whoami(),
        how=request.how,
        selection=request.selection,
        which=tuple(why.value for why in request.which),
        jobs=request.jobs,
        settings=wanted.config.model_dump(mode="json"),
        config_hash=wanted.resolved.binding_hash(),
        pack=wanted.pack.info.name,
        episodes=tuple(_planned(naming, decided, seen)),
        skipped=tuple(
            SkippedEpisode(d.ep_id, d.why.value, d.reason)
            for d in decided
            if isinstance(d, Skipped)
        )
        + tuple(
            SkippedEpisode(gap, Skip.NOT_REGISTERED.value, "no video was added for it")
            for gap in gaps(request.selection, registered)
        ),
        process=asdict(ProcessIdentity.current()) if request.how == "processes" else None,
    )


def plan_and_record(
    instance: dg.DagsterInstance, stores: Stores, wanted: Wanted, request: Request
) -> BackfillRecord:
    """Plan a backfill and write its record, if there is anything to run.

    Of a given id, the first record is what counts.

    One at a time plans over a data root, so that the next one sees what is taken.

    Raises:
        SettingsError, InvalidIdError, RunExistsError: As `plan_backfill`.
    """
    backfills = BackfillStore(stores.storage)
    with stores.storage.lock(f"{layout.BACKFILLS}/plan"):
        if request.backfill_id is not None and backfills.has(request.backfill_id):
            return backfills.get(request.backfill_id)
        record = plan_backfill(instance, stores, wanted, request)
        if record.episodes and not backfills.create(record):
            return backfills.get(record.backfill_id)  # on a file system whose locks do not hold
    return record


@dataclass(frozen=True, slots=True)
class _Naming:
    """How the new runs of a backfill are named."""

    stores: Stores
    template: str | None
    backfill_id: str
    created_at: datetime

    def name(self, chosen: Chosen, seen: EpisodeSeen) -> str:
        """Return the run id of a new run; one that is taken by a fitting unfinished run is that."""
        taken = {run.run_id for run in seen.runs}
        if self.template is None:
            video = recorded_video(self.stores.storage, chosen.ep_id)
            source, sha256 = (video.source, video.sha256) if video else ("", "")
            return mint_run_id(chosen.ep_id, source, sha256, self.created_at, taken)
        return name_run(
            self.template,
            backfill_id=self.backfill_id,
            ep_id=chosen.ep_id,
            created_at=self.created_at,
        )


def _planned(
    naming: _Naming,
    decided: Sequence[Chosen | Skipped],
    seen: Sequence[EpisodeSeen],
) -> list[PlannedEpisode]:
    planned, refused = [], []
    for chosen, episode in zip(decided, seen, strict=True):
        if isinstance(chosen, Skipped):
            continue
        run_id = chosen.resumes or naming.name(chosen, episode)
        held = {run.run_id: run for run in episode.runs}.get(run_id)
        is_resumed = held is not None and held.fits and not held.is_whole
        if held is not None and not is_resumed:
            refused.append(f"{chosen.ep_id}/{run_id}")
        planned.append(
            PlannedEpisode(
                ep_id=chosen.ep_id,
                run_id=run_id,
                why=chosen.why.value,
                reason=chosen.reason,
                is_resumed=is_resumed,
                video_s=chosen.video_s,
                stages=_stages_to_make(chosen, episode),
            )
        )
    if refused:
        more = f" and {len(refused) - 3} more" if len(refused) > 3 else ""
        raise RunExistsError(
            thing=f"runs {', '.join(refused[:3])}{more}",
            reason="exist already, and are finished or bound to other settings",
            way_out="Use another --run-id-template, or leave it out.",
        )
    return planned


def _stages_to_make(chosen: Chosen, seen: EpisodeSeen) -> tuple[str, ...]:
    """Return the stages that a stale episode's run makes anew; empty where that is all of them."""
    if chosen.why is not Which.STALE or chosen.resumes is not None:
        return ()
    outdated = {one.output for one in seen.outdated}
    kinds: set[ArtifactKind] = set()
    # In the order of the graph, so that what follows from what is outdated is known by then.
    for name, output in OUTPUTS.items():
        if name in outdated or kinds.intersection(output.inputs):
            kinds.update(output.kinds)
    return tuple(s.value for s in STAGE_PLAN if kinds.intersection(STAGE_ARTIFACTS[s]))
