"""What a step is: a pure function from artifacts, settings, models and frames to rows.

A `Step` is one node of the graph (one asset, or one multi-asset). It knows no path, no
Dagster and no clock; the shell hands it everything and publishes what it returns. Each
`StepOutput` declares what it depends on, and that declaration is its fingerprint: a step
that reads a setting it did not declare fails at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.config import SettingsView
from screenalytics_core.decisions.records import Decision
from screenalytics_core.errors import ScreenalyticsError
from screenalytics_core.gallery.model import Gallery
from screenalytics_core.vision.models.protocols import ModelPack
from screenalytics_core.vision.video import VideoSource

ArtifactData = Mapping[str, Any]
"""part -> value; see `artifacts.Codec` for the value's type."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A published file: path relative to the run folder, sha256, size and row count."""

    path: str
    sha256: str
    size_bytes: int
    rows: int | None


class ArtifactInput(Protocol):
    """An upstream artifact, read when asked for."""

    @property
    def kind(self) -> ArtifactKind:
        """Which artifact it is."""
        ...

    @property
    def files(self) -> tuple[FileFacts, ...]:
        """Facts of its files, in the spec's order."""
        ...

    def read(self, part: str | None = None) -> Any:
        """Return the value of `part` (default: the primary file), its hash checked."""
        ...


class MediaSink(Protocol):
    """Takes loose pictures for people, outside the run's artifacts."""

    def save(self, kind: ArtifactKind, name: str, jpeg: bytes) -> None:
        """Save a JPEG under the folder of `kind` (frames_root, crops_dir or thumbs_dir)."""
        ...


Progress = Callable[[int, int, str], None]
"""(done, total, message); cheap to call often, throttled by the receiver."""


Note = Callable[[ArtifactKind, str], None]
"""(output, sentence for people): why an output is not what one would expect."""


def no_note(kind: ArtifactKind, sentence: str) -> None:
    """Ignore a note."""


def no_progress(done: int, total: int, message: str) -> None:
    """Ignore progress."""


class StepNeedsError(ScreenalyticsError):
    """A step was run without something that it declares; fields: step, need."""

    code = "step_needs"

    def describe(self) -> str:
        return f"step {self.fields['step']}: ran without its {self.fields['need']}"


@dataclass(frozen=True, slots=True)
class StepInput:
    """Everything that a step may look at.

    Attributes:
        settings: Only the fields that the step's outputs declare, thresholds resolved.
        artifacts: The step's declared inputs.
        wanted: The outputs to compute; a multi-output step may skip the others.
        trims: Stretches not to count, name -> [start_s, end_s] or null (`reads_trims` only).
        note: Takes a sentence that then stands at an output in manifest, status and UI.
        run_record: run.json without `created_at` (report only).
        decisions: What people decided about the episode, oldest first (`reads_decisions` only).
        gallery: The show's cast; None where the show is not known (`reads_gallery` only).
    """

    ep_id: str
    run_id: str
    settings: SettingsView
    artifacts: Mapping[ArtifactKind, ArtifactInput] = field(default_factory=dict)
    wanted: frozenset[ArtifactKind] = frozenset()
    models: ModelPack | None = None
    video: VideoSource | None = None
    progress: Progress = no_progress
    media: MediaSink | None = None
    trims: Mapping[str, Any] = field(default_factory=dict)
    note: Note = no_note
    run_record: Mapping[str, Any] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()
    gallery: Gallery | None = None

    def read(self, kind: ArtifactKind, part: str | None = None) -> Any:
        """Return an input's value."""
        return self.artifacts[kind].read(part)

    def need_models(self) -> ModelPack:
        """Return the models; StepNeedsError if the shell gave none."""
        if self.models is None:
            raise StepNeedsError(step=self.run_id, need="models")
        return self.models

    def need_video(self) -> VideoSource:
        """Return the video; StepNeedsError if the shell gave none."""
        if self.video is None:
            raise StepNeedsError(step=self.run_id, need="video")
        return self.video


@dataclass(frozen=True, slots=True)
class StepOutput:
    """One output of a step: the artifacts that are always made together, and what makes them.

    Attributes:
        name: Asset key.
        inputs: Artifacts whose content enters the fingerprint.
        settings: Fields of EpisodeRunConfig that it reads.
        model_roles: Models whose hashes enter the fingerprint.
        reads_video: The video's sha256 enters the fingerprint.
        reads_trims: The stretches of the video that are not to be counted enter it.
        reads_run_record: run.json without created_at enters the fingerprint.
        reads_decisions: What people decided about the episode enters it.
        reads_gallery: The show's cast enters it.
        launch_settings: Fields of EpisodeRunConfig that it reads although no byte depends
            on them (how many workers, loose pictures); they stay out of the fingerprint.
        version: Raised whenever the same inputs would give other bytes.
    """

    name: str
    kinds: tuple[ArtifactKind, ...]
    version: str
    inputs: tuple[ArtifactKind, ...] = ()
    settings: tuple[str, ...] = ()
    model_roles: tuple[str, ...] = ()
    reads_video: bool = False
    reads_trims: bool = False
    reads_run_record: bool = False
    reads_decisions: bool = False
    reads_gallery: bool = False
    launch_settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A node of the graph: its outputs and the function that makes them."""

    name: str
    outputs: tuple[StepOutput, ...]
    run: Callable[[StepInput], Mapping[ArtifactKind, ArtifactData]]
    description: str

    @property
    def settings(self) -> tuple[str, ...]:
        """All settings that any output reads: what the shell hands over."""
        return tuple(sorted({s for o in self.outputs for s in o.settings + o.launch_settings}))

    @property
    def inputs(self) -> tuple[ArtifactKind, ...]:
        """All artifacts that any output reads, not counting the step's own."""
        own = {k for o in self.outputs for k in o.kinds}
        return tuple(dict.fromkeys(k for o in self.outputs for k in o.inputs if k not in own))
