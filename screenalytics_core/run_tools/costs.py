"""What a run, an episode or a season cost: invoices read from the runs' own logs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any

from screenalytics_core import layout
from screenalytics_core.episode_registry import list_episodes
from screenalytics_core.episode_selection import expand
from screenalytics_core.episodes import is_path_safe
from screenalytics_core.errors import ArtifactCorruptError, RunNotFoundError
from screenalytics_core.ledger.cost import invoice
from screenalytics_core.ledger.cost_rollup import RunCost, Uncounted, cost_document
from screenalytics_core.ledger.ledger import Ledger
from screenalytics_core.ledger.run_facts import RunFacts
from screenalytics_core.runs import RunKey, RunStore
from screenalytics_core.seasons.keys import episodes_of, parse_season_key
from screenalytics_core.storage.base import Storage


def run_invoice(ledger: Ledger, key: RunKey) -> dict[str, Any]:
    """Return a run's invoice.

    Raises:
        RunNotFoundError: The run was not priced: it was never claimed, or the price file
            could not be read.
    """
    bill = invoice(ledger.facts(*key))
    if bill is None:
        raise RunNotFoundError(
            thing=f"invoice of run {'/'.join(key)}",
            reason="does not exist: nothing says by which prices the run is billed",
            way_out="A run is priced once it starts; `screenalytics runs sync` prices those that "
            "were missed.",
        )
    return {"ep_id": key.ep_id, "run_id": key.run_id, **bill.to_dict()}


def run_cost(runs: RunStore, ledger: Ledger, key: RunKey) -> dict[str, Any]:
    """Return what one run cost, as the roll-ups of many do."""
    return cost_document([_run_cost(runs, ledger, key)])


def episodes_cost(runs: RunStore, ledger: Ledger, ep_ids: Iterable[str]) -> dict[str, Any]:
    """Return what all runs of some episodes cost; those that cannot be counted are named.

    Raises:
        RunNotFoundError: None of them has a run.
    """
    wanted = list(ep_ids)
    keys = [RunKey(ep_id, run_id) for ep_id in wanted for run_id in runs.list_run_ids(ep_id)]
    uncounted = [one for ep_id in wanted for one in _uncounted(runs, ledger, ep_id, set(keys))]
    if not keys and not uncounted:
        raise RunNotFoundError(
            thing=", ".join(wanted),
            reason="has no run, so nothing was paid for",
            way_out="See `screenalytics episodes list`.",
            over_http="GET /episodes lists all.",
        )
    return cost_document([_run_cost(runs, ledger, key) for key in keys], uncounted)


def find_episodes(storage: Storage, text: str) -> tuple[str, ...]:
    """Return the episodes that a text means: one, a range, a season, a show.

    Raises:
        SettingsError: Nothing known is called so; the nearest is named.
    """
    return expand([text], _known(storage))


def episodes_of_season(storage: Storage, season: str) -> tuple[str, list[str]]:
    """Return a season's key and its episodes, in their order.

    Raises:
        InvalidIdError: The text is no season.
        RunNotFoundError: No episode of it is known.
    """
    key = parse_season_key(season)
    found = episodes_of(key, _known(storage))
    if not found:
        raise RunNotFoundError(
            thing=f"season {key}", reason="has no episode", way_out="See GET /episodes."
        )
    return key, list(found)


def _known(storage: Storage) -> list[str]:
    """Return episodes with a video or with runs."""
    with_runs = (n for n in storage.list_folders(layout.MANIFESTS) if is_path_safe(n))
    return sorted({*list_episodes(storage), *with_runs})


def _uncounted(
    runs: RunStore, ledger: Ledger, ep_id: str, counted: AbstractSet[RunKey]
) -> Iterator[Uncounted]:
    """Yield the folders of runs whose run.json does not say that they are.

    Their logs may hold prices, but a folder that was copied would be paid for twice.
    """
    for key in ledger.log.list_runs(ep_id):
        if key in counted:
            continue
        try:
            is_gone = runs.get(*key) is None and _was_claimed(ledger.facts(*key))
        except ArtifactCorruptError as error:
            yield Uncounted(*key, f"its run.json {error.reason}")
        else:
            if is_gone:
                yield Uncounted(*key, "its run.json is missing")


def _was_claimed(facts: RunFacts) -> bool:
    """Tell a run whose run.json was lost from one that only waits in Dagster's queue."""
    return bool(facts.manifest.entries) or invoice(facts) is not None


def _run_cost(runs: RunStore, ledger: Ledger, key: RunKey) -> RunCost:
    facts = ledger.facts(*key)
    return RunCost(
        ep_id=key.ep_id,
        run_id=key.run_id,
        status=facts.status.value if facts.status else "unknown",
        is_active=runs.active_run_id(key.ep_id) == key.run_id,
        bill=invoice(facts),
        screen_time_s=_screen_time_s(facts),
    )


def _screen_time_s(facts: RunFacts) -> float | None:
    if facts.screen_time is None:
        return None
    return sum(float(person["total_s"]) for person in facts.screen_time["people"])
