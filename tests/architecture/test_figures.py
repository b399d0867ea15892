"""The figures that docs/evaluation.md names are those of the results that are kept."""

from __future__ import annotations

import json
from typing import Any

from tests.architecture.house import ROOT

DOCUMENT = ROOT / "docs" / "evaluation.md"
RESULTS = ROOT / "benchmarks" / "results"
COMPOSED = {
    "pictures and clips, faces": ("composed.json", "faces"),
    "pictures, faces and bodies": ("composed_pictures.json", "bodies"),
}
TRACKERS = {
    "product (0.7, as ByteTrack)": "product at 0.7",
    "product": "product",
    "ByteTrack": "bytetrack",
    "ByteTrack, best of a grid": "bytetrack best",
}


def result(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((RESULTS / name).read_text(encoding="utf-8"))
    return document


def table(head: str) -> list[list[str]]:
    """Return the cells of the only table whose first line is `head`, without its head."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text.count(f"{head}\n") == 1
    lines = text.split(f"{head}\n")[1].split("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def clip_figures(setup: str, who: str) -> list[str]:
    rows = [r for r in result("quality.json")["clips"] if (r["setup"], r["who"]) == (setup, who)]
    (mean,) = (row for row in rows if row["clip"] == "mean")
    each = [row for row in rows if row["clip"] != "mean"]
    worst_f1 = min(row["bcubed_f1"] for row in each)
    worst_error = max(row["tolerant_error_percent"] for row in each)
    return [
        f"{mean['bcubed_f1']:.3f} ({worst_f1:.3f})",
        f"{mean['tolerant_error_percent']:.2f} ({worst_error:.2f})",
        f"{mean['identities']} / {mean['people']}",
        f"{mean['recall']:.3f} / {mean['precision']:.3f}",
    ]


def test_the_labelled_clips() -> None:
    stated = table(
        "| | B-cubed F1 | tolerant error, % of the clip | identities / people "
        "| face recall / precision |"
    )

    assert [row[1:] for row in stated] == [
        clip_figures(setup, who) for setup in ("scrfd", "lite") for who in ("product", "naive")
    ]


def composed_row(name: str) -> dict[str, Any]:
    file, who = COMPOSED[name]
    (row,) = (r for r in result(file)["composed"]["rows"] if r["who"] == who)
    return dict(row)


def test_the_composed_episodes() -> None:
    stated = table(
        "| | B-cubed F1 | error % | cut F1 | identities / people | main people that are several |"
    )

    rows = {name: composed_row(name) for name in COMPOSED}
    assert stated == [
        [
            name,
            f"{row['bcubed_f1']:.3f}",
            f"{row['tolerant_error_percent']:.2f}",
            f"{row['cut_f1']:.3f}",
            f"{row['identities']} / {row['people']}",
            str(row["main_people_split"]),
        ]
        for name, row in rows.items()
    ]


def test_the_stated_bounds() -> None:
    stated = table(
        "| stated bounds | people | truth inside | median width | interval score, s "
        "| best one width for all, s |"
    )

    bounds = {name: composed_row(name)["bounds"] for name in COMPOSED}
    assert stated == [
        [
            name,
            str(found["samples"]),
            f"{found['coverage']:.1%}",
            f"{found['median_relative_width']:.1%}",
            f"{found['interval_score_s']:.2f}",
            f"{found['baseline']['interval_score_s']:.2f}",
        ]
        for name, found in bounds.items()
    ]


def test_the_trackers_of_bodies() -> None:
    rows = {row["who"]: row for row in result("quality.json")["tracking"] if row["stride"] == 1}

    assert table("| | MOTA | IDF1 |") == [
        [name, f"{rows[who]['mota']:.3f}", f"{rows[who]['idf1']:.3f}"]
        for name, who in TRACKERS.items()
    ]


def test_memory_by_stage() -> None:
    stated = table(
        "| stage | peak, short | peak, long | what its result grew by | what else grew "
        "| CPU s per minute of video |"
    )

    assert [row[1:] for row in stated] == [
        [
            f"{row['short_mb']:.0f}",
            f"{row['long_mb']:.0f}",
            f"{row['result_mb']:.1f}",
            f"{row['beyond_mb']:+.0f}",
            ", ".join(f"{cpu_s:.1f}" for cpu_s in row["cpu_s_per_minute"]),
        ]
        for row in result("bench.json")["memory"]["stages"]
    ]
