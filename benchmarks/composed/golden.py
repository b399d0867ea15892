"""Expected summaries of the named episodes: `python -m benchmarks.composed.golden [--write]`.

Each episode, cut down to some of its shots, goes through the real pipeline with the lite pack
and the profile `balanced`. What comes out is compared with the committed summaries within
tolerances for other processors' rounding; `--write` replaces them after an intended change.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchmarks.composed.compose import Composed, Episode, compose
from benchmarks.composed.episodes import EPISODES
from benchmarks.processes import ROOT, BenchError
from benchmarks.quality.scoring import product_prediction
from screenalytics_assets.engine import PipelineStage, run_episode
from screenalytics_assets.settings import Settings
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.evaluation.evaluate import evaluate
from screenalytics_core.evaluation.truth import read_truth
from screenalytics_core.stages import STAGE_PLAN
from screenalytics_core.storage.data_root import DataRoot

FOLDER: Final = ROOT / "tests" / "golden"
# Counts must be exactly so. The others may differ by what one look more or less can do: regular
# looks are about a third of a second apart, and closer ones between where something changes.
TOLERANCES: Final = {
    "bcubed_f1": 0.03,
    "recall": 0.03,
    "precision": 0.03,
    "error_percent": 1.5,
    "true_s": 0.0,
    "seen_s": 0.2,
    "true_total_s": 0.0,
    "total_s": 0.4,
    "low_s": 0.4,
    "high_s": 0.4,
}
# Shots that are enough to show each difficulty; the whole episodes would take half as long again.
_SHOTS: Final = {
    "aba_cutting": (0, 1, 2, 3, 4, 5),
    "leave_and_return": (0, 1),
    "occlusion": (0, 1),
    "zooms": (0, 1, 3),
    "dark_and_bright": (0, 1, 2, 3, 4),
    "low_bitrate": (0, 2),
    "variable_frame_rate": (0, 1),
    "letterbox": (0, 1, 3),
    "blends_and_flashes": (0, 1, 2, 3),
    "fast_heads": (0, 1),
    "still_and_slow": (1, 2),
}
# Nobody looks at the pages.
_STAGES: Final = tuple(stage for stage in STAGE_PLAN if stage is not PipelineStage.PDF_EXPORT)
GOLDEN: Final = tuple(_SHOTS)
_EP_ID: Final = "golden-s01e{number:02d}"


def golden_episode(name: str) -> Episode:
    """Return the named episode, cut down."""
    whole = EPISODES[name]()
    return replace(whole, shots=tuple(whole.shots[i] for i in _SHOTS[name]))


def run_golden(name: str, folder: Path) -> dict[str, Any]:
    """Compose the episode and run it below `folder`; return its summary.

    Raises:
        BenchError: The run failed.
    """
    made = compose(golden_episode(name), folder)
    settings = replace(
        Settings.from_env(), data_root=folder / "data", dagster_home=folder / "data" / ".dagster"
    )
    config = EpisodeRunConfig.from_mapping(
        {"models": "lite", "save_crops": False, "workers": 1}, profile="balanced"
    )
    ep_id = _EP_ID.format(number=GOLDEN.index(name) + 1)
    result = run_episode(ep_id, made.video_path, config, stages=_STAGES, settings=settings)
    if not result.success:
        raise BenchError(f"{name}: {result.error}")
    return summary(made, settings.data_root, ep_id, result.run_id)


def summary(made: Composed, data_root: DataRoot, ep_id: str, run_id: str) -> dict[str, Any]:
    """Return what of a run is expected to stay."""
    prediction, _ = product_prediction(data_root, ep_id, run_id)
    found = evaluate(read_truth(made.truth()), prediction).to_dict()
    return {
        "shots": len(prediction.cuts or ()) + 1,
        "true_shots": len(made.truth()["cuts"]) + 1,
        "people": found["identities"]["predicted_with_a_matched_clear_face"],
        "true_people": found["identities"]["truth_persons_with_clear_faces"],
        "bcubed_f1": _rounded(found["bcubed"]["f1"]),
        "recall": _rounded(found["faces"]["recall"]),
        "precision": _rounded(found["faces"]["precision"]),
        "error_percent": _rounded(found["screen_time"]["tolerant_mae_percent_of_clip"]),
        "persons": {
            person["person"]: {
                "true_s": _rounded(person["true_s"]),
                "seen_s": _rounded(person["pred_s"]),
                "true_total_s": _rounded(person["true_total_s"]),
                "total_s": _rounded(person["total_s"]),
                "low_s": _rounded(person["low_s"]),
                "high_s": _rounded(person["high_s"]),
            }
            for person in found["persons"]
            if person["main"]
        },
    }


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 3)


def differences(expected: Any, found: Any, place: str = "") -> Iterator[str]:
    """Yield a line for each figure that is not as expected within its tolerance."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for key in dict.fromkeys([*expected, *found]):
            where = f"{place}, {key}" if place else str(key)
            if key not in found or key not in expected:
                yield f"{where}: {'is gone' if key in expected else 'is new'}"
            else:
                yield from differences(expected[key], found[key], where)
        return
    tolerance = TOLERANCES.get(place.rsplit(", ", 1)[-1], 0.0)
    if expected is None or found is None:
        is_same = expected is found
    else:
        # Both are rounded to the third decimal.
        is_same = abs(expected - found) <= tolerance + 5e-4
    if not is_same:
        allowed = f" (tolerance {tolerance:g})" if tolerance else ""
        yield f"{place}: expected {expected}, found {found}{allowed}"


def expected_summary(name: str) -> dict[str, Any]:
    """Read the committed summary."""
    document: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return document


def main() -> None:
    """Compare all, or write what is found now."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="replace the expected summaries")
    parser.add_argument("names", nargs="*", default=GOLDEN, help="episodes; all if none")
    args = parser.parse_args()
    told = []
    for name in args.names:
        with tempfile.TemporaryDirectory(prefix="screenalytics-golden-") as folder:
            found = run_golden(name, Path(folder))
        if (FOLDER / f"{name}.json").is_file():
            told += [f"{name}: {line}" for line in differences(expected_summary(name), found)]
        if args.write:
            text = json.dumps(found, indent=1, sort_keys=True) + "\n"
            (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")
    print("\n".join(told) or "all as expected")
    if told and not args.write:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
