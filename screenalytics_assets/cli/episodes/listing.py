"""`episodes list`: what is registered, what became of it, and its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, put_table, tell

if TYPE_CHECKING:
    from screenalytics_core.episode_survey import Seen
    from screenalytics_core.storage.base import Storage


def list_(
    episodes: Annotated[
        list[str] | None,
        typer.Argument(
            help="Only these: rhobh-s05e14, rhobh-s05e01..e08, rhobh-s05, rhobh, @FILE."
        ),
    ] = None,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """List registered episodes with their active run.

    Example: screenalytics episodes list rhobh-s05 --json
    """
    from screenalytics_assets.cli.reading import open_storage
    from screenalytics_core.episode_selection import expand, natural_order
    from screenalytics_core.episode_survey import survey
    from screenalytics_core.episodes import is_path_safe

    storage = open_storage(data_root)
    seen = {name: it for name, it in survey(storage).items() if is_path_safe(name)}
    known = sorted((n for n, it in seen.items() if it.facts), key=natural_order)
    chosen = expand(episodes, known) if episodes else known
    rows = _rows(storage, {ep_id: seen[ep_id] for ep_id in chosen})
    if as_json:
        put_json(rows)
    elif rows:
        put_table("", tuple(rows[0]), [tuple(row.values()) for row in rows])
    else:
        tell("no episodes yet: screenalytics episodes add VIDEO --ep-id show-s01e01")
    if waiting := [name for name, it in seen.items() if it.video and not it.facts]:
        tell(
            f"videos of {len(waiting):,} more lie there unregistered, first {waiting[0]}: the "
            "daemon of `screenalytics dev` registers them, or `screenalytics episodes add`"
        )


def _rows(storage: Storage, seen: dict[str, Seen]) -> list[dict[str, Any]]:
    from screenalytics_core.episode_registry import recorded_video
    from screenalytics_core.episode_state import video_state
    from screenalytics_core.episode_survey import count_runs
    from screenalytics_core.errors import ArtifactCorruptError
    from screenalytics_core.runs import RunStore

    runs = RunStore(storage)
    counts = count_runs(storage)
    rows = []
    for ep_id, look in seen.items():
        try:
            video = recorded_video(storage, ep_id)
        except ArtifactCorruptError as error:
            tell(str(error))  # one damaged record hides no other episode
            facts: dict[str, Any] = {
                "duration_s": None,
                "size": None,
                "codec": None,
                "video": "damaged record",
            }
        else:
            if video is None:
                continue  # removed since it was looked at
            facts = {
                "duration_s": video.duration_s,
                "size": f"{video.width_px}x{video.height_px}",
                "codec": video.codec,
                "video": video_state(storage, video, look),
            }
        count = counts.get(ep_id, 0)
        active = runs.active_run_id(ep_id) if count else None
        rows.append({"ep_id": ep_id, **facts, "runs": count, "active_run_id": active})
    return rows
