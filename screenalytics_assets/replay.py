"""Runs a run again: same settings, video, models and stages, in a new run.

With nothing reused it shows whether the result can be reproduced, byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from screenalytics_assets.binding import Tell, bind_inputs, silent
from screenalytics_assets.engine import Launch, run_episode
from screenalytics_assets.resources import Listener
from screenalytics_assets.results import EpisodeRunResult
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.episode_registry import recorded_video
from screenalytics_core.errors import ModelError, RunExistsError, VideoChangedError, VideoError
from screenalytics_core.ledger.run_facts import RunFacts
from screenalytics_core.ledger.vocabulary import StageStatus
from screenalytics_core.manifest import Manifest, ManifestEntry
from screenalytics_core.run_record import RunKey, RunRecord
from screenalytics_core.stages import STAGE_PLAN, PipelineStage

# Its pages name the run, so no two runs have the same bytes.
_NAMES_ITS_RUN: Final = frozenset({ArtifactKind.REPORT})
_REUSE_SWITCHES: Final = ("reuse_detections", "reuse_embeddings")


class Verdict(StrEnum):
    """How an artifact of the new run compares with the old one's."""

    IDENTICAL = "identical"
    REUSED = "reused"
    """Equal because it was taken over, not computed."""
    DIFFERENT = "different"
    """Other bytes from the same inputs, settings and models."""
    FOLLOWS = "follows"
    """Other bytes, made from an artifact that is different."""
    OTHER_INPUTS = "other_inputs"
    """Made from something else: people's decisions, or another version of the step."""
    DIFFERS_BY_RUN_ID = "differs_by_run_id"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class ArtifactComparison:
    """One artifact of the old run, and what became of it."""

    kind: str
    verdict: Verdict
    old_sha256: str
    new_sha256: str | None


@dataclass(frozen=True, slots=True)
class Replay:
    """A run that was run again.

    Attributes:
        artifacts: Those that both runs should hold, inputs first.
    """

    old: RunKey
    result: EpisodeRunResult
    old_code_ref: str
    new_code_ref: str
    artifacts: tuple[ArtifactComparison, ...]

    @property
    def is_same_code(self) -> bool:
        """Whether the same code made both."""
        return self.old_code_ref == self.new_code_ref

    @property
    def is_reproduced(self) -> bool:
        """False if the same code made other bytes from the same inputs."""
        different = any(a.verdict is Verdict.DIFFERENT for a in self.artifacts)
        return not (different and self.is_same_code)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold: the launch's result, and the comparison."""
        comparison = {
            "of_run": "/".join(self.old),
            "old_code_ref": self.old_code_ref,
            "new_code_ref": self.new_code_ref,
            "same_code": self.is_same_code,
            "reproduced": self.is_reproduced,
            "artifacts": [asdict(a) for a in self.artifacts],
        }
        return {**self.result.to_dict(), "replay": comparison}


def replay_run(
    key: RunKey,
    *,
    fresh: bool = False,
    run_id: str | None = None,
    settings: Settings | None = None,
    listener: Listener | None = None,
    tell: Tell = silent,
) -> Replay:
    """Run a run's stages again in a new run, and compare.

    Args:
        fresh: Compute everything; else equal results are reused.
        run_id: Name of the new run; None mints one.

    Raises:
        RunNotFoundError: There is no such run.
        RunExistsError: `run_id` is taken.
        VideoError, ModelError: Not what the run is bound to; both are named.
    """
    settings = settings or Settings.from_env()
    stores = Stores.open(settings.data_root)
    record = stores.runs.require(*key)
    if run_id is not None and stores.runs.get(key.ep_id, run_id) is not None:
        raise RunExistsError(
            thing=f"run {key.ep_id}/{run_id}",
            reason="is already reserved",
            way_out="A replay is a new run: leave --run-id out to have one minted.",
        )
    config = _config_of(record, fresh, tell)
    _check_video(stores, record)
    _check_models(record, bind_inputs(settings, stores, key.ep_id, config, tell).binding.models)
    facts = stores.ledger.facts(*key)
    launch = Launch(
        run_id=run_id,
        # What the old run inherited was bound by it too.
        upstream_run_id=key.run_id if _inherits(facts.manifest) else None,
        parent_run_id=key.run_id,
        fresh=fresh,
        listener=listener,
        tell=tell,
    )
    stages = stages_of(facts)
    result = run_episode(key.ep_id, None, config, stages=stages, settings=settings, launch=launch)
    replayed = stores.runs.require(key.ep_id, result.run_id)
    made = stores.artifacts.manifest(key.ep_id, result.run_id)
    return Replay(
        key, result, record.code_ref, replayed.code_ref, compare_manifests(facts.manifest, made)
    )


def _config_of(record: RunRecord, fresh: bool, tell: Tell) -> EpisodeRunConfig:
    """Return the run's own settings, whatever today's profiles say."""
    values = dict(record.settings)
    switched = [name for name in _REUSE_SWITCHES if values.get(name)]
    if fresh and switched:
        tell(f"{', '.join(switched)}: off, since everything is computed anew")
        values.update(dict.fromkeys(switched, False))
    return EpisodeRunConfig.from_mapping(values)


def _check_video(stores: Stores, record: RunRecord) -> None:
    bound = record.video.get("sha256")
    video = recorded_video(stores.storage, record.ep_id)
    if video is None:
        raise VideoError(
            thing=f"episode {record.ep_id}",
            reason=f"has no registered video; run {record.run_id} is bound to sha256 {bound}",
            way_out=f"Register it: screenalytics episodes add VIDEO --ep-id {record.ep_id}.",
        )
    if video.sha256 != bound:
        raise VideoChangedError(
            thing=f"run {record.ep_id}/{record.run_id}",
            reason=f"is bound to the video with sha256 {bound}; registered is {video.sha256}",
            way_out="Register the old file again with --replace-video, or start a new run.",
            found_sha256=video.sha256,
            expected_sha256=bound,
        )


def _check_models(record: RunRecord, models: Mapping[str, Any]) -> None:
    bound = record.model_sha256s
    found = {f["role"]: f["sha256"] for f in models.get("files", ())}
    wrong = [
        f"{role} is bound to sha256 {bound.get(role)}, found is {found.get(role)}"
        for role in sorted(bound.keys() | found.keys())
        if bound.get(role) != found.get(role)
    ]
    if wrong:
        raise ModelError(
            thing=f"run {record.ep_id}/{record.run_id}",
            reason=f"was made with other models (pack {record.models.get('pack')}, found "
            f"{models.get('pack')}): {'; '.join(wrong)}",
            way_out="Install the models that the run was made with, or start a new run.",
        )


def stages_of(facts: RunFacts) -> tuple[PipelineStage, ...]:
    """Return the stages that a run had: planned by its log, or made by itself."""
    had = [
        stage
        for stage, known in facts.state.stages.items()
        if known.status is not StageStatus.NOT_STARTED
    ]
    had += [s for s in STAGE_PLAN if any(e.source != "inherited" for e in facts.entries_of(s))]
    return tuple(stage for stage in STAGE_PLAN if stage in had) or STAGE_PLAN


def _inherits(manifest: Manifest) -> bool:
    return any(entry.source == "inherited" for entry in manifest.entries.values())


def compare_manifests(old: Manifest, new: Manifest) -> tuple[ArtifactComparison, ...]:
    """Compare what two runs hold, inputs before what was made from them."""
    verdicts: dict[ArtifactKind, Verdict] = {}
    for kind in old.upstream(old.entries):
        if kind in old.entries:
            verdicts[kind] = _verdict(old.entries[kind], new.entries.get(kind), verdicts)
    return tuple(
        ArtifactComparison(
            kind.value,
            verdict,
            old.entries[kind].made_sha256,
            new.entries[kind].content_sha256 if kind in new.entries else None,
        )
        for kind, verdict in verdicts.items()
    )


def _verdict(
    old: ManifestEntry, new: ManifestEntry | None, known: Mapping[ArtifactKind, Verdict]
) -> Verdict:
    if new is None:
        return Verdict.MISSING
    if new.made_sha256 == old.made_sha256:
        return Verdict.IDENTICAL if new.source == "computed" else Verdict.REUSED
    if old.kind in _NAMES_ITS_RUN:
        return Verdict.DIFFERS_BY_RUN_ID
    if new.fingerprint == old.fingerprint:
        return Verdict.DIFFERENT
    is_led_astray = any(
        known.get(kind) in {Verdict.DIFFERENT, Verdict.FOLLOWS} for kind in old.inputs
    )
    return Verdict.FOLLOWS if is_led_astray else Verdict.OTHER_INPUTS
