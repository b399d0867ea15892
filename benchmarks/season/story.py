"""A season from a folder of files to a checked table, on the command line alone.

The script plays the analyst who knows everybody: it looks at the truth only to decide what
such a person would type, and to judge what comes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.season.commands import Commands
from benchmarks.season.links import JudgedLinks, judge_links
from benchmarks.season.naming import (
    names_left_out,
    names_to_confirm,
    names_to_give,
    tracks_to_move,
)
from benchmarks.season.roll_up import season_rows, stated_seconds
from benchmarks.season.seen_runs import SeenRuns, people_by_identity
from benchmarks.season.standing import backfill_cost, changed, kept_by_episode, names_by_episode
from screenalytics_core.report.review import LONG_S

KILLS: Final = 2
# A kill comes some seconds after an episode has ended, wherever the next one is by then.
_AFTER_S: Final = (0.0, 12.0)
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Story:
    """One telling of it.

    Attributes:
        season: As `demo-s01`.
        settings: Arguments of every backfill.
        seed: Of the moments at which it is killed.
    """

    commands: Commands
    runs: SeenRuns
    videos: Path
    season: str
    settings: tuple[str, ...]
    tell: Tell
    seed: int = 0
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def episodes(self) -> list[str]:
        """Episodes in order."""
        return sorted(self.runs.truths)

    def register(self) -> None:
        """Make episodes of the folder, twice: the second time nothing is new."""
        show = self.season.rpartition("-s")[0]
        for _ in range(2):
            self.tell(f"episodes add {self.videos} --show {show}")
            self.commands.run("episodes", "add", str(self.videos), "--show", show)

    def backfill(self, *which: str) -> dict[str, Any]:
        """Backfill the season; return seconds, of all and of the slowest episode."""
        self.tell(" ".join(("backfill", self.season, *which)))
        measured = self.commands.run("backfill", self.season, *which, *self.settings)
        return backfill_cost(measured, self.commands.read("backfill", "status"))

    def backfill_with_kills(self) -> None:
        """Backfill everything, killed at random moments on the way and started again."""
        random = np.random.default_rng(self.seed)
        count = len(self.episodes)
        kills = []
        again: list[str] = []
        for number in range(1, KILLS + 1):
            before = self.runs.finished()
            wanted = min(count - 1, len(before) + int(random.integers(1, max(2, count // 3))))
            after_s = float(random.uniform(*_AFTER_S))
            self.tell(f"backfill {self.season}, to be killed after {wanted} episodes ({number})")
            lived_s = self.commands.run_and_kill(
                "backfill", self.season, *self.settings,
                is_due=lambda wanted=wanted: len(self.runs.finished()) >= wanted,  # type: ignore[misc]
                after_s=after_s,
            )  # fmt: skip
            done = self.runs.finished()
            again += changed(before, done)
            kills.append({"lived_s": round(lived_s, 1), "finished": len(done)})
        before = self.runs.finished()
        last = self.backfill()
        done = self.runs.finished()
        self.result["backfill"] = {
            "kills": kills,
            "last": last,
            "finished": len(done),
            "computed_again": sorted({*again, *changed(before, done)}),
        }

    def name_the_cast(self) -> None:
        """Name those of episode 1 there, see what carries over, then the others likewise."""
        known: set[str] = set()
        rounds = []
        first, *others = self.episodes
        for ep_ids in ([first], others):
            given = {}
            for ep_id in ep_ids:
                wanted = self.runs.cast - known
                tracks = self.runs.sightings_of(ep_id) if wanted else ()
                given[ep_id] = names_to_give(tracks, wanted)
                for identity_id, name in given[ep_id].items():
                    self._label(ep_id, identity_id, name)
                known |= set(given[ep_id].values())
            if not any(given.values()):
                continue
            cost = self.backfill("--stale")
            names = names_by_episode(self.runs.sightings(), known)
            named = {ep_id: ids for ep_id, ids in given.items() if ids}
            rounds.append({"named": named, "backfill": cost, "names": names})
            self.tell(f"names: {names['all']}")
        self.result["naming"] = rounds

    def confirm_suggestions(self) -> None:
        """Look at everybody whom the runs only suggest a name for; say those that are right."""
        shown, given = 0, {}
        for ep_id in self.episodes:
            listed = self.commands.read("identities", "list", ep_id)["people"]
            shown += sum(bool(row["suggestions"]) for row in listed)
            people = people_by_identity(self.runs.sightings_of(ep_id))
            given[ep_id] = names_to_confirm(listed, people)
            for identity_id, name in given[ep_id].items():
                self._label(ep_id, identity_id, name)
        told: dict[str, Any] = {
            "shown": shown,
            "confirmed": {ep_id: ids for ep_id, ids in given.items() if ids},
        }
        if told["confirmed"]:
            told["backfill"] = self.backfill("--stale")
        told["names"] = names_by_episode(self.runs.sightings(), self.runs.cast)
        self.tell(f"names: {told['names']['all']}")
        self.result["suggestions"] = told

    def confirm_links(self) -> None:
        """Answer what the season proposes for those who are still unnamed."""
        links = self._links()
        for link_id in links.right:
            self.tell(f"season confirm {self.season} {link_id}")
            self.commands.run("season", "confirm", self.season, link_id, "--no-run")
        for link_id in links.wrong:
            self.tell(f"season reject {self.season} {link_id}")
            self.commands.run("season", "reject", self.season, link_id, "--no-rollup")
        told: dict[str, Any] = {
            "confirmed": len(links.right),
            "rejected": len(links.wrong),
            "statuses": links.statuses,
        }
        if links.right:
            told["backfill"] = self.backfill("--stale")
        told["names"] = names_by_episode(self.runs.sightings(), self.runs.cast)
        self.tell(f"names: {told['names']['all']}")
        self.result["links"] = told

    def review(self) -> None:
        """Look at the tracks in doubt that have a name, and at whoever is long without one."""
        self.result["people_unreviewed"] = self._judged()
        looked_at = 0
        moved: dict[str, dict[int, str | None]] = {}
        named: dict[str, dict[str, str]] = {}
        for ep_id in self.episodes:
            doubtful = self.commands.read("identities", "review", ep_id)["tracks"]
            listed = self.commands.read("identities", "list", ep_id)["people"]
            tracks = self.runs.sightings_of(ep_id)
            looked_at += sum(row["given"] in self.runs.cast for row in doubtful)
            looked_at += sum(r["label"] is None and r["face_s"] >= LONG_S for r in listed)
            people = people_by_identity(tracks)
            moved[ep_id] = tracks_to_move(doubtful, tracks, self.runs.cast)
            named[ep_id] = names_left_out(listed, people, self.runs.cast, LONG_S)
            for identity_id, name in named[ep_id].items():
                self._label(ep_id, identity_id, name)
            for track_id, person in moved[ep_id].items():
                self._move(ep_id, track_id, person)
        told: dict[str, Any] = {
            "looked_at": looked_at,
            "moved": {ep_id: ids for ep_id, ids in moved.items() if ids},
            "named": {ep_id: ids for ep_id, ids in named.items() if ids},
        }
        if told["moved"] or told["named"]:
            told["backfill"] = self.backfill("--stale")
        told["names"] = names_by_episode(self.runs.sightings(), self.runs.cast)
        self.tell(f"names: {told['names']['all']}")
        self.result["review"] = told

    def roll_up(self) -> None:
        """Hold the season's table against the truth."""
        self.result["people"] = self._judged()

    def _judged(self) -> list[dict[str, Any]]:
        self._add_up()
        document = self.commands.read("season", "show", self.season)
        rows = season_rows(self.runs.truths, stated_seconds(document))
        return [
            asdict(row)
            | {
                "error_percent": row.error_percent,
                "tolerant_error_percent": row.tolerant_error_percent,
            }
            for row in rows
        ]

    def recluster(self, thresholds: Sequence[float]) -> None:
        """Cluster every episode anew with other thresholds and see whether names are kept."""
        before = self.runs.sightings()
        rounds = []
        for threshold in thresholds:
            cost = self.backfill("--all", "--set", f"cluster_thresh={threshold:g}")
            kept = kept_by_episode(before, self.runs.sightings())
            rounds.append({"cluster_thresh": threshold, "backfill": cost, **kept})
        self.result["reclustering"] = rounds

    def thresholds(self, around: float) -> list[float]:
        """Return a looser and a stricter threshold than the one that the runs have."""
        document = self.commands.read("season", "link", self.season)
        used = max(row["cluster_thresh"] for row in document["episodes"])
        return [round(used - around, 4), round(used + around, 4)]

    def _label(self, ep_id: str, identity_id: str, name: str) -> None:
        self.tell(f"identities label {ep_id} {identity_id} {name!r}")
        self.commands.run("identities", "label", ep_id, identity_id, name, "--no-run")

    def _move(self, ep_id: str, track_id: int, person: str | None) -> None:
        to = "--nobody" if person is None else person
        self.tell(f"identities move-track {ep_id} {track_id} {to}")
        self.commands.run("identities", "move-track", ep_id, str(track_id), to, "--no-run")

    def _links(self) -> JudgedLinks:
        self._add_up()
        document = self.commands.read("season", "link", self.season)
        people = {e: people_by_identity(t) for e, t in self.runs.sightings().items()}
        return judge_links(document, people)

    def _add_up(self) -> None:
        self.tell(f"season rollup {self.season}")
        self.commands.run("season", "rollup", self.season)
