"""`screenalytics evaluate`: a run held against a labelled truth."""

from __future__ import annotations

import json
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.cells import Cell
from screenalytics_assets.cli.console import put_json, put_table, tell
from screenalytics_assets.cli.run_names import resolve_run

if TYPE_CHECKING:
    from screenalytics_assets.stores import Stores
    from screenalytics_core.evaluation.prediction import Prediction
    from screenalytics_core.evaluation.truth import Truth
    from screenalytics_core.evaluation.verdict import Evaluation

_SPARE = ("time_iou", "total_s", "low_s", "high_s")


def evaluate(
    truth: Annotated[
        Path, typer.Option("--truth", help="Truth file (JSON); docs/evaluation.md describes it.")
    ],
    run: Annotated[str, typer.Option("--run", help="Episode, or EP/RUN.")],
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Hold a run against a truth file: faces, tracks, people as decided, seconds, bounds, cuts.

    Example: screenalytics evaluate --truth rhobh-s05e14.truth.json --run rhobh-s05e14
    """
    from screenalytics_assets.settings import Settings
    from screenalytics_assets.stores import Stores
    from screenalytics_core.evaluation.evaluate import evaluate as hold_against

    known = load_truth(truth)
    stores = Stores.open(Settings.from_env(data_root=data_root).data_root)
    ep_id, run_id = resolve_run(stores.runs, run, None)
    evaluation = hold_against(known, prediction_of_run(stores, ep_id, run_id))
    video = stores.runs.require(ep_id, run_id).source
    if not _is_name_of(known.clip, video):
        tell(
            f"note: the truth is of {known.clip!r}, the run of {video!r}; size, length and rate "
            "are the same"
        )
    for contradiction in evaluation.truth_contradicts:
        tell(f"note: the truth contradicts itself: {contradiction}")
    if as_json:
        put_json({"ep_id": ep_id, "run_id": run_id, **evaluation.to_dict()})
        return
    _show(f"{known.clip}  run {ep_id}/{run_id}", evaluation)


def _is_name_of(clip: str, video: str) -> bool:
    """Tell whether a truth's clip is a video by its name, with or without folders and suffix."""
    from screenalytics_core.gallery.names import folded

    said, name = PurePath(clip), PurePath(video)
    return folded(name.name) == folded(said.name) or folded(name.stem) == folded(said.name)


def load_truth(path: Path) -> Truth:
    """Read a truth file.

    Raises:
        TruthError: It cannot be read, or a field of it is wrong.
    """
    from screenalytics_core.errors import TruthError
    from screenalytics_core.evaluation.truth import read_truth

    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text, object_pairs_hook=_without_repeats)
    except OSError as error:
        raise TruthError(
            thing=f"truth file {path}",
            reason=f"cannot be read: {error.strerror}",
            way_out="Name a JSON file; docs/evaluation.md describes it.",
        ) from error
    except (ValueError, RecursionError) as error:
        raise TruthError(
            thing=f"truth file {path}",
            reason=f"is no JSON of this kind: {error}",
            way_out="Mend it there; docs/evaluation.md describes the format.",
        ) from error
    try:
        return read_truth(document)
    except TruthError as error:
        raise TruthError(**{**error.fields, "thing": f"{path}, {error.thing}"}) from error


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that stands twice, of which JSON would silently take the last."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} stands twice in one object")
        found[name] = value
    return found


def prediction_of_run(stores: Stores, ep_id: str, run_id: str) -> Prediction:
    """Read what of a run is judged; one that has not counted seconds yet is judged without.

    Raises:
        ArtifactNotFoundError: The run has no shots, tracks or identities.
    """
    from screenalytics_core.artifacts import ArtifactKind
    from screenalytics_core.evaluation.prediction import prediction_of

    shots = stores.require(ep_id, run_id, ArtifactKind.SHOTS)
    return prediction_of(
        shots=shots.read(),
        frame_times_s=shots.read("frame_times"),
        tracks=stores.require(ep_id, run_id, ArtifactKind.TRACKS).read(),
        identities=stores.require(ep_id, run_id, ArtifactKind.IDENTITIES).read(),
        screen_time=stores.read_if_there(ep_id, run_id, ArtifactKind.SCREEN_TIME),
        cast=stores.read_if_there(ep_id, run_id, ArtifactKind.CAST),
    )


def _show(title: str, evaluation: Evaluation) -> None:
    from screenalytics_core.evaluation.table import figures, seconds_rows

    lines = [(f.figure, Cell(f.value, is_number=True), f.of) for f in figures(evaluation)]
    put_table(title, ("figure", "value", "of"), lines)
    rows = seconds_rows(evaluation)
    columns = tuple(rows[0]) if rows else ()
    put_table(
        "seconds of visible face; low_s to high_s bound total_s",
        columns,
        [tuple(r.values()) for r in rows],
        spare=_SPARE,
    )
    if evaluation.other_reading is not None:
        tell("--json has the figures of the other reading too, under alt_reading")
    if evaluation.bounds is None:
        tell("stated bounds are not judged; docs/evaluation.md says what that takes")
