"""README.txt of an exported run: what is what, for whoever gets the zip in ten years."""

from __future__ import annotations

from screenalytics_core.artifacts import ARTIFACTS
from screenalytics_core.manifest import Manifest
from screenalytics_core.run_record import RunRecord

_RECORDS = (
    ("run.json", "what the run was bound to: settings, video and models with their sha256, code"),
    ("manifest.json", "every artifact: its files with sha256 and rows, inputs, settings, models"),
    ("events.jsonl", "what happened, one event per line, numbered"),
    ("episode_status.json", "state, stages, durations and errors, rendered from the events"),
    ("attempts/", "which process worked on the run, and when"),
    ("SHA256SUMS", "sha256 of every other file"),
    ("verify.py", "checks them; Python alone is needed"),
)


def readme(record: RunRecord, manifest: Manifest, *, with_video: bool) -> str:
    """Return the text; the same run gives the same text."""
    rows = [*_RECORDS]
    if with_video:
        rows.append(("video/episode.mp4", "the video that the run is bound to"))
    for kind, entry in manifest.entries.items():
        files = {file.filename: file.description for file in ARTIFACTS[kind].files}
        for facts in entry.files:
            what = files.get(facts.path, str(kind))
            note = f"{what} ({kind}, {entry.source})"
            note += ", somebody was taken out" if entry.redacted else ""
            rows.append((facts.path, note))
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {what}" for name, what in rows]
    video = record.video.get("sha256", "unknown")
    head = [
        f"Run {record.run_id} of episode {record.ep_id}, exported by Screenalytics",
        "",
        f"reserved  {record.created_at}",
        f"code      {record.code_ref}",
        f"video     {record.source}, sha256 {video}",
        "",
        "Is it whole?  python verify.py   here, or   python BUNDLE.zip   on the zip.",
        "Times are seconds of the video's presentation timestamps; intervals are half-open.",
        "",
    ]
    return "\n".join([*head, *lines]) + "\n"
