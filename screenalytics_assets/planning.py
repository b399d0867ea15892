"""What a step's outputs depend on, and which earlier results stand for them.

Reads manifests and hashes; the decision itself is the pure table in `reuse`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from screenalytics_assets.binding import Bound
from screenalytics_assets.known_people import KnownPeople
from screenalytics_assets.reuse import (
    NEVER_OTHER,
    Candidates,
    Compute,
    Reuse,
    decide,
    wants_other_settings,
)
from screenalytics_assets.stores import Stores
from screenalytics_core import fingerprints
from screenalytics_core.artifact_search import KnownRuns, find_run
from screenalytics_core.artifact_store import ArtifactRef, EntryFacts
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.manifest import Manifest
from screenalytics_core.redaction import MADE_OF_REDACTED
from screenalytics_core.runs import RunRecord
from screenalytics_core.steps.base import StepOutput
from screenalytics_core.vision.trims import Trims, parse_trims

Inputs = Mapping[ArtifactKind, ArtifactRef]


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans the steps of one run.

    Attributes:
        is_fresh: Nothing that another run computed stands for an output of this one.
        others: The episode's runs, remembered from step to step.
    """

    stores: Stores
    bound: Bound
    record: RunRecord
    known: KnownPeople
    is_fresh: bool = False
    others: KnownRuns | None = None

    def fingerprint(self, output: StepOutput, inputs: Inputs) -> str:
        """Return the fingerprint of an output made from `inputs` when they were whole."""
        return self.fingerprint_of(output, {k: inputs[k].made_sha256 for k in output.inputs})

    def fingerprint_to_compute(self, output: StepOutput, inputs: Inputs) -> str:
        """Return the fingerprint of an output made from `inputs` as they are now.

        Raises:
            ArtifactNotFoundError: Somebody was taken out of one that it must be whole in.
        """
        redacted = [k for k in output.inputs if inputs[k].entry.redacted]
        if not MADE_OF_REDACTED.issuperset(output.kinds):
            for kind in redacted:
                inputs[kind].need_whole()
        made = {k: inputs[k].made_sha256 for k in output.inputs}
        return self.fingerprint_of(output, made, redacted)

    def fingerprint_of(
        self,
        output: StepOutput,
        input_sha256s: Mapping[ArtifactKind, str],
        redacted: Collection[ArtifactKind] = (),
    ) -> str:
        """Return the fingerprint of an output made from inputs of this content.

        Args:
            input_sha256s: Artifact -> made_sha256.
            redacted: Those that somebody had been taken out of: what was made then is not
                taken for what the whole ones would give.
        """
        extra = {}
        if redacted:
            extra["redacted"] = ",".join(sorted(redacted))
        if output.reads_run_record:
            extra["run_record"] = self.record.sha256_without_created_at()
        if output.reads_trims:
            extra["trims"] = json.dumps(self.trims(output), sort_keys=True)
        if output.reads_decisions:
            extra["decisions"] = self.known.decisions_sha256
        if output.reads_gallery:
            extra["gallery"] = self.known.gallery_sha256
        return fingerprints.fingerprint(
            output,
            inputs=input_sha256s,
            settings=self.bound.config.only(output.settings).as_dict(),
            model_sha256s=self._model_sha256s(output),
            video_sha256=self._video_sha256(output),
            extra=extra,
        )

    def trims(self, *outputs: StepOutput) -> Trims:
        """Return the stretches not to count, none if none of the outputs reads them.

        They are those of the episode now, which may have been set after the run was reserved:
        what stands in the run's record is how it began.
        """
        reads = any(output.reads_trims for output in outputs)
        return parse_trims(self.bound.binding.video.get("trims", {}) if reads else {})

    def plan(
        self, outputs: tuple[StepOutput, ...], prints: Mapping[str, str], inputs: Inputs
    ) -> dict[str, Compute | Reuse]:
        """Decide, by name, which of one step's outputs are computed and which are there."""
        config = self.bound.config
        equal = {o.name: self._find_equal(o, prints[o.name]) for o in outputs}
        candidates = Candidates(self.record.run_id, equal)
        if wants_other_settings(outputs, config, candidates):
            candidates = self._with_other(candidates, outputs, prints, inputs)
        return decide(outputs, config, candidates)

    def entry_facts(
        self, output: StepOutput, fingerprint: str, inputs: Mapping[ArtifactKind, str]
    ) -> EntryFacts:
        """Return what the manifest says of a computed output: what it was made from."""
        return EntryFacts(
            fingerprint=fingerprint,
            inputs=dict(inputs),
            settings=self.bound.config.only(output.settings).as_dict(),
            models=self._model_sha256s(output),
            video_sha256=self._video_sha256(output),
            step_version=output.version,
        )

    def _find_equal(self, output: StepOutput, fingerprint: str) -> str | None:
        """Return a run that has an output with this fingerprint, this run first."""
        ep_id, run_id = self.record.ep_id, self.record.run_id
        if not self.is_fresh:
            return self.stores.artifacts.find_reusable(
                ep_id, output.kinds, fingerprint, prefer_run_id=run_id, known=self.others
            )

        def is_own(manifest: Manifest) -> bool:
            entries = [manifest.entries[kind] for kind in output.kinds]
            return all(e.fingerprint == fingerprint and e.source == "computed" for e in entries)

        # What this run took from another one is not its own.
        return find_run(self.stores.storage, (run_id,), ep_id, output.kinds, is_own)

    def _with_other(
        self,
        candidates: Candidates,
        outputs: tuple[StepOutput, ...],
        prints: Mapping[str, str],
        inputs: Inputs,
    ) -> Candidates:
        """Return the candidates with a run that has all outputs, with whatever settings."""
        artifacts = self.stores.artifacts
        kinds = [k for o in outputs for k in o.kinds]
        made_from = {k: inputs[k].made_sha256 for o in outputs for k in o.inputs}
        equal = self.bound.config.only(NEVER_OTHER).as_dict()
        other = artifacts.find_existing(self.record, kinds, inputs=made_from, equal_settings=equal)
        if other is None:
            return candidates
        theirs = artifacts.manifest(self.record.ep_id, other).entries
        equal_there = frozenset(
            o.name for o in outputs if all(theirs[k].fingerprint == prints[o.name] for k in o.kinds)
        )
        return Candidates(candidates.own_run_id, candidates.equal_run_ids, other, equal_there)

    def _model_sha256s(self, output: StepOutput) -> dict[str, str]:
        every = self.bound.pack.info.sha256s()
        return {role: every[role] for role in output.model_roles if role in every}

    def _video_sha256(self, output: StepOutput) -> str | None:
        return self.record.video["sha256"] if output.reads_video else None
