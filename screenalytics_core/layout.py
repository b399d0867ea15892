"""Where everything lies: every local key. Pure; touches no disk.

A key is a relative POSIX path under the data root. Ids pass `EpisodeId.parse` and
`normalize_run_id` before they become part of one, so no key leaves the root. Names that
start with a dot (locks, temporary files) belong to the storage and are no keys.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from screenalytics_core.artifacts import ARTIFACTS, ArtifactKind
from screenalytics_core.episodes import EpisodeId, is_path_safe
from screenalytics_core.errors import InvalidIdError, SettingsError
from screenalytics_core.run_ids import normalize_run_id
from screenalytics_core.stages import STAGE_PHASES, PipelineStage

MANIFESTS: Final = "manifests"
VIDEOS: Final = "videos"
FACEBANK: Final = "facebank"
SEASONS: Final = "seasons"
BACKFILLS: Final = "backfills"
SCHEDULES_KEY: Final = "schedules.yaml"
PRICES_KEY: Final = "prices.yaml"
FORGET_AUDIT_KEY: Final = "registry/forget.jsonl"
RUNS_REGISTRY_KEY: Final = "registry/runs.parquet"
STAGE_RUNS_REGISTRY_KEY: Final = "registry/stage_runs.parquet"
REGISTRY_LOG_PREFIX: Final = "registry/_log"
GC_AUDIT_KEY: Final = "registry/gc.jsonl"
REGISTRY_DAMAGED_PREFIX: Final = "registry/_damaged"

# Files that stand beside the run folders; a run of that name would replace them.
_BESIDE_RUNS: Final = frozenset({"active_run.json", *(f"{p}.json" for p in STAGE_PHASES.values())})
_MEDIA: Final = {
    ArtifactKind.FRAMES_ROOT: "",
    ArtifactKind.CROPS_DIR: "/crops",
    ArtifactKind.THUMBS_DIR: "/thumbs",
}


def video_key(ep_id: str) -> str:
    """Return the key of the episode's video."""
    return f"{VIDEOS}/{_ep(ep_id)}/episode.mp4"


def video_facts_key(ep_id: str) -> str:
    """Return the key of video.json."""
    return f"{VIDEOS}/{_ep(ep_id)}/video.json"


def video_hash_key(digest: str) -> str:
    """Return the key of a cached video hash; `digest` is of the path that was hashed."""
    return f"{VIDEOS}/_hashes/{_name(digest)}.json"


def episode_prefix(ep_id: str) -> str:
    """Return the folder that holds everything known about an episode but its video."""
    return f"{MANIFESTS}/{_ep(ep_id)}"


def runs_prefix(ep_id: str) -> str:
    """Return the folder that holds the episode's run folders."""
    return f"{episode_prefix(ep_id)}/runs"


def run_prefix(ep_id: str, run_id: str) -> str:
    """Return the run's folder.

    Raises:
        InvalidIdError: An id is not path-safe, or the run_id is the name of a file that
            stands beside the run folders.
    """
    run = normalize_run_id(run_id)
    # Folded, since some file systems do not tell upper from lower case.
    if run.lower() in _BESIDE_RUNS:
        raise InvalidIdError(
            thing=f"run_id {run!r}",
            reason="is the name of a file beside the run folders",
            way_out="Leave it out to have one minted.",
            value=run,
        )
    return f"{runs_prefix(ep_id)}/{run}"


def artifact_key(ep_id: str, run_id: str, filename: str) -> str:
    """Return the key of a file in the run's folder, e.g. `body_tracking/body_tracks.jsonl`."""
    return f"{run_prefix(ep_id, run_id)}/{_relative(filename)}"


def legacy_artifact_key(ep_id: str, filename: str) -> str:
    """Return the key of a legacy artifact: read when no run has it, never written."""
    return f"{episode_prefix(ep_id)}/{_relative(filename)}"


def run_record_key(ep_id: str, run_id: str) -> str:
    """Return the key of run.json, the run's reservation and binding."""
    return artifact_key(ep_id, run_id, "run.json")


def run_lock_key(ep_id: str, run_id: str) -> str:
    """Return the key whose lock guards claims, publishing and the event log of a run."""
    return run_record_key(ep_id, run_id)


def manifest_key(ep_id: str, run_id: str) -> str:
    """Return the key of the run's commit record."""
    return artifact_key(ep_id, run_id, "manifest.json")


def events_key(ep_id: str, run_id: str) -> str:
    """Return the key of the run's event log."""
    return artifact_key(ep_id, run_id, "events.jsonl")


def status_key(ep_id: str, run_id: str) -> str:
    """Return the key of the run's status file."""
    return artifact_key(ep_id, run_id, "episode_status.json")


def attempts_prefix(ep_id: str, run_id: str) -> str:
    """Return the folder of the run's attempts."""
    return artifact_key(ep_id, run_id, "attempts")


def attempt_key(ep_id: str, run_id: str, n: int) -> str:
    """Return the key of attempt `n` (1-based)."""
    return f"{attempts_prefix(ep_id, run_id)}/{n:04d}.json"


def heartbeat_key(ep_id: str, run_id: str, n: int) -> str:
    """Return the key that attempt `n` beats on."""
    return f"{attempts_prefix(ep_id, run_id)}/{n:04d}.heartbeat"


def run_marker_key(ep_id: str, run_id: str, stage: PipelineStage) -> str:
    """Return the key of a run's marker for a stage; KeyError for a stage without one."""
    return artifact_key(ep_id, run_id, f"{STAGE_PHASES[stage]}.json")


def legacy_marker_key(ep_id: str, stage: PipelineStage) -> str:
    """Return the key of the marker of the newest attempt of a stage in any run."""
    return f"{runs_prefix(ep_id)}/{STAGE_PHASES[stage]}.json"


def active_run_key(ep_id: str) -> str:
    """Return the key of active_run.json: the run that readers get by default."""
    return f"{runs_prefix(ep_id)}/active_run.json"


def shared_lock_key(ep_id: str) -> str:
    """Return the key whose lock guards what an episode's runs share: markers, the active run."""
    return active_run_key(ep_id)


def decisions_key(ep_id: str) -> str:
    """Return the key of what people decided about an episode."""
    return f"{episode_prefix(ep_id)}/decisions.jsonl"


def run_index_key(ep_id: str, run_id: str) -> str:
    """Return the key of the run index."""
    return f"projects/{_ep(ep_id)}/runs/{normalize_run_id(run_id)}/index.json"


def media_prefix(ep_id: str, kind: ArtifactKind, run_id: str | None = None) -> str:
    """Return the folder of loose pictures: frames_root, crops_dir or thumbs_dir.

    Args:
        run_id: None gives the seed's folder, which runs shared.
    """
    run = "" if run_id is None else f"/runs/{normalize_run_id(run_id)}"
    return f"frames/{_ep(ep_id)}{run}{_MEDIA[kind]}"


def facebank_prefix(show: str, cast_id: str) -> str:
    """Return the gallery folder of a cast member."""
    return f"{show_facebank_prefix(show)}/{_name(cast_id)}"


def show_facebank_prefix(show: str) -> str:
    """Return the folder of a show's gallery: a folder for each cast member."""
    return f"{FACEBANK}/{_name(show)}"


def season_prefix(season_key: str) -> str:
    """Return the folder of a season's roll-ups; `season_key` is `{show}-s{SS}`."""
    return f"{SEASONS}/{_name(season_key)}"


def season_key_of(season_key: str, filename: str) -> str:
    """Return the key of a file of a season's roll-ups."""
    return f"{season_prefix(season_key)}/{_relative(filename)}"


def backfill_key(backfill_id: str) -> str:
    """Return the key of a backfill's record: what was asked for, never changed."""
    return f"{BACKFILLS}/{_name(backfill_id)}.json"


def get_artifact_path(
    ep_id: str,
    kind: ArtifactKind | str,
    run_id: str | None = None,
    data_root: Path = Path("data"),
) -> Path:
    """Return the path of an artifact's first file, or of a folder of pictures (seed 001).

    Args:
        run_id: None gives the seed's path, which runs shared; else the run's own.

    Raises:
        InvalidIdError: An id must not become a path.
        SettingsError: There is no such kind.
    """
    wanted = _kind(kind)
    if wanted is ArtifactKind.VIDEO:
        return data_root / video_key(ep_id)
    if wanted in _MEDIA:
        return data_root / media_prefix(ep_id, wanted, run_id)
    filename = ARTIFACTS[wanted].primary.filename
    if run_id is None:
        return data_root / legacy_artifact_key(ep_id, filename)
    return data_root / artifact_key(ep_id, run_id, filename)


def check_key(key: str) -> str:
    """Return `key`, or refuse one that could leave the root.

    Raises:
        InvalidIdError: It is absolute, or has an empty part, `.`, `..`, a backslash or NUL.
    """
    parts = key.split("/")
    if any(part in {"", ".", ".."} for part in parts) or "\\" in key or "\0" in key:
        raise InvalidIdError(
            thing=f"key {key!r}", reason="is not a relative path below the data root", value=key
        )
    return key


def _ep(ep_id: str) -> str:
    return EpisodeId.parse(ep_id).text


def _kind(kind: ArtifactKind | str) -> ArtifactKind:
    try:
        return ArtifactKind(kind)
    except ValueError:
        raise SettingsError(
            thing=f"artifact {kind!r}",
            reason="does not exist",
            way_out=f"Use one of {', '.join(ArtifactKind)}.",
        ) from None


def _name(text: str) -> str:
    if not is_path_safe(text):
        raise InvalidIdError(
            thing=f"name {text!r}",
            reason="must be letters, digits, '.', '_' or '-', and start with a letter or digit",
            value=text,
        )
    return text


def _relative(path: str) -> str:
    for part in path.split("/"):
        _name(part)
    return path
