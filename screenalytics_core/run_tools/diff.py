"""What differs between two runs: settings, video, models, code, artifacts, stages, people.

`diff_runs` is pure; `load_side` reads what it compares. What is damaged or missing is named
in the result, and the rest is compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from screenalytics_core import layout
from screenalytics_core.artifact_store import ArtifactStore
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.config import LAUNCH_FIELDS
from screenalytics_core.errors import ArtifactNotFoundError, ScreenalyticsError
from screenalytics_core.ledger.attempt_state import StageState
from screenalytics_core.ledger.event_log import EventLog
from screenalytics_core.ledger.run_facts import RunFacts
from screenalytics_core.manifest import Manifest, ManifestEntry
from screenalytics_core.run_record import RunKey
from screenalytics_core.run_tools.person_matching import Person, TracksOf, match_people
from screenalytics_core.runs import RunStore
from screenalytics_core.stages import STAGE_PLAN
from screenalytics_core.storage.base import Storage

_MATCHED_BY: Final = (
    "cast_id, then label, then shared tracks where both runs hold the same tracks, then "
    "the most seconds on screen at the same time"
)
_NAMES_ONLY: Final = "cast_id, then label; the runs are of different episodes"


@dataclass(frozen=True, slots=True)
class RunSide:
    """One of two runs that are compared.

    Attributes:
        identities: The document, or None.
        problems: What could not be read, in words.
    """

    facts: RunFacts
    identities: Mapping[str, Any] | None = None
    problems: tuple[str, ...] = ()


def load_side(
    storage: Storage, runs: RunStore, artifacts: ArtifactStore, log: EventLog, key: RunKey
) -> RunSide:
    """Read what is compared of a run; what cannot be read is named in `problems`."""
    problems: list[str] = []
    try:
        record = runs.require(*key)
    except ScreenalyticsError as error:
        record = None
        problems.append(str(error))
    try:
        manifest = artifacts.manifest(*key)
    except ScreenalyticsError as error:
        manifest = Manifest(*key)
        problems.append(str(error))
    for kind in manifest.entries:
        problems += _missing_files(storage, manifest, kind)
    documents = {}
    for kind in (ArtifactKind.SCREEN_TIME, ArtifactKind.IDENTITIES):
        try:
            ref = artifacts.ref(*key, kind) if kind in manifest.entries else None
            documents[kind] = ref.read() if ref else None
        except ArtifactNotFoundError:
            documents[kind] = None  # named above
        except ScreenalyticsError as error:
            documents[kind] = None
            problems.append(str(error))
    facts = RunFacts(*key, log.state(*key), record, manifest, documents[ArtifactKind.SCREEN_TIME])
    return RunSide(facts, documents[ArtifactKind.IDENTITIES], tuple(problems))


def _missing_files(storage: Storage, manifest: Manifest, kind: ArtifactKind) -> list[str]:
    entry = manifest.entries[kind]
    keys = [layout.artifact_key(manifest.ep_id, manifest.run_id, f.path) for f in entry.files]
    return [f"{storage.location(key)} is gone" for key in keys if not storage.exists(key)]


def diff_runs(a: RunSide, b: RunSide) -> dict[str, Any]:
    """Return what differs between two runs, as plain data."""
    return {
        "a": _header(a),
        "b": _header(b),
        "settings": _settings(a, b),
        "video": _pair(_video_sha256(a), _video_sha256(b)),
        "models": _models(a, b),
        "code_ref": _pair(*(s.facts.record.code_ref if s.facts.record else None for s in (a, b))),
        "artifacts": _artifacts(a.facts.manifest, b.facts.manifest),
        "stages": _stages(a, b),
        "screen_time": _screen_time(a, b),
    }


def _header(side: RunSide) -> dict[str, Any]:
    facts = side.facts
    return {
        "ep_id": facts.ep_id,
        "run_id": facts.run_id,
        "created_at": facts.record.created_at if facts.record else facts.state.created_at,
        "status": facts.status.value if facts.status else None,
        "problems": list(side.problems),
    }


def _pair(a: Any, b: Any) -> dict[str, Any]:
    return {"a": a, "b": b, "equal": a == b}


def _video_sha256(side: RunSide) -> str | None:
    return side.facts.record.video.get("sha256") if side.facts.record else None


def _settings(a: RunSide, b: RunSide) -> list[dict[str, Any]]:
    """Return the settings that differ; none, when one of the records cannot be read."""
    if a.facts.record is None or b.facts.record is None:
        return []
    mine, theirs = a.facts.record.settings, b.facts.record.settings
    return [
        {
            "name": name,
            "a": mine.get(name),
            "b": theirs.get(name),
            "only_at_launch": name in LAUNCH_FIELDS,
        }
        for name in sorted(mine.keys() | theirs.keys())
        if mine.get(name) != theirs.get(name)
    ]


def _models(a: RunSide, b: RunSide) -> list[dict[str, Any]]:
    mine, theirs = _models_of(a), _models_of(b)
    return [
        {"role": role, **_pair(mine.get(role), theirs.get(role))}
        for role in sorted(mine.keys() | theirs.keys())
    ]


def _models_of(side: RunSide) -> dict[str, dict[str, Any]]:
    files = side.facts.record.models.get("files", ()) if side.facts.record else ()
    return {f["role"]: {"name": f.get("name"), "sha256": f["sha256"]} for f in files}


def _artifacts(a: Manifest, b: Manifest) -> list[dict[str, Any]]:
    return [
        {
            "kind": kind.value,
            "a": _entry(a.entries.get(kind)),
            "b": _entry(b.entries.get(kind)),
            "equal": kind in a.entries
            and kind in b.entries
            and a.entries[kind].content_sha256 == b.entries[kind].content_sha256,
        }
        for kind in ArtifactKind
        if kind in a.entries or kind in b.entries
    ]


def _entry(entry: ManifestEntry | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    return {
        "rows": entry.files[0].rows if entry.files else None,
        "sha256": entry.content_sha256,
        "size_bytes": entry.size_bytes,
        "source": entry.source,
        "redacted": entry.redacted,
    }


def _stages(a: RunSide, b: RunSide) -> list[dict[str, Any]]:
    mine, theirs = a.facts.stages, b.facts.stages
    return [
        {"stage": stage.value, "a": _stage(mine[stage].state), "b": _stage(theirs[stage].state)}
        for stage in STAGE_PLAN
    ]


def _stage(state: StageState) -> dict[str, Any]:
    return {
        "status": state.status.value,
        "source": state.source,
        "attempt": state.attempt,
        "duration_s": state.duration_s,
        **asdict(state.facts),
    }


def _screen_time(a: RunSide, b: RunSide) -> dict[str, Any] | None:
    """Compare the people; None when a run has no readable screen time."""
    if a.facts.screen_time is None or b.facts.screen_time is None:
        return None
    mine, theirs = a.facts.screen_time["people"], b.facts.screen_time["people"]
    same_episode = a.facts.ep_id == b.facts.ep_id
    matches = match_people(mine, theirs, tracks=_common_tracks(a, b), same_time=same_episode)
    return {
        "matched_by": _MATCHED_BY if same_episode else _NAMES_ONLY,
        "people": [
            {
                "a": _name(mine[m.a]),
                "b": _name(theirs[m.b]),
                "a_s": mine[m.a]["total_s"],
                "b_s": theirs[m.b]["total_s"],
                "difference_s": _difference(theirs[m.b]["total_s"], mine[m.a]["total_s"]),
                "matched_by": m.by,
                "evidence": m.evidence,
                "ambiguous": m.is_ambiguous,
            }
            for m in matches
        ],
        "only_a": _alone(mine, {m.a for m in matches}),
        "only_b": _alone(theirs, {m.b for m in matches}),
        **{
            name: {**_pair(x, y), "difference_s": _difference(y, x)}
            for name in ("duration_s", "covered_s", "unknown_s")
            for x, y in [(a.facts.screen_time[name], b.facts.screen_time[name])]
        },
    }


def _difference(to_s: float, from_s: float) -> float:
    return round(to_s - from_s, 6)


def _name(person: Person) -> dict[str, Any]:
    return {column: person.get(column) for column in ("label", "cast_id", "identity_id")}


def _alone(people: Sequence[Person], matched: set[int]) -> list[dict[str, Any]]:
    return [{**_name(p), "total_s": p["total_s"]} for i, p in enumerate(people) if i not in matched]


def _common_tracks(a: RunSide, b: RunSide) -> tuple[TracksOf, TracksOf] | None:
    """Return who has which tracks, if a track id means the same in both runs."""
    held = [s.facts.manifest.entries.get(ArtifactKind.TRACKS) for s in (a, b)]
    if a.identities is None or b.identities is None or None in held:
        return None
    if len({entry.content_sha256 for entry in held if entry}) > 1 or a.facts.ep_id != b.facts.ep_id:
        return None
    return _tracks_of(a.identities), _tracks_of(b.identities)


def _tracks_of(identities: Mapping[str, Any]) -> dict[str, frozenset[int]]:
    return {i["identity_id"]: frozenset(i["track_ids"]) for i in identities["identities"]}
