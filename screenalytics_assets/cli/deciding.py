"""What the commands that decide share: the run that was looked at, and carrying it out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from screenalytics_assets.cli.console import put_json, step_progress, tell
from screenalytics_assets.cli.identity_tables import decision_dict
from screenalytics_assets.cli.imports import without_gc
from screenalytics_assets.cli.run_names import resolve_run
from screenalytics_core.errors import ScreenalyticsError

if TYPE_CHECKING:
    from screenalytics_assets.deciding import LookedAt
    from screenalytics_assets.settings import Settings
    from screenalytics_core.decisions.records import Decision


def look(run: str, data_root: Path | None) -> tuple[LookedAt, Settings]:
    """Return the run that `EP` or `EP/RUN` means, and the settings."""
    from screenalytics_assets.deciding import LookedAt
    from screenalytics_assets.settings import Settings
    from screenalytics_assets.stores import Stores

    settings = Settings.from_env(data_root=data_root)
    stores = Stores.open(settings.data_root)
    ep_id, run_id = resolve_run(stores.runs, run, None)
    return LookedAt(stores, ep_id, run_id), settings


def decided_by(given: str | None) -> str:
    """Return who decides."""
    from screenalytics_assets.whoami import whoami

    return given or whoami()


def decide(
    looked_at: LookedAt,
    settings: Settings,
    decision: Decision,
    *,
    no_run: bool,
    as_json: bool,
    enrolled: int | None = None,
) -> None:
    """Record a decision, carry it out unless it waits, and say what came of it."""
    from screenalytics_assets.cli.run import show_result

    recorded = looked_at.record(decision)
    tell(f"decision {recorded.sequence} of {looked_at.ep_id} is recorded")
    said = {"decision": decision_dict(recorded, [recorded]), "enrolled": enrolled, "run": None}
    if no_run:
        put(as_json, said, lambda: tell(f"next: screenalytics run --ep-id {looked_at.ep_id}"))
        return
    with without_gc():
        from screenalytics_assets.deciding import carry_out
    try:
        with step_progress() as listener:
            result = carry_out(looked_at, settings, listener=listener, tell=tell)
    except ScreenalyticsError:
        tell("the decision stands; the next run of the episode carries it out")
        raise
    if as_json:
        put_json({**said, "run": result.to_dict()})
    else:
        show_result(result, as_json=False)
    if not result.success:
        tell("the decision stands; the next run of the episode carries it out")
        raise typer.Exit(1)


def put(as_json: bool, document: Any, otherwise: Callable[[], None]) -> None:
    """Print JSON if it was asked for, else what people read."""
    if as_json:
        put_json(document)
    else:
        otherwise()
