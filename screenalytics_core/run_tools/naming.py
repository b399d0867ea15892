"""Which run somebody means, whatever state its folder is in."""

from __future__ import annotations

from screenalytics_core import layout
from screenalytics_core.episodes import EpisodeId
from screenalytics_core.run_ids import normalize_run_id
from screenalytics_core.run_record import RunKey
from screenalytics_core.runs import RunStore
from screenalytics_core.storage.base import Storage

_TELL_OF_A_RUN = (layout.run_record_key, layout.manifest_key, layout.events_key)


def name_of(key: RunKey) -> str:
    """Return `EP/RUN`."""
    return f"{key.ep_id}/{key.run_id}"


def find_run(storage: Storage, runs: RunStore, text: str) -> RunKey:
    """Return the run that `EP/RUN` or a bare `RUN` means, also when its run.json is damaged.

    Raises:
        RunNotFoundError: No run, or several: then the matches are listed.
        InvalidIdError: An id must not become a path.
    """
    episode, slash, bare = text.strip().rpartition("/")
    if slash:
        key = RunKey(EpisodeId.parse(episode).text, normalize_run_id(bare))
        if any(storage.exists(place(*key)) for place in _TELL_OF_A_RUN):
            return key
    return runs.resolve_run(text)
