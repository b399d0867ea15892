"""What makes a result reusable: equal fingerprint, equal bytes. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.steps.base import StepNeedsError, StepOutput

_FORMAT_VERSION: Final = 1


def fingerprint(
    step_output: StepOutput,
    *,
    inputs: Mapping[ArtifactKind, str],
    settings: Mapping[str, Any],
    model_sha256s: Mapping[str, str],
    video_sha256: str | None,
    extra: Mapping[str, str],
) -> str:
    """Return the sha256 over everything that an output declares to depend on.

    More may be given than is declared; only what is declared counts.

    Args:
        inputs: Artifact -> content_sha256.
        model_sha256s: Role -> sha256; a role that the pack lacks counts as null.
        extra: Further content hashes (decisions, gallery, trims, run.json); all count.

    Raises:
        StepNeedsError: Something declared is not given.
    """
    canonical = {
        "format": _FORMAT_VERSION,
        "output": step_output.name,
        "kinds": [str(k) for k in step_output.kinds],
        "version": step_output.version,
        "inputs": {str(k): _need(step_output, "input", inputs, k) for k in step_output.inputs},
        "settings": {n: _need(step_output, "setting", settings, n) for n in step_output.settings},
        "models": {role: model_sha256s.get(role) for role in step_output.model_roles},
        "video": video_sha256 if step_output.reads_video else None,
        "extra": dict(extra),
    }
    if step_output.reads_video and video_sha256 is None:
        raise StepNeedsError(step=step_output.name, need="video's sha256")
    text = json.dumps(canonical, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _need(output: StepOutput, what: str, given: Mapping[Any, Any], name: str) -> Any:
    if name not in given:
        raise StepNeedsError(step=output.name, need=f"{what} {name}")
    return given[name]


def combine_sha256s(sha256s: Iterable[str]) -> str:
    """Return one sha256 for several, in their order; a single one stands for itself.

    So Dagster's data version of an output with one artifact is that artifact's content
    sha256, as the manifest says it.
    """
    group = tuple(sha256s)
    return group[0] if len(group) == 1 else hashlib.sha256("\n".join(group).encode()).hexdigest()
