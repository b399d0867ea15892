"""One attempt of one run, from its first step to its end.

A session binds and claims the run, finds each step's inputs, decides on reuse, runs the
step and holds what it returned until the IO manager publishes it. It knows no Dagster:
the asset shell hands it names and gets artifacts back.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from screenalytics_assets.binding import Bound, Stores
from screenalytics_assets.media import LoosePictures
from screenalytics_assets.reuse import Candidates, Compute, Reuse, decide, wants_other_settings
from screenalytics_core.artifact_store import ArtifactRef, EntryFacts, PreparedArtifact
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.attempts import AttemptRecord
from screenalytics_core.episode_registry import episode_video_path
from screenalytics_core.fingerprints import combine_sha256s, fingerprint
from screenalytics_core.input_resolution import resolve_input
from screenalytics_core.runs import RunRecord
from screenalytics_core.steps.base import ArtifactData, Progress, Step, StepInput, StepOutput
from screenalytics_core.vision.decode import open_video


@dataclass(frozen=True, slots=True)
class PendingOutput:
    """An output that is ready to be published.

    Attributes:
        inputs: Content sha256 of each input it was made from.
        prepared: Encoded files of each kind; empty when reused.
        reused: Where the output comes from instead.
        compute_s: Seconds that the step took; 0 when reused, or told by a sibling.
    """

    output: StepOutput
    fingerprint: str
    content_sha256: str
    inputs: Mapping[ArtifactKind, str]
    prepared: tuple[PreparedArtifact, ...] = ()
    reused: Reuse | None = None
    compute_s: float = 0.0


class RunSession:
    """The run's record, its attempt, and the way its steps read and write."""

    def __init__(
        self,
        stores: Stores,
        bound: Bound,
        record: RunRecord,
        attempt: AttemptRecord,
        upstream_run_id: str | None,
    ) -> None:
        self.stores = stores
        self.record = record
        self.attempt = attempt
        self._bound = bound
        self._upstream_run_id = upstream_run_id
        self._staged: list[PreparedArtifact] = []

    @property
    def ep_id(self) -> str:
        """The episode."""
        return self.record.ep_id

    @property
    def run_id(self) -> str:
        """The run."""
        return self.record.run_id

    def input(self, kind: ArtifactKind, materialized_run_id: str | None) -> ArtifactRef:
        """Return an input as this run's own artifact, inheriting it from another run if needed.

        Args:
            materialized_run_id: The run of its latest materialization, if the host knows one.

        Raises:
            ArtifactNotFoundError: No run has it.
            InputConflictError: Taking it would mix versions or settings in this run.
        """
        artifacts = self.stores.artifacts
        own = artifacts.ref(self.ep_id, self.run_id, kind)
        if own is not None:
            return own
        source = resolve_input(
            artifacts,
            self.ep_id,
            self.run_id,
            kind,
            upstream_run_id=self._upstream_run_id,
            materialized_run_id=materialized_run_id,
        )
        if source.run_id is None:
            return source
        config = self._bound.config
        artifacts.inherit_upstream(
            self.ep_id,
            self.run_id,
            self.attempt.n,
            source.run_id,
            kind,
            allow_other_settings=self._upstream_run_id is not None
            or config.reuse_detections
            or config.reuse_embeddings,
        )
        return self._own(kind)

    def produce(
        self,
        step: Step,
        outputs: tuple[StepOutput, ...],
        inputs: Mapping[ArtifactKind, ArtifactRef],
        progress: Progress,
    ) -> list[PendingOutput]:
        """Reuse or compute `outputs` of `step`, in their order."""
        prints = {o.name: self._fingerprint(o, inputs) for o in outputs}
        plans = self._plan(outputs, prints, inputs)
        computing = tuple(o for o in outputs if isinstance(plans[o.name], Compute))
        prepared, compute_s = self._compute(step, computing, inputs, progress)
        pending = []
        for output in outputs:
            plan = plans[output.name]
            own = tuple(prepared[k] for k in output.kinds) if isinstance(plan, Compute) else ()
            reused = plan if isinstance(plan, Reuse) else None
            pending.append(
                PendingOutput(
                    output=output,
                    fingerprint=prints[output.name],
                    content_sha256=self._content_sha256(output, own, reused),
                    inputs={k: inputs[k].content_sha256 for k in output.inputs},
                    prepared=own,
                    reused=reused,
                    # One function made them all: its time is told once.
                    compute_s=compute_s if output in computing[:1] else 0.0,
                )
            )
        return pending

    def publish(self, pending: PendingOutput) -> list[ArtifactRef]:
        """Publish an output; return its artifacts as they now stand in this run."""
        try:
            return self._publish(pending)
        except BaseException:
            self._discard_staged()
            raise

    def _publish(self, pending: PendingOutput) -> list[ArtifactRef]:
        artifacts = self.stores.artifacts
        kinds = pending.output.kinds
        if pending.reused is not None and pending.reused.run_id != self.run_id:
            artifacts.adopt(
                self.ep_id,
                self.run_id,
                self.attempt.n,
                pending.reused.run_id,
                kinds,
                source="checkpoint",
                note=pending.reused.note,
                is_verified=True,
            )
        for prepared in pending.prepared:
            artifacts.publish(prepared, self.attempt.n, self._facts(pending))
        if ArtifactKind.SCREEN_TIME in kinds:
            self.stores.runs.activate(self.ep_id, self.run_id)
        return [self._own(kind) for kind in kinds]

    def _own(self, kind: ArtifactKind) -> ArtifactRef:
        return self.stores.require(self.ep_id, self.run_id, kind)

    def _plan(
        self,
        outputs: tuple[StepOutput, ...],
        prints: Mapping[str, str],
        inputs: Mapping[ArtifactKind, ArtifactRef],
    ) -> dict[str, Compute | Reuse]:
        artifacts, config = self.stores.artifacts, self._bound.config
        equal = {
            o.name: artifacts.find_reusable(
                self.ep_id, o.kinds, prints[o.name], prefer_run_id=self.run_id
            )
            for o in outputs
        }
        candidates = Candidates(self.run_id, equal)
        if wants_other_settings(outputs, config, candidates):
            kinds = [k for o in outputs for k in o.kinds]
            made_from = {k: inputs[k].content_sha256 for o in outputs for k in o.inputs}
            other = artifacts.find_existing(self.record, kinds, inputs=made_from)
            if other is not None:
                theirs = artifacts.manifest(self.ep_id, other).entries
                equal_there = frozenset(
                    o.name
                    for o in outputs
                    if all(theirs[k].fingerprint == prints[o.name] for k in o.kinds)
                )
                candidates = Candidates(self.run_id, equal, other, equal_there)
        return decide(outputs, config, candidates)

    def _fingerprint(self, output: StepOutput, inputs: Mapping[ArtifactKind, ArtifactRef]) -> str:
        extra = {}
        if output.reads_run_record:
            extra["run_record"] = self.record.sha256_without_created_at()
        return fingerprint(
            output,
            inputs={k: inputs[k].content_sha256 for k in output.inputs},
            settings=self._bound.config.only(output.settings).as_dict(),
            model_sha256s=self._model_sha256s(output),
            video_sha256=self._video_sha256(output),
            extra=extra,
        )

    def _compute(
        self,
        step: Step,
        outputs: tuple[StepOutput, ...],
        inputs: Mapping[ArtifactKind, ArtifactRef],
        progress: Progress,
    ) -> tuple[dict[ArtifactKind, PreparedArtifact], float]:
        if not outputs:
            return {}, 0.0
        kinds = frozenset(k for o in outputs for k in o.kinds)
        config = self._bound.config
        reads_video = any(o.reads_video for o in outputs)
        video_path = episode_video_path(self.stores.storage, self.ep_id)
        step_input = StepInput(
            ep_id=self.ep_id,
            run_id=self.run_id,
            settings=config.only(step.settings),
            artifacts=dict(inputs),
            wanted=kinds,
            models=self._bound.pack,
            video=open_video(video_path) if reads_video else None,
            progress=progress,
            media=LoosePictures(self.stores.storage, self.ep_id, self.run_id),
            run_record=self.record.without_created_at(),
        )
        started_s = time.perf_counter()
        results = step.run(step_input)
        compute_s = time.perf_counter() - started_s
        wanted = {kind: results[kind] for kind in results if kind in kinds}
        return self._prepare(wanted), compute_s

    def _prepare(
        self, results: Mapping[ArtifactKind, ArtifactData]
    ) -> dict[ArtifactKind, PreparedArtifact]:
        self._staged = []
        try:
            for kind, data in results.items():
                prepared = self.stores.artifacts.prepare(self.ep_id, self.run_id, kind, data)
                self._staged.append(prepared)
        except BaseException:
            self._discard_staged()
            raise
        return {prepared.kind: prepared for prepared in self._staged}

    def _discard_staged(self) -> None:
        """Drop what the step wrote and nobody published, its other outputs' files too."""
        for prepared in self._staged:
            self.stores.artifacts.discard(prepared)

    def _content_sha256(
        self, output: StepOutput, prepared: tuple[PreparedArtifact, ...], reused: Reuse | None
    ) -> str:
        if reused is None:
            return combine_sha256s([p.content_sha256 for p in prepared])
        manifest = self.stores.artifacts.manifest(self.ep_id, reused.run_id)
        return combine_sha256s([manifest.entries[k].content_sha256 for k in output.kinds])

    def _facts(self, pending: PendingOutput) -> EntryFacts:
        output = pending.output
        return EntryFacts(
            fingerprint=pending.fingerprint,
            inputs=dict(pending.inputs),
            settings=self._bound.config.only(output.settings).as_dict(),
            models=self._model_sha256s(output),
            video_sha256=self._video_sha256(output),
            step_version=output.version,
        )

    def _model_sha256s(self, output: StepOutput) -> dict[str, str]:
        every = self._bound.pack.info.sha256s()
        return {role: every[role] for role in output.model_roles if role in every}

    def _video_sha256(self, output: StepOutput) -> str | None:
        return self.record.video["sha256"] if output.reads_video else None
