"""`screenalytics explain`: from a number back to the frames, and who gave the name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_facts, put_json, put_table, tell
from screenalytics_assets.cli.run_names import resolve_run

if TYPE_CHECKING:
    from screenalytics_assets.stores import Stores


def explain(
    ep_id: Annotated[str, typer.Argument(help="Episode, or EP/RUN.")],
    person: Annotated[str, typer.Argument(help="Name, cast_id or identity_id.")],
    at: Annotated[
        str | None, typer.Option("--at", help="Only this moment: seconds, mm:ss or h:mm:ss.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="With --at: write the frame, boxes drawn, PNG.")
    ] = None,
    run_id: options.RunId = None,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Walk from a person's seconds back to segments, tracks, faces, run, models and frames.

    Example: screenalytics explain rhobh-s05e14 "Kyle Richards" --at 12:31
    """
    from screenalytics_assets.cli.stretches import parse_clock
    from screenalytics_assets.settings import Settings
    from screenalytics_assets.stores import Stores
    from screenalytics_core.run_tools.explain import explain_person

    if picture is not None and at is None:
        raise typer.BadParameter("--picture goes with --at")
    at_s = None if at is None else parse_clock("--at", at)
    stores = Stores.open(Settings.from_env(data_root=data_root).data_root)
    ep_id, run_id = resolve_run(stores.runs, ep_id, run_id)
    document = {
        "ep_id": ep_id,
        "run_id": run_id,
        **explain_person(_evidence(stores, ep_id, run_id), person, at_s),
        "made_by": _made_by(stores, ep_id, run_id),
        **_run_facts(stores, ep_id, run_id),
    }
    if picture is not None:
        _write_picture(stores, ep_id, run_id, document["frame_idx"], picture)
    if as_json:
        put_json(document)
    else:
        _put(document)
    if picture is not None:
        tell(f"{picture}")


def _evidence(stores: Stores, ep_id: str, run_id: str) -> Any:
    from screenalytics_core.artifacts import ArtifactKind as Kind
    from screenalytics_core.run_tools.explain import Evidence

    def read(kind: Kind, part: str | None = None) -> Any:
        return stores.require(ep_id, run_id, kind).read(part)

    return Evidence(
        screen_time=read(Kind.SCREEN_TIME),
        segments=read(Kind.SCREEN_TIME, "segments").to_pylist(),
        frame_times=read(Kind.SHOTS, "frame_times"),
        tracks=read(Kind.TRACKS),
        faces=read(Kind.FACES),
        identities=read(Kind.IDENTITIES),
        cast=read(Kind.CAST),
        body_tracks=read(Kind.BODY_TRACKS),
        track_fusion=read(Kind.TRACK_FUSION),
        decisions=stores.decisions.read(ep_id),
    )


def _made_by(stores: Stores, ep_id: str, run_id: str) -> list[dict[str, Any]]:
    """Return what made each artifact that the number rests on, video first."""
    from screenalytics_core.artifacts import ArtifactKind

    manifest = stores.artifacts.manifest(ep_id, run_id)
    return [
        {
            "artifact": str(kind),
            "source": entry.source,
            "from_run_id": entry.from_run_id,
            "step_version": entry.step_version,
            "settings": dict(entry.settings),
            "models": dict(entry.models),
            "video_sha256": entry.video_sha256,
            "content_sha256": entry.content_sha256,
            "notes": list(entry.notes),
        }
        for kind in manifest.upstream([ArtifactKind.SCREEN_TIME])
        if (entry := manifest.entries.get(kind)) is not None
    ]


def _run_facts(stores: Stores, ep_id: str, run_id: str) -> dict[str, Any]:
    record = stores.runs.require(ep_id, run_id)
    return {
        "run": {
            "created_at": record.created_at,
            "code_ref": record.code_ref,
            "settings_hash": record.settings_hash,
            "is_active": stores.runs.active_run_id(ep_id) == run_id,
        },
        "video": {key: record.video.get(key) for key in ("source", "sha256", "duration_s", "fps")},
        "models": record.models,
    }


def _write_picture(stores: Stores, ep_id: str, run_id: str, frame_idx: int, path: Path) -> None:
    import cv2

    from screenalytics_assets.cli.files import whole_file
    from screenalytics_assets.cli.findings import check_video, read_findings
    from screenalytics_core.episode_registry import episode_video_path
    from screenalytics_core.overlay.video import drawn_picture

    check_video(stores, ep_id, run_id)
    video = episode_video_path(stores.storage, ep_id)
    image = drawn_picture(video, read_findings(stores, ep_id, run_id), frame_idx)
    with whole_file(path) as temporary:
        temporary.write_bytes(cv2.imencode(".png", image)[1].tobytes())


def _put(document: Mapping[str, Any]) -> None:
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
        tell(_name_line(row))
    if document["at_s"] is None:
        _put_segments(document)
    else:
        _put_moment(document)
    steps = ("artifact", "source", "from_run_id", "step_version")
    rows = [
        (*(m[k] for k in steps), ", ".join(f"{k}={v}" for k, v in m["settings"].items()))
        for m in document["made_by"]
    ]
    put_table("made by", ("artifact", "source", "from run", "version", "settings"), rows)


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
    return f"{about}: {ways.get(row['source'], row['source'])}, confidence {row['confidence']:.2f}"


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
        tell(f"not on screen then; nearest segments: {around or 'none'}")
    for segment in document["segments"]:
        tell(
            f"in the segment {clock(segment['start_s'])} to {clock(segment['end_s'])}, shown by a "
            f"{segment['source']}, confidence {segment['confidence']:.2f}"
        )
        for track in segment["tracks"]:
            _put_track(track)
        for body in segment["body_tracks"]:
            ties = [f"{t['evidence']} {t['confidence']:.2f}" for t in body["tied_by"]]
            tell(f"body track b{body['body_track_id']}: {', '.join(ties)}; {_box_text(body)}")
    for other in document["others_then"]:
        tell(f"also then: {other['name']} ({other['source']})")


def _put_track(track: Mapping[str, Any]) -> None:
    member = track["membership"] or {}
    rival = (
        f", next {member['rival_id']} {member['rival_similarity']:.2f}"
        if member.get("rival_id")
        else ""
    )
    tell(
        f"track t{track['track_id']}: frames {track['first_frame_idx']} to "
        f"{track['last_frame_idx']}, {track['observed_frames']} detected, "
        f"{track['filled_in_frames']} filled in; {_box_text(track)}"
    )
    if member.get("identity_id"):
        tell(
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
