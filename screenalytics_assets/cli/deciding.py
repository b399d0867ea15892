"""What the commands that decide share: the run that was looked at, and carrying it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import typer

from screenalytics_assets.cli.console import put_json, step_progress, tell
from screenalytics_assets.cli.imports import without_gc
from screenalytics_assets.cli.run_names import resolve_run
from screenalytics_assets.identity_rows import decision_dict
from screenalytics_core.errors import DecisionError, ScreenalyticsError

if TYPE_CHECKING:
    from screenalytics_assets.deciding import LookedAt
    from screenalytics_assets.settings import Settings
    from screenalytics_core.decisions.records import Decision


def look(run: str, data_root: str | None) -> tuple[LookedAt, Settings]:
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
    recorded = looked_at.record(decision)
    if recorded is None:
        raise DecisionError(
            thing=f"decision about {looked_at.ep_id}",
            reason="came after one that somebody else made meanwhile; it is not recorded",
            way_out="Look at who is who now, and say it again.",
        )
    tell(f"decision {recorded.sequence} of {looked_at.ep_id} is recorded")
    said = {
        "decision": decision_dict(recorded, [recorded]),
        "enrolled": enrolled,
        "withdrawn": _withdraw(looked_at),
        "run": None,
    }
    if enrolled or said["withdrawn"]:
        _tell_of_others(looked_at.ep_id)
    if no_run:
        again = f"screenalytics identities apply {looked_at.ep_id}/{looked_at.run_id}"
        put(as_json, said, lambda: tell(f"next: {again}"))
        return
    run_decided(looked_at, settings, said, as_json=as_json)


def run_decided(
    looked_at: LookedAt, settings: Settings, said: Mapping[str, Any], *, as_json: bool
) -> None:
    """Carry out what is recorded, with the settings of the run that was looked at."""
    from screenalytics_assets.cli.run import show_result

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


def _withdraw(looked_at: LookedAt) -> list[dict[str, Any]]:
    """Take out of the gallery what holds no more, and say so."""
    from screenalytics_assets.withdrawing import withdraw

    try:
        withdrawn = withdraw(looked_at.stores, looked_at.ep_id)
    except ScreenalyticsError:
        tell("the decision stands; the gallery may still hold faces of what it takes back")
        raise
    for one in withdrawn:
        left = "and the member with them" if one.left is None else f"{one.left} are left"
        tell(
            f"gallery of {looked_at.show}: {one.faces} faces of {one.label} ({one.cast_id}) from "
            f"{looked_at.ep_id} are taken out, {left}"
        )
    return [one.to_dict() for one in withdrawn]


def _tell_of_others(ep_id: str) -> None:
    """Say how what changed in the gallery comes to the other episodes."""
    from screenalytics_core.episodes import EpisodeId

    season = EpisodeId.parse(ep_id).season_key
    if season is not None:
        tell(f"other episodes: screenalytics backfill {season} --stale --as-before")


def put(as_json: bool, document: Any, otherwise: Callable[[], None]) -> None:
    """Print JSON if it was asked for, else what people read."""
    if as_json:
        put_json(document)
    else:
        otherwise()
