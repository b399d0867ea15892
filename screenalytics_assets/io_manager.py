"""Publishes what steps return, and hands inputs over as lazy references."""

from collections.abc import Mapping
from functools import partial

import dagster as dg

from screenalytics_assets.failures import as_dagster_failure
from screenalytics_assets.graph import KINDS_OF_ASSET
from screenalytics_assets.interrupts import remembered_interrupts
from screenalytics_assets.last_words import last_words
from screenalytics_assets.metadata import published_metadata, unpublished_metadata
from screenalytics_assets.resources import Pipeline, SettingsResource
from screenalytics_assets.work import PendingOutput
from screenalytics_core.artifact_store import ArtifactRef
from screenalytics_core.artifacts import ArtifactKind

Inputs = Mapping[ArtifactKind, ArtifactRef]


class ArtifactIOManager(dg.IOManager):
    """The only door between Dagster and the artifact store."""

    def __init__(self, pipeline: Pipeline, settings: SettingsResource) -> None:
        self._pipeline = pipeline
        self._settings = settings

    def handle_output(self, context: dg.OutputContext, obj: PendingOutput) -> None:
        """Publish a pending output and show what was published."""
        with as_dagster_failure(context.step_context.previous_attempt_count):
            session = self._pipeline.session(
                context.asset_partition_key, self._settings.to_config()
            )
            with last_words(lambda: _observe_unpublished(context, obj)), remembered_interrupts():
                refs = session.publish(obj)
            context.add_output_metadata(published_metadata(session, obj, refs))

    def load_input(self, context: dg.InputContext) -> Inputs:
        """Return the artifacts of the upstream asset, as they stand in this run."""
        with as_dagster_failure(context.step_context.previous_attempt_count):
            ep_id = context.asset_partition_key
            session = self._pipeline.session(ep_id, self._settings.to_config())
            asset = context.asset_key.to_user_string()
            latest = partial(_materialized_run_id, context, asset, ep_id)
            return {kind: session.input(kind, latest) for kind in KINDS_OF_ASSET[asset]}


@dg.io_manager(required_resource_keys={"pipeline", "settings"})
def artifact_io_manager(context: dg.InitResourceContext) -> ArtifactIOManager:
    """Give a run its IO manager."""
    return ArtifactIOManager(context.resources.pipeline, context.resources.settings)


def _observe_unpublished(context: dg.OutputContext, pending: PendingOutput) -> None:
    """Tell what an output used up that nobody will see; a reused one used up nothing."""
    if pending.reused is None:
        context.log_event(
            dg.AssetObservation(
                asset_key=context.asset_key,
                partition=context.asset_partition_key,
                metadata=unpublished_metadata(pending),
            )
        )


def _materialized_run_id(context: dg.InputContext, asset: str, ep_id: str) -> str | None:
    """Return the run_id of the asset's latest materialization, if Dagster knows one."""
    records = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[ep_id]), limit=1
    ).records
    if not records or records[0].asset_materialization is None:
        return None
    value = records[0].asset_materialization.metadata.get("run_id")
    return str(value.value) if value is not None else None
