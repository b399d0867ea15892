"""`screenalytics episodes`: which videos are registered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, put_table, tell

if TYPE_CHECKING:
    from screenalytics_core.episode_registry import EpisodeVideo
    from screenalytics_core.storage.base import Storage

app = typer.Typer(
    help="Register videos as episodes, list them, and say what of them is not counted.",
    epilog="Example: screenalytics episodes add s05e14.mp4 --ep-id rhobh-s05e14",
    no_args_is_help=True,
)


@app.command("add")
def add(
    video: Annotated[Path, typer.Argument(help="Video file.")],
    ep_id: Annotated[str, typer.Option("--ep-id", help="Episode, e.g. rhobh-s05e14.")],
    replace_video: options.ReplaceVideo = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Register a video and make its episode a partition.

    Example: screenalytics episodes add s05e14.mp4 --ep-id rhobh-s05e14
    """
    from screenalytics_assets.assets.video import video_observation
    from screenalytics_assets.instance import open_instance
    from screenalytics_assets.partitions import add_episode
    from screenalytics_assets.settings import Settings
    from screenalytics_core.episode_registry import register_video
    from screenalytics_core.storage.local import LocalStorage
    from screenalytics_core.vision.decode import probe_video

    settings = Settings.from_env(data_root=data_root)
    storage = LocalStorage(settings.data_root)
    registered = register_video(storage, ep_id, video, probe=probe_video, replace=replace_video)
    with open_instance(settings.dagster_home) as instance:
        add_episode(instance, registered.ep_id)
        observation = video_observation(registered.ep_id, registered.sha256)
        instance.report_runless_asset_event(observation)
    if as_json:
        put_json(registered.to_dict())
    else:
        tell(f"{registered.ep_id}: {registered.duration_s:.1f} s, sha256 {registered.sha256[:12]}")


@app.command("list")
def list_(data_root: options.DataRoot = None, as_json: options.AsJson = False) -> None:
    """List registered episodes with their active run.

    Example: screenalytics episodes list --json
    """
    from screenalytics_assets.settings import Settings
    from screenalytics_core.episode_registry import list_episodes, recorded_video
    from screenalytics_core.runs import RunStore
    from screenalytics_core.storage.local import LocalStorage

    storage = LocalStorage(Settings.from_env(data_root=data_root).data_root)
    runs = RunStore(storage)
    rows = []
    for ep_id in list_episodes(storage):
        video = recorded_video(storage, ep_id)
        if video is None:
            continue  # removed since it was listed
        rows.append(
            {
                "ep_id": ep_id,
                "duration_s": video.duration_s,
                "size": f"{video.width_px}x{video.height_px}",
                "codec": video.codec,
                "video": _state_of(storage, video),
                "runs": len(runs.list_run_ids(ep_id)),
                "active_run_id": runs.active_run_id(ep_id),
            }
        )
    if as_json:
        put_json(rows)
    elif rows:
        put_table("", tuple(rows[0]), [tuple(r.values()) for r in rows])
    else:
        tell("no episodes yet: screenalytics episodes add VIDEO --ep-id show-s01e01")


@app.command("trim")
def trim(
    ep_id: Annotated[str, typer.Argument(help="Episode, e.g. rhobh-s05e14.")],
    recap: Annotated[
        str | None, typer.Option("--recap", help="FROM-TO, e.g. 0:00-1:35.", metavar="FROM-TO")
    ] = None,
    credits_: Annotated[
        str | None, typer.Option("--credits", help="FROM-TO, e.g. 41:10-43:00.", metavar="FROM-TO")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Drop what is not given.")] = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Say which stretches are not counted; without one, show them.

    Times are those of the video's own clock, as in screen time: seconds, mm:ss or h:mm:ss. The
    next run of the episode, also a finished one resumed with --run-id, computes screen time
    and report anew.

    Example: screenalytics episodes trim rhobh-s05e14 --recap 0:00-1:35 --credits 41:10-43:00
    """
    from screenalytics_assets.cli.reading import open_storage
    from screenalytics_assets.cli.stretches import clock, parse_stretch
    from screenalytics_core.episode_registry import set_trims

    video = set_trims(
        open_storage(data_root),
        ep_id,
        recap=None if recap is None else parse_stretch("--recap", recap),
        credits=None if credits_ is None else parse_stretch("--credits", credits_),
        clear=clear,
    )
    if as_json:
        put_json({"ep_id": video.ep_id, "trims": video.trims})
        return
    for name, pair in video.trims.items():
        tell(f"{name}: {f'{clock(pair[0])} to {clock(pair[1])}' if pair else 'none'}")


def _state_of(storage: Storage, video: EpisodeVideo) -> str:
    """Say whether the registered file is still there; one bad episode hides no other."""
    from screenalytics_core.episode_registry import video_sha256
    from screenalytics_core.errors import VideoError

    try:
        return "ok" if video_sha256(storage, video.ep_id) == video.sha256 else "replaced"
    except VideoError:
        return "missing"
