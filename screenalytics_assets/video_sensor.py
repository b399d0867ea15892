"""The sensor that makes episodes of what lies in `videos/`: a thin shell over `video_watch`."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import dagster as dg

from screenalytics_assets.assets.video import video_observation
from screenalytics_assets.partitions import EPISODES
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_assets.video_watch import Memory, Plan, plan_tick
from screenalytics_core.episode_registry import (
    Probe,
    recorded_video,
    register_in_place,
    video_sha256,
)
from screenalytics_core.episode_state import video_state
from screenalytics_core.episode_survey import Seen, survey
from screenalytics_core.errors import ScreenalyticsError, VideoChangedError, VideoError
from screenalytics_core.storage.base import Storage

# Two looks so far apart tell a file that is still copied from one that is whole.
_INTERVAL_S: Final = 30
# Half of what Dagster waits for a sensor. One large file may take longer: what was hashed is
# kept, so that the next tick has it at once.
_BUDGET_S: Final = 30.0
# SQLite takes so many values in one statement on any build.
_CHUNK: Final = 500
_NAMED: Final = 5


@dataclass(slots=True)
class Found:
    """What a tick found and did.

    Attributes:
        registered: By ep_id the sha256 of videos registered now.
        replaced: By ep_id the sha256 of files that are other videos than were registered.
        problems: What somebody has to look at, a line each; said once.
    """

    registered: dict[str, str] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)
    partitions: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)

    def say(self) -> str:
        """Return it in words."""
        said = [
            _names("registered", self.registered),
            _names("partitions added", self.partitions),
            _names("replaced", self.replaced),
            *self.problems,
        ]
        return "; ".join(part for part in said if part) or "nothing new in videos/"


def look(
    storage: Storage,
    partitions: Collection[str],
    memory: Memory,
    *,
    probe: Probe,
    now_ns: int,
    budget_s: float = _BUDGET_S,
) -> Found:
    """Register what was copied into place, and tell what was replaced or is gone.

    Args:
        partitions: The keys that Dagster knows.
        budget_s: Files that do not fit are left to the next tick; each gets one further.
    """
    deadline_s = time.monotonic() + budget_s
    seen = survey(storage)
    plan = plan_tick(seen, partitions, memory, now_ns)
    found = Found(problems=_lost(plan, memory))
    again: list[str] = []
    done = 0
    for ep_id in plan.open:
        if done and time.monotonic() > deadline_s:
            break
        try:
            _open(storage, ep_id, seen[ep_id], probe, found)
        except VideoChangedError:
            again.append(ep_id)
        except VideoError as error:
            found.problems.append(f"{ep_id}: {error}")
        except ScreenalyticsError as error:
            found.problems.append(f"{ep_id}: {error}")
            again.append(ep_id)
        done += 1
    found.partitions = tuple(sorted({*plan.partitions, *found.registered} - set(partitions)))
    found.memory = plan.memory_after(seen, plan.open[done:], again)
    return found


def _open(storage: Storage, ep_id: str, seen: Seen, probe: Probe, found: Found) -> None:
    """Read one file: register it, or see whether it is what was registered."""
    video = recorded_video(storage, ep_id)
    if video is None:
        found.registered[ep_id] = register_in_place(storage, ep_id, probe=probe).sha256
    elif video_state(storage, video, seen) == "replaced":
        found.replaced[ep_id] = video_sha256(storage, ep_id)
        found.problems.append(
            f"{ep_id}: is another video than was registered; restore it, or register this one "
            f"with `screenalytics episodes add VIDEO --ep-id {ep_id} --replace-video`"
        )


def _lost(plan: Plan, memory: Memory) -> list[str]:
    """Say what has no video, or no possible name, unless the tick before said the same."""
    if plan.memory.told == memory.told:
        return []
    misnamed = _names("no ep_id in lower case, rename the folder", plan.misnamed)
    gone = _names("partitions without their video, kept with their runs", plan.gone)
    return [part for part in (misnamed, gone) if part]


def _names(what: str, names: Collection[str]) -> str:
    if not names:
        return ""
    first = sorted(names)[:_NAMED]
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{what}: {', '.join(first)}{more}"


def add_partitions(instance: dg.DagsterInstance, ep_ids: Sequence[str]) -> None:
    """Make episodes partitions, however many."""
    for start in range(0, len(ep_ids), _CHUNK):
        chunk = list(ep_ids[start : start + _CHUNK])
        instance.add_dynamic_partitions(str(EPISODES.name), chunk)


def build_video_sensor(settings: Settings) -> Any:
    """Return the sensor that makes partitions of the videos under `settings.data_root`."""
    storage = Stores.open(settings.data_root).storage

    @dg.sensor(
        name="videos",
        minimum_interval_seconds=_INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Registers videos copied to videos/{ep_id}/episode.mp4 as episodes; tells "
        "which were replaced or are gone.",
    )
    def video_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        from screenalytics_core.vision.decode import probe_video

        found = look(
            storage,
            context.instance.get_dynamic_partitions(str(EPISODES.name)),
            Memory.parse(context.cursor),
            probe=probe_video,
            now_ns=time.time_ns(),
        )
        add_partitions(context.instance, found.partitions)
        for problem in found.problems:
            context.log.warning(problem)
        return dg.SensorResult(
            skip_reason=found.say(),
            cursor=found.memory.to_cursor(),
            asset_events=[
                video_observation(*each)
                for each in (*found.registered.items(), *found.replaced.items())
            ],
        )

    return video_sensor
