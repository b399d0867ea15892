"""Which run a command means."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from screenalytics_core.runs import RunStore


def resolve_run(runs: RunStore, text: str, run_id: str | None) -> tuple[str, str]:
    """Return the run that `EP`, `EP/RUN` or `EP --run-id RUN` means.

    Raises:
        RunNotFoundError: There is none.
    """
    from screenalytics_core.episodes import EpisodeId
    from screenalytics_core.errors import RunNotFoundError

    if run_id is None and "/" in text:
        return runs.resolve_run(text)
    ep_id = EpisodeId.parse(text).text
    run_id = run_id or runs.active_run_id(ep_id)
    if run_id is None:
        raise RunNotFoundError(
            thing=f"episode {ep_id}",
            reason="has no finished run",
            way_out=f"Start one: screenalytics run VIDEO --ep-id {ep_id}.",
        )
    return runs.resolve_run(run_id, ep_id)
