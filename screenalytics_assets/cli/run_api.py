"""`screenalytics run --api`: the same run, made by a server."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from screenalytics_assets.cli.console import StepProgress, put_json, step_progress, tell

if TYPE_CHECKING:
    from screenalytics_assets.api_client import ApiClient, Document, Heard
    from screenalytics_assets.results import EpisodeRunResult


@dataclass(frozen=True, slots=True)
class ServerRun:
    """What a server is asked to run.

    Attributes:
        video: Sent first; None when the episode has its video there.
        stages: By name; empty = all.
        settings: As given; what is not given is the server's profile's.
        names: `run_id` and the like; None is left out.
    """

    ep_id: str
    video: Path | None = None
    replace_video: bool = False
    stages: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str | None] = field(default_factory=dict)


def run_on_server(url: str, wanted: ServerRun, *, follow: bool, as_json: bool) -> None:
    """Start a job on a server; with `follow` show it to its end as if it ran here.

    Ctrl-C cancels the job and waits for its end; a second one leaves it to itself.

    Raises:
        Exit: It failed, or was canceled: 1.
        ApiError: The server cannot be reached, or refused.
        SettingsError: Something that was asked for cannot be meant.
    """
    from screenalytics_assets.api_client import ApiClient
    from screenalytics_assets.settings import Settings
    from screenalytics_core.episodes import EpisodeId

    ep_id = EpisodeId.parse(wanted.ep_id).text
    with ApiClient(url, Settings.from_env().api.token) as api:
        if wanted.video is not None:
            tell(f"sending {wanted.video} ...")
            api.send_video(ep_id, wanted.video, replace=wanted.replace_video)
        names = {name: value for name, value in wanted.names.items() if value is not None}
        job = api.start({"ep_id": ep_id, **wanted.settings, **names}, _job_type(wanted))
        tell(f"job {job['job_id']}, run {ep_id}/{job['run_id']}")
        if follow:
            end = _follow(api, job["job_id"])
            _show_end(api, end, as_json=as_json)
        elif as_json:
            put_json(job)
        else:
            tell(f"it goes on there: {api.url}/jobs/{job['job_id']}")


def check_for_server(url: str | None, wanted: ServerRun, *, fresh: bool, data_root: object) -> None:
    """Refuse what a server cannot be asked for.

    Raises:
        SettingsError: It can only be meant for a run in this process.
    """
    from screenalytics_core.errors import SettingsError

    refused = {
        "--follow": (url is None, "follows what a server runs", "Name it: --api URL."),
        "--fresh": (fresh, "is not among a job's settings", "Leave it out, or run it here."),
        "--data-root": (data_root is not None, "is the server's own", "Leave it out."),
        "--stage": (len(wanted.stages) > 1, "may name one with --api", "Start one job for each."),
    }
    for thing, (is_refused, reason, way_out) in refused.items():
        if is_refused:
            raise SettingsError(thing=thing, reason=reason, way_out=way_out)


def _job_type(wanted: ServerRun) -> str:
    from screenalytics_core.stages import parse_stage

    return parse_stage(wanted.stages[0]).value if wanted.stages else "episode-run"


def _follow(api: ApiClient, job_id: str) -> Document:
    """Show a job's progress and return its end."""
    progress = api.progress(job_id, tell)
    is_canceled = False
    with step_progress() as bars:
        while True:
            try:
                for heard in progress:
                    if heard.name == "end":
                        return heard.data
                    _show(bars, heard)
            except KeyboardInterrupt:
                if is_canceled:
                    tell(f"left to itself: {api.url}/jobs/{job_id}")
                    raise typer.Exit(1) from None
                is_canceled = True
                tell("canceling the job; Ctrl-C again leaves it to itself")
                api.cancel(job_id)


def _show(bars: StepProgress, heard: Heard) -> None:
    """Show what a step reports, as a run in this process does."""
    data = heard.data
    if heard.name == "progress" and data["step"] is not None:
        is_counted = data["done"] is not None
        message = data["message"] if is_counted else ""
        bars(data["step"], data["done"] or 0, data["total"] or 0, message)


def _show_end(api: ApiClient, end: Document, *, as_json: bool) -> None:
    from screenalytics_assets.cli.run import show_result

    if end["state"] == "completed":
        show_result(_result(api.ended_job(end["job_id"])["summary"]), as_json)
        return
    if as_json:
        put_json(
            {
                "episode_id": end["ep_id"],
                "success": False,
                "error": end["error"],
                "error_code": end["error_code"],
                "ep_id": end["ep_id"],
                "run_id": end["run_id"],
                "dagster_run_id": end["job_id"],
                "state": end["state"],
            }
        )
    word = "was canceled" if end["state"] == "canceled" else "failed"
    why = "" if end["error"] == "canceled" else f": {end['error']}"
    tell(f"run {end['ep_id']}/{end['run_id']} {word}{why}")
    raise typer.Exit(1)


def _result(summary: Document) -> EpisodeRunResult:
    """Return what a server tells of a run, as a run in this process returns it."""
    from dataclasses import fields

    from screenalytics_assets.results import EpisodeRunResult, StageResult

    def known(kind: type, values: Document) -> Document:
        names = {f.name for f in fields(kind)}
        return {name: value for name, value in values.items() if name in names}

    stages = tuple(StageResult(**known(StageResult, s)) for s in summary["stages"])
    return EpisodeRunResult(**{**known(EpisodeRunResult, summary), "stages": stages})
