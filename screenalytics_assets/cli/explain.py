"""`screenalytics explain`: from a number back to the frames, and who gave the name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, tell
from screenalytics_assets.cli.explain_tables import put_explanation
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
    from screenalytics_assets.naming_facts import member_facts, with_matches
    from screenalytics_assets.settings import Settings
    from screenalytics_assets.stores import Stores
    from screenalytics_core.run_tools.explain import explain_person

    if picture is not None and at is None:
        raise typer.BadParameter("--picture goes with --at")
    at_s = None if at is None else parse_clock("--at", at)
    settings = Settings.from_env(data_root=data_root)
    stores = Stores.open(settings.data_root)
    ep_id, run_id = resolve_run(stores.runs, ep_id, run_id)
    found = explain_person(_evidence(stores, ep_id, run_id), person, at_s)
    cast_id = found["person"]["cast_id"]
    document = {
        "ep_id": ep_id,
        "run_id": run_id,
        **found,
        "name_from": with_matches(settings, stores, ep_id, run_id, cast_id, found["name_from"]),
        "cast_member": member_facts(stores, ep_id, cast_id),
        "made_by": _made_by(stores, ep_id, run_id),
        **_run_facts(stores, ep_id, run_id),
    }
    if picture is not None:
        _write_picture(stores, ep_id, run_id, document["frame_idx"], picture)
    if as_json:
        put_json(document)
    else:
        put_explanation(document)
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
            "redacted": entry.redacted,
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
    from screenalytics_core.episode_registry import fetch_video
    from screenalytics_core.overlay.video import drawn_picture

    check_video(stores, ep_id, run_id)
    video = fetch_video(stores.storage, ep_id)
    image = drawn_picture(video, read_findings(stores, ep_id, run_id), frame_idx)
    with whole_file(path) as temporary:
        temporary.write_bytes(cv2.imencode(".png", image)[1].tobytes())
