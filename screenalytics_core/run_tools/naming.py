"""Which run somebody means, whatever state its folder is in."""

from __future__ import annotations

from screenalytics_core import layout
from screenalytics_core.episodes import EpisodeId, is_path_safe
from screenalytics_core.errors import RunNotFoundError
from screenalytics_core.run_ids import normalize_run_id
from screenalytics_core.run_record import RunKey
from screenalytics_core.runs import RunStore
from screenalytics_core.storage.base import Storage

_TELL_OF_A_RUN = (layout.run_record_key, layout.manifest_key, layout.events_key)


def name_of(key: RunKey) -> str:
    """Return `EP/RUN`."""
    return f"{key.ep_id}/{key.run_id}"


def find_run(storage: Storage, runs: RunStore, text: str) -> RunKey:
    """Return the run that `EP/RUN` or a bare `RUN` means, reserved yet or only queued.

    Raises:
        RunNotFoundError: No run, or several: then the matches are listed.
        InvalidIdError: An id must not become a path.
    """
    episode, slash, bare = text.strip().rpartition("/")
    run_id = normalize_run_id(bare)
    episodes = [EpisodeId.parse(episode).text] if slash else storage.list_folders(layout.MANIFESTS)
    matches = [
        RunKey(ep_id, run_id)
        for ep_id in episodes
        if is_path_safe(ep_id) and _is_known(storage, ep_id, run_id)
    ]
    if not matches:
        return runs.resolve_run(text)  # says what there is instead
    if len(matches) > 1:
        listed = ", ".join(name_of(key) for key in matches)
        raise RunNotFoundError(
            thing=f"run {run_id!r}",
            reason=f"is ambiguous: {listed}",
            way_out="Name it as EP/RUN.",
            matches=[tuple(key) for key in matches],
        )
    return matches[0]


def _is_known(storage: Storage, ep_id: str, run_id: str) -> bool:
    return any(storage.exists(place(ep_id, run_id)) for place in _TELL_OF_A_RUN)
