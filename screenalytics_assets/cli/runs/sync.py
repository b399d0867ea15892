"""`screenalytics runs sync`: makes the ledger whole again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, tell

if TYPE_CHECKING:
    from screenalytics_assets.sync import SyncReport


def sync(data_root: options.DataRoot = None, as_json: options.AsJson = False) -> None:
    """Take in what Dagster knows, end what is dead, and write every view anew; deletes nothing.

    Works with a new or emptied DAGSTER_HOME too.

    Example: screenalytics runs sync
    """
    from screenalytics_assets.instance import home_errors, open_instance
    from screenalytics_assets.settings import Settings
    from screenalytics_assets.stores import Stores
    from screenalytics_assets.sync import sync as sync_ledger

    settings = Settings.from_env(data_root=data_root)
    home = settings.dagster_home
    with home_errors(home), open_instance(home) as instance:
        report = sync_ledger(instance, Stores.open(settings.data_root))
    if as_json:
        put_json(report.to_dict())
    else:
        _tell_report(report)
    if report.problems:
        raise typer.Exit(1)


def _tell_report(report: SyncReport) -> None:
    tell(f"{report.dagster_runs} Dagster runs taken in, views of {report.rendered} runs written")
    for dagster_run_id in report.swept:
        tell(f"marked as failed: Dagster run {dagster_run_id}, its process had died")
    for run in report.lost:
        tell(f"marked as lost: {run}")
    for problem in report.problems:
        tell(f"not repaired: {problem}")
