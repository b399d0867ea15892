"""`screenalytics doctor`: is this machine ready, and if not, what is missing."""

from __future__ import annotations

from typing import Any

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, put_table


def doctor(data_root: options.DataRoot = None, as_json: options.AsJson = False) -> None:
    """Check this installation; exit 1 when something would stop a run.

    Example: screenalytics doctor
    """
    from screenalytics_assets.health import check_installation
    from screenalytics_assets.settings import Settings

    checks = check_installation(Settings.from_env(data_root=data_root))
    rows: list[dict[str, Any]] = [c.to_dict() for c in checks]
    if as_json:
        put_json(rows)
    else:
        put_table("", ("check", "ok", "found"), [(r["name"], r["ok"], r["found"]) for r in rows])
    if not all(c.ok for c in checks):
        raise typer.Exit(1)
