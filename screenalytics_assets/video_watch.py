"""What a look at `videos/` means for the partitions: decided without I/O.

Somebody copies a file into place without `episodes add`, replaces one or removes one. A tick
sees stamps only; which files are worth opening is decided here, and what of a tick the next
one has to know is small, however many episodes there are.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from screenalytics_core.episode_survey import Seen
from screenalytics_core.episodes import EpisodeId, is_path_safe
from screenalytics_core.storage.base import Stamp

_LOG: Final = logging.getLogger(__name__)
GRACE_NS: Final = 120 * 10**9
"""A file that nobody wrote to for so long is whole: a stalled copy's next bytes come sooner."""

# A cursor is stored with every tick: 20 kB of it at most.
_MOST_WAITING: Final = 200


@dataclass(frozen=True, slots=True)
class Memory:
    """What a tick has to know of those before; the sensor's cursor.

    Attributes:
        settled_ns: Every file that changed up to then was dealt with, but for `waiting`.
        waiting: Files that were still being written, or for which there was no time, and the
            stamp they had.
        told: What was reported as gone or misnamed, as a hash, so that it is said once.
    """

    settled_ns: int = 0
    waiting: Mapping[str, Stamp] = field(default_factory=dict)
    told: str = ""

    @classmethod
    def parse(cls, cursor: str | None) -> Self:
        """Read a cursor; one that cannot be read makes everything be looked at again."""
        if not cursor:
            return cls()
        try:
            record = json.loads(cursor)
            waiting = {str(name): _stamp(*values) for name, values in record["waiting"].items()}
            return cls(int(record["settled_ns"]), waiting, str(record["told"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            _LOG.warning("cursor %.80r is not readable: every video is looked at again", cursor)
            return cls()

    def to_cursor(self) -> str:
        """Return it as the sensor keeps it."""
        record: dict[str, Any] = {
            "settled_ns": self.settled_ns,
            "waiting": {name: list(stamp) for name, stamp in sorted(self.waiting.items())},
            "told": self.told,
        }
        return json.dumps(record, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a tick has to do.

    Attributes:
        open: Files to be read, the one first that changed first: registered if they are not,
            else compared with what is.
        partitions: Registered episodes that are no partition yet.
        gone: Partitions whose video is not there; they stay, with their runs.
        misnamed: Folders with a video that no episode can be called after.
        memory: For the next tick, if all of `open` gets done.
        was_waiting: Those of `open` that an earlier tick had put off.
    """

    open: tuple[str, ...]
    partitions: tuple[str, ...]
    gone: tuple[str, ...]
    misnamed: tuple[str, ...]
    memory: Memory
    was_waiting: Mapping[str, Stamp]

    def memory_after(
        self, seen: Mapping[str, Seen], left: Collection[str], again: Collection[str]
    ) -> Memory:
        """Return the memory if not all of `open` got done.

        Args:
            seen: What the plan was made of.
            left: What there was no time for.
            again: What another try may help, such as a full disk.
        """
        kept, left = dict(self.memory.waiting), frozenset(left)
        stamps = {name: stamp for name in self.open if (stamp := seen[name].video)}
        kept |= {name: stamps[name] for name in again}
        done_ns = max((s.changed_ns for n, s in stamps.items() if n not in left), default=0)
        for name in sorted(left):
            # Of the same instant as one that is done, or older than what is settled.
            if stamps[name].changed_ns <= done_ns or name in self.was_waiting:
                kept[name] = stamps[name]
        others = [stamps[name] for name in left if name not in kept]
        return _remembering(self.memory.settled_ns, kept, others, self.memory.told)


def plan_tick(
    seen: Mapping[str, Seen], partitions: Collection[str], memory: Memory, now_ns: int
) -> Plan:
    """Decide what to do about what was seen.

    Args:
        seen: Every folder of `videos/`.
        partitions: The keys that Dagster knows.
        now_ns: Since 1970, as stamps are.
    """
    # After a clock was set back, what changes now would else seem settled for years.
    settled_ns = min(memory.settled_ns, now_ns)
    keys = set(partitions)
    # Parsing a name costs more than all other looks at it: a partition's was parsed once.
    ids = {name: it for name, it in seen.items() if name in keys or _is_id(name)}
    misnamed = tuple(name for name, it in seen.items() if it.video and name not in ids)
    changed = {
        name: it.video
        for name, it in ids.items()
        if it.video is not None
        and not it.is_untouched
        and (it.video.changed_ns > settled_ns or name in memory.waiting)
    }
    stable = {n: v for n, v in changed.items() if _is_stable(v, memory.waiting.get(n), now_ns)}
    waiting = {name: stamp for name, stamp in changed.items() if name not in stable}
    gone = tuple(sorted(key for key in keys if key not in seen or seen[key].video is None))
    newest_ns = max([settled_ns, *(v.changed_ns for v in changed.values())])
    return Plan(
        open=tuple(sorted(stable, key=lambda name: (stable[name].changed_ns, name))),
        partitions=tuple(n for n, it in ids.items() if it.facts is not None and n not in keys),
        gone=gone,
        misnamed=misnamed,
        memory=_remembering(newest_ns, waiting, [], _digest(gone, misnamed)),
        was_waiting={n: v for n, v in stable.items() if n in memory.waiting},
    )


def _remembering(
    settled_ns: int, waiting: Mapping[str, Stamp], left: Collection[Stamp], told: str
) -> Memory:
    """Remember the oldest of what waits by name; the others make less count as settled."""
    oldest = sorted(waiting, key=lambda name: (waiting[name].changed_ns, name))
    others = [*left, *(waiting[name] for name in oldest[_MOST_WAITING:])]
    settled_ns = min([settled_ns, *(s.changed_ns - 1 for s in others)])
    return Memory(settled_ns, {name: waiting[name] for name in oldest[:_MOST_WAITING]}, told)


def _is_stable(now: Stamp, before: Stamp | None, now_ns: int) -> bool:
    # What the storage has a name for was there as a whole from its first moment.
    return now == before or bool(now.etag) or now_ns - now.modified_ns > GRACE_NS


def _stamp(size_bytes: object, modified_ns: object, changed_ns: object, etag: object = "") -> Stamp:
    """Build a stamp as a cursor holds it; ValueError or TypeError if it is none."""
    size, modified, changed = (int(str(n)) for n in (size_bytes, modified_ns, changed_ns))
    return Stamp(size, modified, changed, str(etag))


def _is_id(name: str) -> bool:
    """True for a name that is an ep_id in its canonical spelling."""
    return is_path_safe(name) and EpisodeId.parse(name).text == name


def _digest(*reported: tuple[str, ...]) -> str:
    if not any(reported):
        return ""
    return hashlib.sha256(json.dumps(reported).encode()).hexdigest()[:16]
