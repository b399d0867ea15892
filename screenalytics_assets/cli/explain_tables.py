"""How `screenalytics explain` is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from screenalytics_assets.cli.console import put_facts, put_said, put_table


def put_explanation(document: Mapping[str, Any]) -> None:
    """Print who, how long, from what, and who says so."""
    from screenalytics_assets.cli.stretches import clock

    person, run, video = document["person"], document["run"], document["video"]
    detector = {file["role"]: file["name"] for file in document["models"]["files"]}
    put_facts(
        f"{person['name']} in {document['ep_id']}",
        [
            ("seconds", f"{person['total_s']:.2f} ({person['low_s']:.2f} to {person['high_s']:.2f}"
             f"), {100 * person['share']:.1f} % of what is counted"),
            ("run", f"{document['run_id']}, begun {run['created_at']}"
             + ("" if run["is_active"] else ", not the active one")),
            ("settings", f"{run['settings_hash'][:12]}, code {run['code_ref']}"),
            ("video", f"{video['source']}, sha256 {video['sha256'][:12]}, {video['fps']} frames/s"),
            ("models", ", ".join(f"{role}: {name}" for role, name in detector.items())),
            ("moment", None if document["at_s"] is None else
             f"{clock(document['at_s'])}, frame {document['frame_idx']}"),
        ],
    )  # fmt: skip
    for row in document["name_from"]:
        put_said(_name_line(row))
    _put_member(document["cast_member"])
    if document["at_s"] is None:
        _put_segments(document)
    else:
        _put_moment(document)
    steps = ("artifact", "source", "from_run_id", "step_version")
    rows = [
        (
            *(m[k] for k in steps),
            ", ".join(f"{k}={v}" for k, v in m["settings"].items()),
            f"somebody was taken out: {'; '.join(m['notes'])}" if m["redacted"] else None,
        )
        for m in document["made_by"]
    ]
    columns = ("artifact", "source", "from run", "version", "settings", "redacted")
    put_table("made by", columns, rows)


def _name_line(row: Mapping[str, Any]) -> str:
    about = f"track {row['track_id']}" if row["track_id"] is not None else row["identity_id"]
    said = row["decision"]
    if said is not None:
        names = said["verb"] in ("label", "move_track")
        whom = said["label"] or said["cast_id"] or ("nobody by name" if names else "")
        what = f"{said['verb'].replace('_', '-')} {whom}".strip()
        return (
            f"{about}: decision {said['sequence']} ({what}) of {said['by']}, "
            f"{said['at']}, looking at run {said['run_id']}"
        )
    ways = {"gallery": "matched to the show's gallery", "machine": "found by the machine, unnamed"}
    match = row.get("match")
    # The run keeps the confidence alone; the gallery may have changed since.
    now = (
        f"; now similarity {match['similarity']:.2f}, margin {match['margin']:.2f}" if match else ""
    )
    said = ways.get(row["source"], row["source"])
    if row["track_id"] is not None and row["source"] == "gallery":
        said = f"divided from {row['identity_id'].partition('.')[0]} by the show's gallery"
    return f"{about}: {said}, confidence {row['confidence']:.2f}{now}"


def _put_member(member: Mapping[str, Any] | None) -> None:
    """Print what made a cast member of the gallery."""
    if member is None:
        return
    put_said(
        f"cast member {member['cast_id']} ({member['label']}): made by {member['by']}, "
        f"{member['created_at']}; faces:"
    )
    rows = [
        (p["origin"], p["source"], p["decision"], p["added_by"], p["added_at"])
        for p in member["prototypes"]
    ]
    put_table("", ("from", "source", "decision", "added by", "added at"), rows)


def _put_segments(document: Mapping[str, Any]) -> None:
    from screenalytics_assets.cli.stretches import clock

    rows = [
        (
            clock(s["start_s"]),
            clock(s["end_s"]),
            f"{s['first_frame_idx']}-{s['last_frame_idx']}",
            s["source"],
            s["confidence"],
            " ".join(
                [f"t{t['track_id']}" for t in s["tracks"]]
                + [f"b{t['body_track_id']}" for t in s["body_tracks"]]
            ),
            sum(len(t["faces"]) for t in s["tracks"]) or None,
        )
        for s in document["segments"]
    ]
    columns = ("from", "to", "frames", "source", "confidence", "tracks", "faces")
    put_table("segments", columns, rows)


def _put_moment(document: Mapping[str, Any]) -> None:
    from screenalytics_assets.cli.stretches import clock

    if not document["segments"]:
        around = " and ".join(
            f"{clock(s['start_s'])} to {clock(s['end_s'])}" for s in document["before_and_after"]
        )
        put_said(f"not on screen then; nearest segments: {around or 'none'}")
    for segment in document["segments"]:
        put_said(
            f"in the segment {clock(segment['start_s'])} to {clock(segment['end_s'])}, shown by a "
            f"{segment['source']}, confidence {segment['confidence']:.2f}"
        )
        for track in segment["tracks"]:
            _put_track(track)
        for body in segment["body_tracks"]:
            ties = [f"{t['evidence']} {t['confidence']:.2f}" for t in body["tied_by"]]
            put_said(f"body track b{body['body_track_id']}: {', '.join(ties)}; {_box_text(body)}")
    for other in document["others_then"]:
        put_said(f"also then: {other['name']} ({other['source']})")


def _put_track(track: Mapping[str, Any]) -> None:
    member = track["membership"] or {}
    rival = (
        f", next {member['rival_id']} {member['rival_similarity']:.2f}"
        if member.get("rival_id")
        else ""
    )
    put_said(
        f"track t{track['track_id']}: frames {track['first_frame_idx']} to "
        f"{track['last_frame_idx']}, {track['observed_frames']} detected, "
        f"{track['filled_in_frames']} filled in; {_box_text(track)}"
    )
    if member.get("identity_id"):
        put_said(
            f"  like {member['identity_id']} by {member['similarity']:.2f}{rival}, "
            f"confidence {member['confidence']:.2f}"
        )
    columns = ("face", "frame", "at s", "detection", "confidence", "quality", "crop")
    names = ("face_id", "frame_idx", "timestamp_s", "detection_id", "confidence", "quality", "crop")
    put_table("", columns, [tuple(face[name] for name in names) for face in track["faces"]])


def _box_text(track: Mapping[str, Any]) -> str:
    box = track["box"]
    if box is None:
        return "no box kept for this frame: it lies between two looks"
    how = f"detection {box['detection_id']}" if box["is_observed"] else "filled in"
    return f"box {box['bbox_xyxy']} px, {how}"
