"""What goes into a session and comes out of it: a step with its inputs, outputs to publish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from screenalytics_assets.measuring import Meter, Usage
from screenalytics_assets.reuse import Reuse
from screenalytics_core.artifact_store import ArtifactRef, PreparedArtifact
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.stages import stage_of
from screenalytics_core.steps.base import Step, StepOutput


@dataclass(slots=True)
class StepWork:
    """A step that is being done: what it is given, and what it has used up so far.

    Attributes:
        outputs: The wanted ones.
        code_ref: The code that this process runs.
        notes: What the step had to say to people of what it made.
        fingerprint: Of the first output that is computed; None while it is not known.
    """

    step: Step
    outputs: tuple[StepOutput, ...]
    inputs: Mapping[ArtifactKind, ArtifactRef]
    code_ref: str
    notes: dict[ArtifactKind, str] = field(default_factory=dict)
    fingerprint: str | None = None
    meter: Meter = field(default_factory=Meter)

    def note(self, kind: ArtifactKind, sentence: str) -> None:
        """Take a sentence for people about an output; a later one stands beside it."""
        self.notes[kind] = "; ".join(filter(None, (self.notes.get(kind), sentence)))

    def usages(self, computing: Sequence[StepOutput], teller: StepOutput) -> dict[str, Usage]:
        """Return by name what each output tells that the step used up; the sum is the whole.

        The teller tells it all, but for what the person models took of a scan whose bodies
        belong to a later stage.

        Args:
            computing: The outputs that were computed.
        """
        whole, told = self.meter.usage(), {}
        for output in computing:
            if stage_of(output.kinds[0]) is not stage_of(teller.kinds[0]):
                told[output.name] = self.meter.person_usage()
                whole = whole.less(told[output.name])
        return {**told, teller.name: whole}

    @property
    def rows_in(self) -> int:
        """Rows of the inputs that an earlier stage made."""
        stage = stage_of(self.outputs[0].kinds[0])
        return rows_of([ref for kind, ref in self.inputs.items() if stage_of(kind) is not stage])


@dataclass(frozen=True, slots=True)
class PendingOutput:
    """An output that is ready to be published.

    Attributes:
        code_ref: The code that made it, or found it made.
        inputs: made_sha256 of each input it was made from.
        prepared: Encoded files of each kind; empty when reused.
        notes: What its step had to say of its artifacts.
        reused: Where the output comes from instead.
        rows_in: Rows that its step read of earlier stages; 0 when told by a sibling.
        usage: What its step used up; nothing when told by a sibling.
    """

    output: StepOutput
    fingerprint: str
    content_sha256: str
    code_ref: str
    inputs: Mapping[ArtifactKind, str]
    prepared: tuple[PreparedArtifact, ...] = ()
    notes: Mapping[ArtifactKind, str] = field(default_factory=dict)
    reused: Reuse | None = None
    rows_in: int = 0
    usage: Usage = field(default_factory=Usage)


def rows_of(refs: list[ArtifactRef]) -> int:
    """Return the rows of the artifacts' primary files, of those that have rows."""
    return sum(ref.files[0].rows or 0 for ref in refs)
