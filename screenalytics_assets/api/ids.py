"""Ids in paths, checked before anything is built of them, and the run that two of them name."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Path
from pydantic import AfterValidator

from screenalytics_assets.api.service import ServiceDep
from screenalytics_assets.stores import Stores
from screenalytics_core import layout
from screenalytics_core.episodes import EpisodeId
from screenalytics_core.errors import RunNotFoundError
from screenalytics_core.run_ids import normalize_run_id
from screenalytics_core.run_record import RunKey
from screenalytics_core.run_tools.naming import find_run

# As `episodes.is_path_safe` has it, but for `..`, which no pattern of OpenAPI need say.
_PATTERN: Final = "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"


def _ep_id(text: str) -> str:
    return EpisodeId.parse(text).text


EpisodeInPath = Annotated[
    str,
    Path(
        description="Episode.", examples=["rhobh-s05e14"], json_schema_extra={"pattern": _PATTERN}
    ),
    AfterValidator(_ep_id),
]
"""An ep_id, canonical; any other text is refused as InvalidIdError."""

RunInPath = Annotated[
    str,
    Path(
        description="Run of the episode.",
        examples=["20260102_030405_0123abcd"],
        json_schema_extra={"pattern": _PATTERN},
    ),
    AfterValidator(normalize_run_id),
]
"""A run_id; any other text is refused as InvalidIdError."""


def check_known(stores: Stores, ep_id: str) -> None:
    """Refuse an episode that nobody knows.

    Raises:
        RunNotFoundError: It has no registered video and no run.
    """
    storage = stores.storage
    is_registered = storage.exists(layout.video_facts_key(ep_id))
    if not is_registered and not storage.list_folders(layout.runs_prefix(ep_id)):
        raise RunNotFoundError(
            thing=f"episode {ep_id}",
            reason="is not registered, and has no run",
            way_out=f"Send its video: PUT /episodes/{ep_id}/video.",
        )


def known_run(service: ServiceDep, ep_id: EpisodeInPath, run_id: RunInPath) -> RunKey:
    """Return the run that a path names.

    Raises:
        RunNotFoundError: There is none.
        InvalidIdError: An id must not become a path.
    """
    layout.run_prefix(
        ep_id, run_id
    )  # a name of a file beside the runs is refused before it is looked for
    return find_run(service.stores.storage, service.stores.runs, f"{ep_id}/{run_id}")


RunDep = Annotated[RunKey, Depends(known_run)]
"""The run that a path names, which is known: reserved, queued or with artifacts."""
