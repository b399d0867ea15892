"""One attempt of one run, from its first step to its end.

A session binds and claims the run, finds each step's inputs, decides on reuse, runs the
step and holds what it returned until the IO manager publishes it. It knows no Dagster:
the asset shell hands it names and gets artifacts back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from screenalytics_assets.binding import Bound
from screenalytics_assets.counted import Devices
from screenalytics_assets.known_people import KnownPeople
from screenalytics_assets.measuring import Usage
from screenalytics_assets.media import LoosePictures
from screenalytics_assets.planning import Planner
from screenalytics_assets.reuse import Compute, Reuse
from screenalytics_assets.stores import Stores
from screenalytics_assets.work import PendingOutput, StepWork
from screenalytics_core.artifact_search import KnownRuns
from screenalytics_core.artifact_store import ArtifactRef, PreparedArtifact
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.attempts import AttemptRecord
from screenalytics_core.episode_registry import fetch_video
from screenalytics_core.fingerprints import combine_sha256s
from screenalytics_core.input_resolution import resolve_input
from screenalytics_core.runs import RunRecord
from screenalytics_core.steps.base import ArtifactData, Progress, Step, StepInput, StepOutput
from screenalytics_core.vision.decode import open_video


class RunSession:
    """The run's record, its attempt, and the way its steps read and write."""

    def __init__(
        self,
        stores: Stores,
        bound: Bound,
        record: RunRecord,
        attempt: AttemptRecord,
        upstream_run_id: str | None,
        *,
        is_fresh: bool = False,
    ) -> None:
        self.stores = stores
        self.record = record
        self.attempt = attempt
        self._bound = bound
        self._upstream_run_id = upstream_run_id
        self._known = KnownPeople(stores, record.ep_id, bound.pack)
        others = KnownRuns(stores.storage, stores.runs, record.ep_id, record.run_id)
        self._planner = Planner(stores, bound, record, self._known, is_fresh, others)
        self._staged: list[PreparedArtifact] = []

    @property
    def ep_id(self) -> str:
        """The episode."""
        return self.record.ep_id

    @property
    def run_id(self) -> str:
        """The run."""
        return self.record.run_id

    @property
    def code_ref(self) -> str:
        """The code that this process runs, which need not be the code that began the run."""
        return self._bound.binding.code_ref

    def input(self, kind: ArtifactKind, latest: Callable[[], str | None]) -> ArtifactRef:
        """Return an input as this run's own artifact, inheriting it from another run if needed.

        Args:
            latest: Gives the run of its latest materialization, if the host knows one; asked
                only if this run does not have it.

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
            materialized_run_id=latest(),
        )
        if source.run_id is None:
            return source
        config, is_named = self._bound.config, self._upstream_run_id is not None
        artifacts.inherit_upstream(
            self.ep_id,
            self.run_id,
            self.attempt.n,
            source.run_id,
            kind,
            allow_other_settings=is_named or config.reuse_detections or config.reuse_embeddings,
            allow_redacted=is_named,
        )
        return self._own(kind)

    def begin(
        self,
        step: Step,
        outputs: tuple[StepOutput, ...],
        inputs: Mapping[ArtifactKind, ArtifactRef],
    ) -> StepWork:
        """Return the work of making `outputs` of `step` from `inputs`."""
        return StepWork(step, outputs, inputs, self.code_ref)

    def produce(self, work: StepWork, progress: Progress) -> list[PendingOutput]:
        """Reuse or compute the outputs of `work`, in their order; measures it meanwhile.

        Raises:
            AttemptSupersededError: A newer attempt owns the run.
            ArtifactNotFoundError: Somebody was taken out of an input that it must be whole in.
        """
        # Publishing checks it again under the lock: this only saves an orphan the work, and
        # ends it although all that it would make is already there.
        self.stores.attempts.check_newest(self.ep_id, self.run_id, self.attempt.n)
        with work.meter:
            prints = {o.name: self._planner.fingerprint(o, work.inputs) for o in work.outputs}
            work.fingerprint = prints[work.outputs[0].name]
            plans = self._planner.plan(work.outputs, prints, work.inputs)
            computing = tuple(o for o in work.outputs if isinstance(plans[o.name], Compute))
            for o in computing:
                prints[o.name] = self._planner.fingerprint_to_compute(o, work.inputs)
            # One function makes them all, so what it used up is told by one of them.
            teller = (computing or work.outputs)[0]
            work.fingerprint = prints[teller.name]
            prepared = self._compute(work, computing, progress) if computing else {}
            pending = [
                self._pending(work, o, prints[o.name], plans[o.name], prepared)
                for o in work.outputs
            ]
        usages = work.usages(computing, teller)
        return [
            replace(
                p,
                rows_in=work.rows_in if p.output is teller else 0,
                usage=usages.get(p.output.name, Usage()),
            )
            for p in pending
        ]

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
                because=pending.reused.because,
                is_verified=True,
            )
        made_from = self._planner.entry_facts(pending.output, pending.fingerprint, pending.inputs)
        for prepared in pending.prepared:
            used = pending.usage if prepared.kind is kinds[0] else Usage()
            noted = replace(
                made_from, note=pending.notes.get(prepared.kind), used=used.rounded_seconds()
            )
            artifacts.publish(prepared, self.attempt.n, noted)
        if ArtifactKind.SCREEN_TIME in kinds:
            self.stores.runs.activate(self.ep_id, self.run_id)
        return [self._own(kind) for kind in kinds]

    def _own(self, kind: ArtifactKind) -> ArtifactRef:
        return self.stores.require(self.ep_id, self.run_id, kind)

    def _pending(
        self,
        work: StepWork,
        output: StepOutput,
        fingerprint: str,
        plan: Compute | Reuse,
        prepared: Mapping[ArtifactKind, PreparedArtifact],
    ) -> PendingOutput:
        reused = plan if isinstance(plan, Reuse) else None
        own = () if reused else tuple(prepared[k] for k in output.kinds)
        return PendingOutput(
            output=output,
            fingerprint=fingerprint,
            content_sha256=self._content_sha256(output, own, reused),
            code_ref=work.code_ref,
            inputs={k: work.inputs[k].made_sha256 for k in output.inputs},
            prepared=own,
            notes=dict(work.notes),
            reused=reused,
        )

    def _compute(
        self, work: StepWork, outputs: tuple[StepOutput, ...], progress: Progress
    ) -> dict[ArtifactKind, PreparedArtifact]:
        step, meter = work.step, work.meter
        kinds = frozenset(k for o in outputs for k in o.kinds)
        reads_video = any(o.reads_video for o in outputs)
        step_input = StepInput(
            ep_id=self.ep_id,
            run_id=self.run_id,
            settings=self._bound.config.only(step.settings),
            artifacts=work.inputs,
            wanted=kinds,
            models=meter.pack(self._bound.pack, self._devices()),
            video=meter.video(open_video(self._video())) if reads_video else None,
            progress=progress,
            trims=self._planner.trims(*outputs),
            note=work.note,
            media=LoosePictures(self.stores.storage, self.ep_id, self.run_id),
            run_record=self.record.without_created_at(),
            decisions=self._known.decisions if any(o.reads_decisions for o in outputs) else (),
            gallery=self._known.gallery if any(o.reads_gallery for o in outputs) else None,
        )
        with meter.computing():
            results = step.run(step_input)
        return self._prepare({kind: results[kind] for kind in results if kind in kinds})

    def _video(self) -> Path:
        """Return the file to decode; the one that the run is bound to."""
        return fetch_video(self.stores.storage, self.ep_id, self.record.video["sha256"])

    def _devices(self) -> Devices:
        config = self._bound.config
        return Devices(config.device, config.embed_device or config.device)

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
