"""Asset `season_screen_time`: seconds per person over a season, its tables and its report."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from screenalytics_assets.assets.season_cast import SEASON_GROUP, episode_deps
from screenalytics_assets.assets.shell import OWNERS
from screenalytics_assets.beta import without_beta_warnings
from screenalytics_assets.checks.season import SEASON_CHECKS
from screenalytics_assets.failures import as_dagster_failure
from screenalytics_assets.partitions import SEASONS
from screenalytics_assets.seasons.making import SCREEN_TIME_VERSION, make_season_screen_time
from screenalytics_assets.seasons.metadata import screen_time_metadata
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.seasons.keys import parse_season_key
from screenalytics_core.seasons.record import CAST, SCREEN_TIME
from screenalytics_core.seasons.specs import SCREEN_TIME_FILE

Result = dg.MaterializeResult[Any] | dg.AssetCheckResult


def build_season_screen_time(settings: Settings) -> dg.AssetsDefinition:
    """Return the asset over the seasons of `settings.data_root`."""

    @dg.asset(
        name=SCREEN_TIME,
        partitions_def=SEASONS,
        group_name=SEASON_GROUP,
        deps=[CAST, *episode_deps(("screen_time",))],
        code_version=SCREEN_TIME_VERSION,
        owners=OWNERS,
        kinds={"json", "csv", "parquet"},
        check_specs=_check_specs(),
        description="Seconds per person and episode with their bounds, totals, CSV, Parquet, "
        "PDF and HTML; episodes without figures are told.",
    )
    def season_screen_time(context: dg.AssetExecutionContext) -> Iterator[Result]:
        stores = Stores.open(settings.data_root)
        with as_dagster_failure(context.retry_number):
            season = parse_season_key(context.partition_key)
            made = make_season_screen_time(stores, season)
        yield dg.MaterializeResult(
            data_version=dg.DataVersion(made.part.files[SCREEN_TIME_FILE.filename].sha256),
            metadata=screen_time_metadata(stores, season, made.document),
        )
        for check in SEASON_CHECKS:
            outcome = check.run(made.document)
            yield dg.AssetCheckResult(
                passed=outcome.passed,
                check_name=check.name,
                description=outcome.summary,
                metadata=dict(outcome.facts),
            )

    return season_screen_time


def _check_specs() -> list[dg.AssetCheckSpec]:
    with without_beta_warnings():
        return [
            dg.AssetCheckSpec(
                check.name,
                asset=SCREEN_TIME,
                description=check.description,
                blocking=False,
                # Else a good season hides the failure of the one before it.
                partitions_def=SEASONS,
            )
            for check in SEASON_CHECKS
        ]
