"""On the labelled clips every figure is that of the scorer which the labels came with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from screenalytics_core.evaluation.evaluate import evaluate
from screenalytics_core.evaluation.truth import read_truth
from tests.unit.evaluation.clips import prediction_from, worsened

SHARED = Path(__file__).parents[4] / "shared"
CLIPS = ("avenger2", "dirtydancing", "herapheri", "short_hamilton_clip")
SEEDS = (1, 2)
# The scorer rounds to four decimals.
ROUNDING = 0.51e-4

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(
        not (SHARED / "tools" / "score.py").is_file(), reason="the labelled clips are not here"
    ),
]


def scored(labels: Path, found: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return what the scorer prints."""
    rows = "".join(json.dumps(track) + "\n" for track in found["tracks"])
    (folder / "tracks.jsonl").write_text(rows)
    for name in ("identities", "shots"):
        (folder / f"{name}.json").write_text(json.dumps({name: found[name]}))
    files = {
        "--truth": labels,
        "--tracks": folder / "tracks.jsonl",
        "--identities": folder / "identities.json",
        "--shots": folder / "shots.json",
    }
    words = [str(word) for pair in files.items() for word in pair]
    script = str(SHARED / "tools" / "score.py")
    done = subprocess.run(
        [sys.executable, script, *words], check=True, capture_output=True, text=True
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def differences(theirs: Any, ours: Any, place: str = "") -> list[str]:
    """Return where ours is not theirs; what only we have does not count."""
    if isinstance(theirs, dict):
        missing = [f"{place}.{k} is missing" for k in theirs if k not in ours]
        shared = [k for k in theirs if k in ours]
        return missing + [
            d for k in shared for d in differences(theirs[k], ours[k], f"{place}.{k}")
        ]
    if isinstance(theirs, list):
        if len(theirs) != len(ours):
            return [f"{place}: {len(theirs)} theirs, {len(ours)} ours"]
        pairs = enumerate(zip(theirs, ours, strict=True))
        return [d for at, (a, b) in pairs for d in differences(a, b, f"{place}[{at}]")]
    if isinstance(theirs, float) and isinstance(ours, int | float):
        return [] if abs(theirs - ours) <= ROUNDING else [f"{place}: {theirs} theirs, {ours} ours"]
    return [] if theirs == ours else [f"{place}: {theirs} theirs, {ours} ours"]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("clip", CLIPS)
def test_every_figure_of_the_scorer_is_ours_too(clip: str, seed: int, tmp_path: Path) -> None:
    path = SHARED / "clips" / "truth" / f"{clip}.json"
    labels = json.loads(path.read_text())
    found = worsened(labels, seed)
    theirs = scored(path, found, tmp_path)

    ours = evaluate(read_truth(labels), prediction_from(labels, found)).to_dict()

    assert differences(theirs, ours) == []
    assert 0.5 < theirs["bcubed"]["f1"] < 0.99, "the run must be neither right nor hopeless"


def test_the_other_reading_is_the_scorers_too(tmp_path: Path) -> None:
    labels = json.loads((SHARED / "clips" / "truth" / "avenger2.json").read_text())
    doubt = {"person": "Thor", "becomes": "Loki", "start": 200, "end": 300, "main": True}
    back = {"person": "Tony", "becomes": "Steve", "start": 141, "end": 160}
    labels["alt_reading"] = [doubt, back]
    labels["maybe"] = {"Tony": [[223, 230]]}
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(labels))
    found = worsened(labels, 4)
    theirs = scored(path, found, tmp_path)

    ours = evaluate(read_truth(labels), prediction_from(labels, found)).to_dict()

    assert differences(theirs, ours) == []
    assert ours["alt_reading"]["persons"][-1]["person"] == "Loki"
    assert ours["alt_reading"]["bcubed"] != ours["bcubed"]
