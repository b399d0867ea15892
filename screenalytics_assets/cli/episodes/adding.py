"""`episodes add`: a file, or a folder of them, registered as episodes."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, put_table, tell

if TYPE_CHECKING:
    from screenalytics_assets.settings import Settings
    from screenalytics_core.episode_intake import FoundFiles, Intake
    from screenalytics_core.episode_names import EpisodeNames


def add(
    place: Annotated[Path, typer.Argument(metavar="VIDEO|FOLDER", help="Video file, or folder.")],
    ep_id: Annotated[
        str | None, typer.Option("--ep-id", help="Episode of a file, e.g. rhobh-s05e14.")
    ] = None,
    show: Annotated[
        str | None, typer.Option("--show", help="Show; season and episode are in the names.")
    ] = None,
    season: Annotated[
        int | None, typer.Option("--season", min=0, max=9999, help="Season, of all files.")
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            "--pattern",
            help="How files are named: '{show}.S{season:02d}E{episode:02d}.*.mp4', or a regular "
            "expression with such groups; default: the usual ways.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print what would happen.")
    ] = False,
    replace_video: options.ReplaceVideo = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Register a video, or a folder of them, and make each episode a partition.

    Of a folder, what is registered already stays as it is, so it may be added again when files
    have come. Exit 1 if a file failed; the others are registered.

    Example: screenalytics episodes add ~/rhobh --show rhobh --season 5 --dry-run
    """
    from screenalytics_assets.settings import Settings

    settings = Settings.from_env(data_root=data_root)
    if ep_id is not None:
        _refuse_both(place, show, season, pattern)
        if not dry_run:
            _add_one(settings, place, ep_id, replace=replace_video, as_json=as_json)
            return
    from screenalytics_core.episode_intake import find_files

    names = _names(place, ep_id, show, season, pattern)
    found = find_files(place)
    done = _go_through(settings, found, names, is_dry=dry_run, may_replace=replace_video)
    if as_json:
        put_json(
            {
                "dry_run": dry_run,
                "files": [item.to_dict() for item in done],
                "skipped": dict(found.skipped),
            }
        )
    elif done:
        put_table(
            "",
            ("file", "ep_id", "action", "note"),
            [(i.shown, i.ep_id, i.action.value, i.note) for i in done],
        )
    _tell_counts(done, found, is_dry=dry_run)
    if not any(item.ep_id for item in done) or (
        not dry_run and any(item.action.is_failure for item in done)
    ):
        raise typer.Exit(1)


def _names(
    place: Path, ep_id: str | None, show: str | None, season: int | None, pattern: str | None
) -> EpisodeNames:
    from screenalytics_core.episode_names import EpisodeNames
    from screenalytics_core.errors import SettingsError

    if ep_id is not None:
        return EpisodeNames.only(ep_id)
    names = EpisodeNames.of(show, season, pattern)
    is_unnamed = not place.is_dir() and names.recognise(PurePosixPath(place.name)).ep_id is None
    if is_unnamed and show is None and pattern is None:
        raise SettingsError(
            thing=f"episodes add {place}",
            reason="does not know which episode",
            way_out="Give --ep-id rhobh-s05e14, or --show rhobh: season and episode are told by "
            "the file's name.",
        )
    return names


def _refuse_both(place: Path, *others: object) -> None:
    from screenalytics_core.errors import SettingsError

    reason = "names one episode, and "
    if any(other is not None for other in others):
        raise SettingsError(
            thing="--ep-id",
            reason=f"{reason}--show, --season and --pattern find it in the names",
            way_out="Give either.",
        )
    if place.is_dir():
        raise SettingsError(
            thing="--ep-id", reason=f"{reason}{place} is a folder", way_out="Give --show instead."
        )


def _add_one(settings: Settings, video: Path, ep_id: str, *, replace: bool, as_json: bool) -> None:
    from screenalytics_assets.assets.video import announce_video
    from screenalytics_assets.data_storage import open_storage
    from screenalytics_assets.instance import open_instance
    from screenalytics_core.episode_registry import register_video
    from screenalytics_core.vision.decode import probe_video

    storage = open_storage(settings.data_root)
    registered = register_video(storage, ep_id, video, probe=probe_video, replace=replace)
    with open_instance(settings.dagster_home) as instance:
        announce_video(instance, registered.ep_id, registered.sha256)
    if as_json:
        put_json(registered.to_dict())
    else:
        tell(f"{registered.ep_id}: {registered.duration_s:.1f} s, sha256 {registered.sha256[:12]}")


def _go_through(
    settings: Settings,
    found: FoundFiles,
    names: EpisodeNames,
    *,
    is_dry: bool,
    may_replace: bool,
) -> list[Intake]:
    """Plan each file and, unless it is a dry run, register it; return what happened."""
    from screenalytics_assets.data_storage import open_storage
    from screenalytics_core.episode_intake import plan_intake
    from screenalytics_core.vision.decode import probe_video

    storage = open_storage(settings.data_root)
    plan = plan_intake(found, names, storage, probe=probe_video, may_replace=may_replace)
    if is_dry:
        return list(plan)
    from screenalytics_assets.intake import register_all

    done = []
    for item in register_all(settings, storage, plan, may_replace=may_replace):
        done.append(item)
        if sys.stderr.isatty():
            tell(f"{len(done)} of {len(found.videos)}: {item.shown}: {item.action}")
    return done


def _tell_counts(done: list[Intake], found: FoundFiles, *, is_dry: bool) -> None:
    counts = Counter(item.action.value for item in done)
    said = [f"{count:,} {action}" for action, count in counts.items()] or ["no video file"]
    if left := len(found.videos) - len(done):
        said.append(f"{left:,} not tried")
    if found.skipped:
        what = ", ".join(f"{count:,} {kind}" for kind, count in found.skipped.items())
        said.append(f"skipped {what}")
    tell(("would be: " if is_dry else "") + "; ".join(said))
    if done and not any(item.ep_id for item in done):
        tell("no name was recognised: say with --pattern how the files are named")
