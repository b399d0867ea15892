"""How people of a run, their tracks, and decisions about them are printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from screenalytics_assets.cli.console import put_said, put_table, tell
from screenalytics_assets.identity_rows import decision_dict

if TYPE_CHECKING:
    from screenalytics_core.decisions.records import Decision


def put_people(title: str, people: Sequence[Mapping[str, Any]], of_nobody: Sequence[int]) -> None:
    """Print who is who, and the tracks that are nobody's."""
    rows = [
        (
            " ".join(p["identity_ids"]) or "-",
            p["label"] or p["cast_id"] or "-",
            p["source"] if p["decision"] is None else f"{p['source']} {p['decision']}",
            len(p["tracks"]),
            p["face_s"],
            "; ".join(f"{s['label']}: {s['reason']}" for s in p["suggestions"]),
        )
        for p in people
    ]
    columns = ("identity", "name", "said by", "tracks", "face s", "may be")
    put_table(title, columns, rows, whole=("identity",), spare=("tracks",))
    if of_nobody:
        put_said(f"tracks of nobody: {', '.join(map(str, of_nobody))}")
    if any(p["label"] is None for p in people):
        tell("name somebody: screenalytics identities label EP IDENTITY NAME")


def put_tracks(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print tracks."""
    put_table(
        title,
        ("track", "from s", "to s", "length s", "of"),
        [
            (
                r["track_id"],
                r["start_s"],
                r["end_s"],
                round(r["end_s"] - r["start_s"], 6),
                r["person_id"],
            )
            for r in rows
        ],
    )


def put_decisions(decisions: Sequence[Decision]) -> None:
    """Print decisions, oldest first."""
    if not decisions:
        tell("nothing is decided yet: screenalytics identities label EP IDENTITY NAME")
        return
    rows = [
        (
            row["sequence"],
            row["at"],
            row["by"],
            row["verb"].replace("_", "-"),
            _about(row),
            "yes" if row["holds"] else "undone",
        )
        for row in (decision_dict(d, decisions) for d in decisions)
    ]
    put_table("", ("", "at", "by", "what", "of whom", "holds"), rows, spare=("at",))


def _about(row: Mapping[str, Any]) -> str:
    """Say in words what a decision is about."""
    ids, name = " and ".join(row["identity_ids"]), row["label"] or "nobody with a name"
    tracks = "track " + ", ".join(map(str, row["tracks"]))
    return {
        "label": f"{ids}: {name}",
        "merge": ids,
        "split": f"{tracks} of {ids}",
        "move_track": f"{tracks} to {ids or row['label'] or 'nobody'}",
        "lock": ids,
        "undo": f"decision {row['undoes']}",
    }[row["verb"]]
