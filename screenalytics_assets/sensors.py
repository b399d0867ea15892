"""What the daemon looks at every few seconds."""

from typing import Any

import dagster as dg

from screenalytics_assets.mirror import tick
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores

# The daemon itself looks at most every 5 s.
_INTERVAL_S = 5


def build_ledger_sensor(settings: Settings) -> Any:
    """Return the sensor that ends dead runs and takes Dagster's events into the ledger."""
    stores = Stores.open(settings.data_root)

    @dg.sensor(
        name="ledger",
        minimum_interval_seconds=_INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Ends runs whose process died; keeps status files, index and registry current.",
    )
    def ledger_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        context.update_cursor(tick(context.instance, stores, context.cursor))
        return dg.SkipReason("the ledger is current")

    return ledger_sensor
