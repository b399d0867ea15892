"""`screenalytics demo`: a real-face episode composed here, run whole, held against its truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, put_table, step_progress, tell

if TYPE_CHECKING:
    from screenalytics_assets.results import EpisodeRunResult
    from screenalytics_assets.settings import Settings

EP_ID = "demo-s01e01"
# A person who is missed, or an identity who is nobody, is off by all of its seconds.
ACCEPTED_PERCENT = 2.0
COLUMNS = ("person", "identity_id", "true_s", "measured_s", "error_s", "error_percent_of_length")


def demo(
    folder: Annotated[
        Path, typer.Option("--folder", help="Where the demo's data root is made.")
    ] = Path("demo"),
    models: options.Models = "lite",
    as_json: options.AsJson = False,
) -> None:
    """Compose the demo episode, run everything, print screen time against the truth.

    Example: screenalytics demo
    """
    from screenalytics_assets.engine import Launch, run_episode
    from screenalytics_assets.settings import Settings
    from screenalytics_core.config import DEFAULT_PROFILE, EpisodeRunConfig
    from screenalytics_core.demo import compose_demo

    tell("composing the demo episode from the pictures in insightface and scikit-image ...")
    episode = compose_demo(folder)
    config = EpisodeRunConfig.from_mapping({"models": models}, profile=DEFAULT_PROFILE)
    settings = Settings.from_env(data_root=folder / "data")
    with step_progress() as listener:
        launch = Launch(listener=listener, tell=tell, replace_video=True)
        result = run_episode(EP_ID, episode.video_path, config, settings=settings, launch=launch)
    if not result.success:
        tell(f"demo failed: {result.error}")
        raise typer.Exit(1)
    _mark_as_placeholder(settings, result)
    rows = _against_truth(json.loads(episode.truth_path.read_text()), result, settings)
    if as_json:
        put_json({**result.to_dict(), "truth": rows})
    else:
        _show(rows, result, episode.video_path)
    if any(abs(row["error_percent_of_length"]) > ACCEPTED_PERCENT for row in rows):
        tell(f"a person is more than {ACCEPTED_PERCENT:g} % of the episode's length off the truth")
        raise typer.Exit(1)


def _mark_as_placeholder(settings: Settings, result: EpisodeRunResult) -> None:
    """Say in the run index that this is no real episode."""
    from screenalytics_assets.stores import Stores

    ledger = Stores.open(settings.data_root).ledger
    ledger.patch_index(result.ep_id, result.run_id, {"pipelineMode": "placeholder"})


def _show(rows: list[dict[str, Any]], result: EpisodeRunResult, video_path: Path) -> None:
    put_table(f"demo episode, run {result.run_id}", COLUMNS, [tuple(r.values()) for r in rows])
    tell(
        f"{result.identities_count} people found; "
        f"{result.tracks_count} tracks, {result.faces_count} faces, {result.runtime_sec:.1f} s"
    )
    tell(f"video:  {video_path}")
    tell(f"report: {result.artifacts['report']}")


def _against_truth(
    truth: dict[str, Any], result: EpisodeRunResult, settings: Settings
) -> list[dict[str, Any]]:
    from screenalytics_assets.cli.evaluate import prediction_of_run
    from screenalytics_assets.stores import Stores
    from screenalytics_core.evaluation.evaluate import evaluate
    from screenalytics_core.evaluation.table import seconds_rows
    from screenalytics_core.evaluation.truth import read_truth

    prediction = prediction_of_run(Stores.open(settings.data_root), result.ep_id, result.run_id)
    rows = seconds_rows(evaluate(read_truth(truth), prediction))
    return [{name: row[name] for name in COLUMNS} for row in rows]
