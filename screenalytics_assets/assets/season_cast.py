"""Asset `season_cast`: unnamed people of a season's episodes linked; see `seasons.linking`."""

from typing import Any, Final

import dagster as dg

from screenalytics_assets.assets.shell import OWNERS
from screenalytics_assets.failures import as_dagster_failure
from screenalytics_assets.partitions import SEASONS
from screenalytics_assets.seasons.making import CAST_VERSION, make_season_cast
from screenalytics_assets.seasons.metadata import cast_metadata
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.seasons.keys import parse_season_key
from screenalytics_core.seasons.record import CAST
from screenalytics_core.seasons.specs import CAST_FILE

SEASON_GROUP: Final = "season"
_READS: Final = ("tracks", "embeddings", "identities", "cast", "screen_time")


def episode_deps(names: tuple[str, ...]) -> list[dg.AssetDep]:
    """Return dependencies on the assets of all episodes; no data of theirs is loaded.

    Which of them are the season's is found in the stores: the host process would drop a
    mapping of our own.
    """
    return [dg.AssetDep(n, partition_mapping=dg.AllPartitionMapping()) for n in names]


def build_season_cast(settings: Settings) -> dg.AssetsDefinition:
    """Return the asset over the seasons of `settings.data_root`."""

    @dg.asset(
        name=CAST,
        partitions_def=SEASONS,
        group_name=SEASON_GROUP,
        deps=episode_deps(_READS),
        code_version=CAST_VERSION,
        owners=OWNERS,
        kinds={"json"},
        description="Who looks like the same person in several episodes: proposals and conflicts.",
    )
    def season_cast(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        stores = Stores.open(settings.data_root)
        with as_dagster_failure(context.retry_number):
            season = parse_season_key(context.partition_key)
            made = make_season_cast(stores, season)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(made.part.files[CAST_FILE.filename].sha256),
            metadata=cast_metadata(stores, season, made.document),
        )

    return season_cast
