"""`screenalytics run`: one episode, from its video to its report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, step_progress, tell
from screenalytics_assets.cli.imports import import_arrow, without_gc
from screenalytics_assets.cli.people import put_people

if TYPE_CHECKING:
    from screenalytics_assets.results import EpisodeRunResult


def run(
    video: Annotated[
        Path | None, typer.Argument(help="Video file; may be left out once it is registered.")
    ] = None,
    ep_id: Annotated[str, typer.Option("--ep-id", help="Episode, e.g. rhobh-s05e14.")] = ...,  # type: ignore[assignment]
    run_id: Annotated[
        str | None, typer.Option("--run-id", help="Name of a new run, or a run to resume.")
    ] = None,
    profile: options.ProfileName = None,
    models: options.Models = "auto",
    assignments: Annotated[
        list[str] | None, typer.Option("--set", help="Setting, key=value; repeatable.")
    ] = None,
    stage: Annotated[
        list[str] | None, typer.Option("--stage", help="Only this stage; repeatable.")
    ] = None,
    upstream_run_id: Annotated[
        str | None, typer.Option("--upstream-run-id", help="Run that gives missing inputs.")
    ] = None,
    reuse_detections: Annotated[
        bool, typer.Option("--reuse-detections", help="Keep detections though settings changed.")
    ] = False,
    reuse_embeddings: Annotated[
        bool, typer.Option("--reuse-embeddings", help="Keep embeddings though settings changed.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Compute everything anew; reuse no other run.")
    ] = False,
    replace_video: options.ReplaceVideo = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Run an episode and print who was on screen for how long.

    Example: screenalytics run episode.mp4 --ep-id rhobh-s05e14
    """
    # Settings are checked before Dagster is imported: a typo is answered at once.
    from screenalytics_core.config import DEFAULT_PROFILE, EpisodeRunConfig
    from screenalytics_core.stages import STAGE_PLAN, parse_stage

    given = {"models": models, **options.parse_assignments(assignments or [])}
    if reuse_detections:
        given["reuse_detections"] = True
    if reuse_embeddings:
        given["reuse_embeddings"] = True
    config = EpisodeRunConfig.from_mapping(given, profile=profile or DEFAULT_PROFILE)
    stages = tuple(parse_stage(s) for s in stage) if stage else STAGE_PLAN

    with without_gc():
        import_arrow(without=("pandas",))
        from screenalytics_assets.engine import Launch, run_episode
        from screenalytics_assets.settings import Settings

    with step_progress() as listener:
        result = run_episode(
            ep_id,
            video,
            config,
            stages=stages,
            settings=Settings.from_env(data_root=data_root),
            launch=Launch(
                run_id=run_id,
                upstream_run_id=upstream_run_id,
                fresh=fresh,
                replace_video=replace_video,
                listener=listener,
                tell=tell,
            ),
        )
    show_result(result, as_json)
    if not result.success:
        raise typer.Exit(1)


def show_result(result: EpisodeRunResult, as_json: bool) -> None:
    """Print a result: JSON, or a table of people and where the report lies."""
    if as_json:
        put_json(result.to_dict())
    elif result.success and result.screen_time is not None:
        put_people(f"{result.ep_id}  run {result.run_id}", result.screen_time)
    if not result.success:
        tell(f"run {result.ep_id}/{result.run_id} failed: {result.error}")
    elif "report" in result.artifacts:
        tell(f"report: {result.artifacts['report']}")
    else:
        tell(f"run {result.ep_id}/{result.run_id}: done in {result.runtime_sec:.1f} s")
