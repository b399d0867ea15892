"""What a run found, read to be drawn on the video that it saw."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from screenalytics_assets.stores import Stores
    from screenalytics_core.overlay.scene import RunFindings


def check_video(stores: Stores, ep_id: str, run_id: str) -> None:
    """Make sure that the file is the one that the run saw: boxes of another one would lie.

    Raises:
        VideoError: The file is gone.
        VideoChangedError: It is another one.
    """
    from screenalytics_core.episode_registry import load_video
    from screenalytics_core.errors import VideoChangedError

    found = load_video(stores.storage, ep_id).sha256
    bound = stores.runs.require(ep_id, run_id).video["sha256"]
    if found != bound:
        raise VideoChangedError(
            thing=f"the video of episode {ep_id}",
            reason=f"is not the one that run {run_id} saw (sha256 {found[:12]}, then {bound[:12]})",
            way_out="Run the episode again, or register the old file with --replace-video.",
            found_sha256=found,
            expected_sha256=bound,
        )


def read_findings(stores: Stores, ep_id: str, run_id: str) -> RunFindings:
    """Read what a run found, as far as it got.

    Raises:
        ArtifactNotFoundError: It has no shots or no tracks.
    """
    from screenalytics_core.artifacts import ArtifactKind
    from screenalytics_core.overlay.scene import RunFindings

    # What an unfinished run, or one without bodies, may lack.
    read = partial(stores.read_if_there, ep_id, run_id)
    shots = stores.require(ep_id, run_id, ArtifactKind.SHOTS)
    return RunFindings(
        shots=shots.read(),
        frame_times_s=shots.read("frame_times"),
        tracks=stores.require(ep_id, run_id, ArtifactKind.TRACKS).read(),
        identities=read(ArtifactKind.IDENTITIES),
        cast=read(ArtifactKind.CAST),
        body_tracks=read(ArtifactKind.BODY_TRACKS),
        track_fusion=read(ArtifactKind.TRACK_FUSION),
    )
