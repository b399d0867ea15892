"""The one asset shell: a `Step` in, a Dagster asset (or multi-asset) out.

Everything an asset of this project does stands here once: find inputs, decide on reuse,
run the step, report progress, hand the result to the IO manager, check what was published.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import dagster as dg

from screenalytics_assets.checks.evaluation import check_results, check_specs
from screenalytics_assets.column_schemas import asset_description, definition_metadata
from screenalytics_assets.failures import as_dagster_failure
from screenalytics_assets.graph import (
    ASSET_OF_KIND,
    KINDS_OF_ASSET,
    stage_of_asset,
    upstream_assets,
)
from screenalytics_assets.interrupts import remembered_interrupts
from screenalytics_assets.last_words import last_words
from screenalytics_assets.metadata import failed_step_metadata, progress_metadata
from screenalytics_assets.partitions import EPISODES
from screenalytics_assets.resources import Pipeline, ProgressThrottle
from screenalytics_assets.session import RunSession
from screenalytics_assets.work import PendingOutput, StepWork
from screenalytics_core.artifacts import ARTIFACTS
from screenalytics_core.errors import SettingsError
from screenalytics_core.steps.base import Step, StepOutput

_LOG: Final = logging.getLogger(__name__)
OWNERS: Final = ["team:screenalytics"]
INFERENCE_POOL: Final = "inference"
VIDEO_KEY: Final = "video"

Result = dg.Output[Any] | dg.AssetCheckResult


def build_asset(step: Step) -> dg.AssetsDefinition:
    """Return the asset of `step`: one output each, all computed by the same function."""
    reads_video = any(o.reads_video for o in step.outputs)
    uses_models = any(o.model_roles for o in step.outputs)

    @dg.multi_asset(
        name=step.name,
        outs={o.name: _out(step, o) for o in step.outputs},
        ins={name: dg.AssetIn(name) for name in upstream_assets(step)},
        deps=[VIDEO_KEY] if reads_video else [],
        partitions_def=EPISODES,
        required_resource_keys={"pipeline", "settings"},
        check_specs=check_specs([o.name for o in step.outputs]),
        can_subset=len(step.outputs) > 1,
        pool=INFERENCE_POOL if uses_models else None,
        description=step.description,
    )
    def asset(context: dg.AssetExecutionContext, **inputs: Any) -> Iterator[Result]:
        yield from materialize(context, step, inputs)

    return asset


def materialize(
    context: dg.AssetExecutionContext, step: Step, inputs: dict[str, Any]
) -> Iterator[Result]:
    """Produce the selected outputs of `step` for the partition of `context`, then check them."""
    selected = context.op_execution_context.selected_output_names
    outputs = tuple(o for o in step.outputs if o.name in selected)
    pipeline: Pipeline = context.resources.pipeline
    refs = {kind: inputs[ASSET_OF_KIND[kind]][kind] for kind in step.inputs}
    tries = context.op_execution_context.retry_number
    with as_dagster_failure(tries), _interruptible(context) as check:
        session = pipeline.session(_episode(context), context.resources.settings.to_config())
        # Without outputs, somebody asked for checks alone.
        work = session.begin(step, outputs, refs)
        pending = _produce(context, session, work, check) if outputs else []
    for result in pending:
        yield dg.Output(
            result,
            output_name=result.output.name,
            data_version=dg.DataVersion(result.content_sha256),
        )
    # By now Dagster has had the outputs published.
    with _interruptible(context):
        checked = list(check_results(context.selected_asset_check_keys, session, refs))
    yield from checked


def _episode(context: dg.AssetExecutionContext) -> str:
    """Return the run's episode; the UI's "Execute all" on checks launches a run without one."""
    if not context.has_partition_key:
        raise SettingsError(
            thing="run without a partition",
            reason="names no episode",
            way_out="Materialize the asset for the episode; its checks are made with it.",
        )
    return str(context.partition_key)


@contextmanager
def _interruptible(context: dg.AssetExecutionContext) -> Iterator[Callable[[], None]]:
    """Let Ctrl-C in the launching process cancel the run: unasked, Dagster calls it failed.

    Gives what raises an interrupt again that was lost.
    """
    try:
        with remembered_interrupts() as check:
            yield check
    except dg.DagsterExecutionInterruptedError:
        context.instance.report_run_canceling(context.run, "interrupted")
        raise


def _produce(
    context: dg.AssetExecutionContext,
    session: RunSession,
    work: StepWork,
    check: Callable[[], None],
) -> list[PendingOutput]:
    listener = context.resources.pipeline.listener
    report = ProgressThrottle(work.step.name, listener, progress_observer(context, work))
    report(0, 0, "")  # some steps are over before they would report

    def progress(done: int, total: int, message: str) -> None:
        check()
        report(done, total, message)

    def observe_failure() -> None:
        context.log_event(_observation(context, work, failed_step_metadata(work)))

    with last_words(observe_failure):
        return session.produce(work, progress)


def _out(step: Step, output: StepOutput) -> dg.AssetOut:
    specs = [ARTIFACTS[kind] for kind in KINDS_OF_ASSET[output.name]]
    return dg.AssetOut(
        is_required=False,
        dagster_type=dg.Any,
        io_manager_key="io_manager",
        description=asset_description(step, specs),
        group_name=stage_of_asset(output.name).value,
        code_version=output.version,
        owners=OWNERS,
        kinds={spec.primary.codec.value for spec in specs},
        metadata=definition_metadata(output, specs),
    )


def progress_observer(
    context: dg.AssetExecutionContext, work: StepWork
) -> Callable[[int, int, str], None]:
    """Return what tells Dagster how far a step is; it never fails the step."""

    def observe(done: int, total: int, message: str) -> None:
        told = progress_metadata(work, done, total, message)
        try:
            context.log_event(_observation(context, work, told))
        except Exception:  # noqa: BLE001 - a step must not fail because nobody hears how far it is
            _LOG.warning("progress of step %s is not recorded", work.step.name, exc_info=True)

    return observe


def _observation(
    context: dg.AssetExecutionContext, work: StepWork, metadata: dict[str, Any]
) -> dg.AssetObservation:
    """Return an observation of a step; it stands at the first of its outputs."""
    return dg.AssetObservation(
        asset_key=work.outputs[0].name, partition=context.partition_key, metadata=metadata
    )
