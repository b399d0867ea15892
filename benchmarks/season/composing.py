"""Writes a season: a video and a truth per episode, and one file that says what is in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from benchmarks.composed.compose import Composed, compose
from benchmarks.season.plan import PlannedEpisode, SeasonPlan

PLAN_NAME: Final = "season.json"
Tell = Callable[[str], None]


def compose_season(plan: SeasonPlan, folder: Path, tell: Tell) -> list[Composed]:
    """Write the season's episodes into `folder`; the same libraries give the same bytes."""
    planned = list(plan)
    made = []
    for one in planned:
        made.append(compose(one.episode, folder))
        seconds = float(one.episode.frame_count / one.episode.encoding.fps)
        tell(f"{made[-1].video_path} {seconds:.1f} s")
    document = season_document(plan, planned)
    (folder / PLAN_NAME).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return made


def season_document(plan: SeasonPlan, planned: list[PlannedEpisode]) -> dict[str, Any]:
    """Return what the season is made of, and how often an episode shows others' frames."""
    shown_in = Counter(
        showing
        for one in planned
        for showing in dict.fromkeys(one.showings)
        if showing.person in plan.people.names
    )
    return {
        "show": plan.show,
        "seed": plan.seed,
        "cast": [p.name for p in plan.people.cast],
        "stretches": {
            p.name: {
                "known": len(p.stretches),
                "shown": sum(showing.person == p.name for showing in shown_in),
                "most_episodes_with_one": max(
                    (n for showing, n in shown_in.items() if showing.person == p.name), default=0
                ),
            }
            for p in plan.people.cast
        },
        "episodes": [
            {
                "ep_id": one.episode.name,
                "fps": float(one.episode.encoding.fps),
                "frames": one.episode.frame_count,
                "showings": [asdict(showing) for showing in one.showings],
            }
            for one in planned
        ],
    }
