"""`runs tail --follow`: what is new in the registry, line by line."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final

from screenalytics_assets.cli.console import put_json, put_line, tell
from screenalytics_assets.cli.reading import Liveness
from screenalytics_assets.cli.runs.reading import STAGE_RUN_COLUMNS, stage_run_cells
from screenalytics_core import layout
from screenalytics_core.run_tools.queries import ChangedRows, newest_stage_runs

if TYPE_CHECKING:
    from screenalytics_core.ledger.registry import Registry
    from screenalytics_core.storage.base import Storage

_PERIOD_S: Final = 0.5
# Wide enough for ids and times as they usually are; longer ones push the rest to the right.
_WIDTHS: Final = (24, 14, 13, 10, 10, 20, 11, 8, 8, 0)


def follow_stage_runs(
    storage: Storage, registry: Registry, table: Any, n: int, *, as_json: bool
) -> None:
    """Print the last `n` rows of `table`, then each new or changed one, until Ctrl-C."""
    liveness = Liveness(storage)
    changed = ChangedRows(table)
    if not as_json:
        put_line(STAGE_RUN_COLUMNS, _WIDTHS)
    _put(newest_stage_runs(table, n), liveness, as_json)
    tell("following; Ctrl-C ends")
    looked_at = None
    try:
        while True:
            # Looked at before the rows are read: what comes in between is seen next time.
            looks = _looks(storage)
            if looks != looked_at:
                looked_at = looks
                _put(changed.take(registry.stage_runs()), liveness, as_json)
            time.sleep(_PERIOD_S)
    except KeyboardInterrupt:
        return


def _put(rows: list[dict[str, Any]], liveness: Liveness, as_json: bool) -> None:
    for row in rows:
        if as_json:
            put_json(row, indent=None)
            sys.stdout.flush()
        else:
            put_line(stage_run_cells(row, liveness), _WIDTHS)


def _looks(storage: Storage) -> tuple[Any, ...]:
    """Return what changes whenever the registry does, without reading it."""
    published = storage.stamp(layout.STAGE_RUNS_REGISTRY_KEY)
    return (published, storage.list(layout.REGISTRY_LOG_PREFIX))
