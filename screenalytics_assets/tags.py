"""Tags on Dagster runs: the ones we set, the ones callers may not set, and run_id from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from screenalytics_core.errors import SettingsError
from screenalytics_core.run_ids import normalize_run_id

RUN_ID_TAG: Final = "run_id"
UPSTREAM_RUN_ID_TAG: Final = "screenalytics/upstream_run_id"
PROCESS_TAG: Final = "screenalytics/process"
TRACE_ID_TAG: Final = "screenalytics/trace_id"
FRESH_TAG: Final = "screenalytics/fresh"
BACKFILL_ID_TAG: Final = "screenalytics/backfill_id"
ONCE_TAG: Final = "screenalytics/once"
"""On a run that several may launch alike, of which one shall do the work."""
PARENT_RUN_ID_TAG: Final = "screenalytics/parent_run_id"
ROOT_RUN_ID_TAG: Final = "dagster/root_run_id"
PARTITION_TAG: Final = "dagster/partition"


def run_id_of(tags: Mapping[str, Any], dagster_run_id: str) -> str:
    """Return our run_id of a Dagster run: its tag, else its root run, else itself, as hex.

    A re-execution copies its parent's tags and names the root, so it stays in its run.
    """
    given = tags.get(RUN_ID_TAG)
    if given:
        return normalize_run_id(str(given))
    return str(tags.get(ROOT_RUN_ID_TAG) or dagster_run_id).replace("-", "")


def launch_tags(
    callers: Mapping[str, str],
    *,
    upstream_run_id: str | None = None,
    parent_run_id: str | None = None,
    is_fresh: bool = False,
    trace_id: str | None = None,
) -> dict[str, str]:
    """Return a caller's tags with what the launch itself says; what it leaves out has no tag.

    Raises:
        SettingsError: A caller's tag starts with `dagster/`.
        InvalidIdError: One of the run ids is unsafe.
    """
    tags = check_caller_tags(callers)
    if upstream_run_id:
        tags[UPSTREAM_RUN_ID_TAG] = normalize_run_id(upstream_run_id)
    if parent_run_id:
        tags[PARENT_RUN_ID_TAG] = normalize_run_id(parent_run_id)
    if is_fresh:
        tags[FRESH_TAG] = "true"
    if trace_id:
        tags[TRACE_ID_TAG] = trace_id
    return tags


def wants_fresh(tags: Mapping[str, Any]) -> bool:
    """Tell whether a run shall take no result of another run."""
    return str(tags.get(FRESH_TAG, "")).strip().lower() == "true"


def wants_once(tags: Mapping[str, Any]) -> bool:
    """Tell whether a run shall not begin if somebody else has finished it."""
    return str(tags.get(ONCE_TAG, "")).strip().lower() == "true"


def check_caller_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return `tags`, or refuse those that would override what Dagster decides.

    A caller's `dagster/partition` on a backfill replaces the real partition key.

    Raises:
        SettingsError: A tag starts with `dagster/`.
    """
    refused = sorted(t for t in tags if t.startswith("dagster/"))
    if refused:
        raise SettingsError(
            thing=f"tags {refused}",
            reason="dagster/* tags are set by Dagster alone",
            way_out="Leave them out.",
        )
    return dict(tags)
