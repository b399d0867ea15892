"""How the tools over runs show what they found, to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from screenalytics_assets.cli.console import put_table, tell

if TYPE_CHECKING:
    from screenalytics_assets.replay import Replay
    from screenalytics_core.run_tools.gc import GcPlan

_UNITS = ("B", "kB", "MB", "GB", "TB")


def put_diff(document: dict[str, Any]) -> None:
    """Print what differs; what is equal is said in a word."""
    sides = [document["a"], document["b"]]
    for side in sides:
        for problem in side["problems"]:
            tell(f"{side['ep_id']}/{side['run_id']}: {problem}")
    a, b = (f"{side['ep_id']}/{side['run_id']}" for side in sides)
    rows: list[tuple[Any, ...]] = [("status", sides[0]["status"], sides[1]["status"])]
    for name in ("video", "code_ref"):
        rows += _unequal(name, document[name])
    rows += [row for m in document["models"] for row in _unequal(f"model {m['role']}", _short(m))]
    rows += [(s["name"], _plain(s["a"]), _plain(s["b"])) for s in document["settings"]]
    put_table("", ("", a, b), rows)
    artifacts = [
        (x["kind"], _rows(x["a"]), _rows(x["b"]), "equal" if x["equal"] else "differs")
        for x in document["artifacts"]
    ]
    put_table("artifacts (rows)", ("artifact", "a", "b", "bytes"), artifacts)
    _put_stages(document["stages"])
    if document["screen_time"] is not None:
        _put_people(document["screen_time"])


def _put_stages(stages: list[dict[str, Any]]) -> None:
    rows = [
        (s["stage"], *(value for side in ("a", "b") for value in _stage(s[side])))
        for s in stages
        if any(s[side]["status"] != "not_started" for side in ("a", "b"))
    ]
    put_table("stages", ("stage", "a", "a_s", "b", "b_s"), rows)


def _stage(side: dict[str, Any]) -> tuple[str, float | None]:
    source = f" ({side['source']})" if side["source"] else ""
    return side["status"] + source, side["duration_s"]


def _put_people(found: dict[str, Any]) -> None:
    rows: list[tuple[Any, ...]] = [
        (
            name_of(p["a"]), name_of(p["b"]), p["a_s"], p["b_s"], p["difference_s"],
            p["matched_by"] + (" (ambiguous)" if p["ambiguous"] else ""),
        )
        for p in found["people"]
    ]  # fmt: skip
    rows += [
        (name_of(p), None, p["total_s"], None, -p["total_s"], "only a") for p in found["only_a"]
    ]
    rows += [
        (None, name_of(p), None, p["total_s"], p["total_s"], "only b") for p in found["only_b"]
    ]
    put_table("screen time", ("a", "b", "a_s", "b_s", "difference_s", "matched by"), rows)
    tell(f"people are matched by {found['matched_by']}")


def name_of(person: dict[str, Any]) -> str:
    """Return what a person is called."""
    return str(person["label"] or person["cast_id"] or person["identity_id"])


def _unequal(name: str, pair: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    if pair["equal"]:
        return [(name, "equal", "equal")]
    return [(name, _plain(pair["a"]), _plain(pair["b"]))]


def _short(model: dict[str, Any]) -> dict[str, Any]:
    said = {
        side: f"{model[side]['name']} {model[side]['sha256'][:12]}" if model[side] else None
        for side in ("a", "b")
    }
    return {**said, "equal": model["equal"]}


def _plain(value: Any) -> str | None:
    return None if value is None else str(value)


def _rows(entry: dict[str, Any] | None) -> Any:
    if entry is None:
        return "absent"
    return "redacted" if entry["redacted"] else entry["rows"]


def put_verification(found: dict[str, Any]) -> None:
    """Print what is wrong with a run, or that nothing is."""
    name = f"{found['ep_id']}/{found['run_id']}"
    wrong = [f for f in found["files"] if f["status"] not in {"ok", "redacted"}]
    if wrong:
        put_table(name, ("file", "status", "why"), [tuple(f.values()) for f in wrong])
    else:
        tell(f"{name}: {len(found['files'])} files are as they were published")


def put_plan(plan: GcPlan, *, removed: bool, problems: list[str]) -> None:
    """Print what goes and what stays, and what the disk gets back."""
    word = "removed" if removed else "would go"
    rows = [
        (word if d.goes else "stays", "/".join(d.run.key), in_bytes(d.size_bytes),
         in_bytes(d.freed_bytes) if d.goes else None, d.reason)
        for d in (*plan.going, *plan.staying)
    ]  # fmt: skip
    if rows:
        put_table("", ("", "run", "holds", "frees", "why"), rows, whole=("run",))
    for problem in problems:
        tell(problem)
    said = f"{len(plan.going)} of {len(rows)} runs, {in_bytes(plan.freed_bytes)}"
    if removed:
        tell(f"removed {said}; see registry/gc.jsonl")
    else:
        tell(f"{said} would go; --yes removes them" if plan.going else "nothing would go")


def in_bytes(size: float) -> str:
    """Write a size in its largest unit."""
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {_UNITS[unit]}" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"


def put_replay(done: Replay) -> None:
    """Print how the new run compares with the old one."""
    rows = [(a.kind, a.verdict.replace("_", " ")) for a in done.artifacts]
    put_table(f"{'/'.join(done.old)} again as {done.result.run_id}", ("artifact", "bytes"), rows)
    if not done.is_same_code:
        tell(f"other code: {done.old_code_ref}, now {done.new_code_ref}")
    if not done.result.success:
        tell(f"run {done.result.ep_id}/{done.result.run_id} failed: {done.result.error}")
    elif not done.is_reproduced:
        tell("the same code made other bytes from the same inputs: the run is not reproduced")
