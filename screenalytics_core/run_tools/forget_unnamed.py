"""Who may be a person that is forgotten, but has no name yet: said, and never taken out.

Likeness alone takes nobody out. Who stays for that reason is said by what lies on disk: the
links of rolled-up seasons, and the suggestions of the episodes' active runs. Both are gone once
the vectors are, so the audit's list of the last time is looked through as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from screenalytics_core.artifact_store import ArtifactStore
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.decision_log import DecisionLog
from screenalytics_core.decisions.standing import standing
from screenalytics_core.errors import ArtifactCorruptError, ArtifactNotFoundError
from screenalytics_core.run_record import RunKey
from screenalytics_core.run_tools.forget import Whom, episodes_of_show
from screenalytics_core.run_tools.seen_run import SeenRun, see_run
from screenalytics_core.runs import RunStore
from screenalytics_core.season_store import SeasonStore
from screenalytics_core.seasons.keys import season_of
from screenalytics_core.seasons.record import CAST
from screenalytics_core.seasons.specs import CAST_FILE
from screenalytics_core.storage.base import Storage

_Kind = ArtifactKind
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Unnamed:
    """An identity without a name that may be the person.

    Attributes:
        run_id: The run whose identity it is.
        total_s: Seconds on screen; None if nobody counted them.
        why: Why it may be the person, for people.
    """

    ep_id: str
    run_id: str
    identity_id: str
    total_s: float | None
    why: str

    @property
    def key(self) -> RunKey:
        """Its run."""
        return RunKey(self.ep_id, self.run_id)

    @classmethod
    def from_dict(cls, record: Row) -> Self:
        """Build it from its part of an audit line; TypeError or KeyError if it is none."""
        seconds = record["total_s"]
        return cls(
            ep_id=str(record["ep_id"]),
            run_id=str(record["run_id"]),
            identity_id=str(record["identity_id"]),
            total_s=None if seconds is None else float(seconds),
            why=str(record["why"]),
        )


class UnnamedFinder:
    """Looks for them under one data root."""

    def __init__(
        self,
        storage: Storage,
        runs: RunStore,
        artifacts: ArtifactStore,
        decisions: DecisionLog,
        seasons: SeasonStore,
    ) -> None:
        self._storage = storage
        self._runs = runs
        self._artifacts = artifacts
        self._decisions = decisions
        self._seasons = seasons

    def find(
        self, whom: Whom, taken: Mapping[RunKey, Iterable[int]], before: Iterable[Unnamed] = ()
    ) -> tuple[list[Unnamed], list[str]]:
        """Return who stays, and what could not be looked at, for people.

        Args:
            taken: Run -> face tracks that are taken out, or were.
            before: Who stayed the last time.
        """
        ep_ids = episodes_of_show(self._storage, whom.show)
        seasons = sorted({season for ep_id in ep_ids if (season := season_of(ep_id))})
        found: list[Unnamed] = []
        notes: list[str] = []
        for season in seasons:
            try:
                document = self._seasons.read(season, CAST, CAST_FILE)
            except (ArtifactNotFoundError, ArtifactCorruptError) as error:
                notes.append(f"who is linked in {season} is not known: {error}")
            else:
                found += linked(document, whom.cast_id)
        for ep_id in ep_ids:
            found += self._suggested(ep_id, whom.cast_id)
        return list(self._staying([*found, *before], taken)), notes

    def _suggested(self, ep_id: str, cast_id: str) -> Iterator[Unnamed]:
        run_id = self._runs.active_run_id(ep_id)
        cast = run_id and self._artifacts.ref(ep_id, run_id, _Kind.CAST)
        if not run_id or not cast:
            return
        rows = [s for s in cast.read()["suggestions"] if s["cast_id"] == cast_id]
        screen_time = self._artifacts.ref(ep_id, run_id, _Kind.SCREEN_TIME) if rows else None
        people = screen_time.read()["people"] if screen_time else []
        seconds = {p["identity_id"]: p["total_s"] for p in people if p["cast_id"] is None}
        for row in rows:
            identity_id = row["identity_id"]
            why = f"may be {row['label']}: {row['reason']}"
            yield Unnamed(ep_id, run_id, identity_id, seconds.get(identity_id), why)

    def _staying(
        self, candidates: Iterable[Unnamed], taken: Mapping[RunKey, Iterable[int]]
    ) -> Iterator[Unnamed]:
        """Yield each once, less those that are taken out, have a name or are gone."""
        merged: dict[tuple[RunKey, str], Unnamed] = {}
        for one in candidates:
            known = merged.setdefault((one.key, one.identity_id), one)
            if one.why not in known.why:
                merged[one.key, one.identity_id] = replace(known, why=f"{known.why}; {one.why}")
        seen: dict[RunKey, SeenRun | None] = {}
        for (key, identity_id), one in sorted(merged.items()):
            if key not in seen:
                seen[key] = see_run(self._artifacts, key)
            run = seen[key]
            tracks = run.of_unnamed(identity_id) - {*taken.get(key, ())} if run else frozenset()
            if run and tracks - self._named_since(run):
                yield one

    def _named_since(self, run: SeenRun) -> frozenset[int]:
        """Return the tracks that a decision, perhaps a later one than the run, gives a name."""
        decisions = standing(self._decisions.read(run.key.ep_id))
        anchors = [anchor for d in decisions if d.cast_id is not None for anchor in d.tracks]
        return run.finder().find(anchors)


def linked(document: Row, cast_id: str) -> Iterator[Unnamed]:
    """Yield the unnamed members of links that hold the person.

    Args:
        document: That of `specs.SEASON_CAST`.
    """
    members = document["members"]
    named: dict[str, list[Row]] = {}
    for member in members:
        if member["cast_id"] == cast_id:
            named.setdefault(member["link_id"], []).append(member)
    for member in members:
        if member["cast_id"] is None and member["link_id"] in named:
            mine = named[member["link_id"]]
            episodes = ", ".join(dict.fromkeys(m["ep_id"] for m in mine))
            why = f"linked with {mine[-1]['label'] or cast_id} in {episodes}"
            key = member["ep_id"], member["run_id"], member["person_id"]
            yield Unnamed(*key, member["total_s"], why)
