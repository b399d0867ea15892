"""`screenalytics run`: one episode, from its video to its report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, step_progress, tell
from screenalytics_assets.cli.imports import import_arrow, without_gc
from screenalytics_assets.cli.people import put_people
from screenalytics_assets.cli.run_api import ServerRun, check_for_server, run_on_server

if TYPE_CHECKING:
    from screenalytics_assets.results import EpisodeRunResult
    from screenalytics_core.config import EpisodeRunConfig
    from screenalytics_core.stages import PipelineStage


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
    api: Annotated[
        str | None, typer.Option("--api", help="Let this server run it; VIDEO is sent there.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="With --api: wait, and show it as if it ran here.")
    ] = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Run an episode and print who was on screen for how long.

    With --api the job goes on at the server whatever becomes of this command; with --follow,
    Ctrl-C cancels it, and a second Ctrl-C leaves it to itself. SCREENALYTICS_API_TOKEN is sent.

    Example: screenalytics run episode.mp4 --ep-id rhobh-s05e14
    """
    switches = {"reuse_detections": reuse_detections, "reuse_embeddings": reuse_embeddings}
    given = {
        "models": models,
        **options.parse_assignments(assignments or []),
        **{name: True for name, is_given in switches.items() if is_given},
    }
    if api is not None or follow:
        names = {"run_id": run_id, "profile": profile, "upstream_run_id": upstream_run_id}
        wanted = ServerRun(ep_id, video, replace_video, tuple(stage or ()), given, names)
        check_for_server(api, wanted, fresh=fresh, data_root=data_root)
        run_on_server(api or "", wanted, follow=follow, as_json=as_json)
        return
    # Settings are checked before Dagster is imported: a typo is answered at once.
    from screenalytics_core.config import DEFAULT_PROFILE, EpisodeRunConfig
    from screenalytics_core.stages import STAGE_PLAN, parse_stage

    config = EpisodeRunConfig.from_mapping(given, profile=profile or DEFAULT_PROFILE)
    stages = tuple(parse_stage(s) for s in stage) if stage else STAGE_PLAN

    launch = {
        "run_id": run_id,
        "upstream_run_id": upstream_run_id,
        "fresh": fresh,
        "replace_video": replace_video,
    }
    result = _run_here(ep_id, video, config, stages, data_root, launch)
    show_result(result, as_json)
    if not result.success:
        raise typer.Exit(1)


def _run_here(
    ep_id: str,
    video: Path | None,
    config: EpisodeRunConfig,
    stages: tuple[PipelineStage, ...],
    data_root: str | None,
    launch: dict[str, Any],
) -> EpisodeRunResult:
    """Run it in this process, and show how far it is."""
    with without_gc():
        import_arrow(without=("pandas",))
        from screenalytics_assets.engine import Launch, run_episode
        from screenalytics_assets.settings import Settings

    with step_progress() as listener:
        return run_episode(
            ep_id,
            video,
            config,
            stages=stages,
            settings=Settings.from_env(data_root=data_root),
            launch=Launch(**launch, listener=listener, tell=tell),
        )


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
