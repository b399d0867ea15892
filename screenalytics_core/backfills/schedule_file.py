"""`schedules.yaml`: read and checked; what is wrong is named by its line and field. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from screenalytics_core.backfills.choice import DEFAULT_WHICH, Which
from screenalytics_core.config import DEFAULT_PROFILE, EpisodeRunConfig
from screenalytics_core.errors import ScheduleError, SettingsError
from screenalytics_core.yaml_schema import load_schema, violations

_SCHEMA: Final = "backfills/schedules.schema.yaml"
# Dagster's names of schedules; the name also begins run ids.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,63}")
_INDEX: Final = re.compile(r"\[\d+\]")
_PLACE: Final = "schedules.yaml"

Lines = Mapping[tuple[str, ...], int]


@dataclass(frozen=True, slots=True)
class Schedule:
    """One schedule.

    Attributes:
        cron: Five fields, in `timezone`.
        selection: Episodes, seasons or ranges, as `backfill` takes them.
    """

    name: str
    cron: str
    timezone: str
    selection: tuple[str, ...]
    which: tuple[Which, ...]
    config: EpisodeRunConfig
    is_enabled: bool

    def tick_id(self, at: datetime) -> str:
        """Return the id that a tick's backfill and runs have: equal wherever it is evaluated."""
        return f"{self.name}_{at.astimezone(UTC):%Y%m%dT%H%MZ}"


def read_schedules(text: str, is_cron: Callable[[str], bool]) -> tuple[Schedule, ...]:
    """Return the schedules of a file, in its order.

    Args:
        is_cron: Tells whether a text is a cron expression.

    Raises:
        ScheduleError: It is no YAML, or a field is wrong; the first line is named.
    """
    import yaml  # slow to import, and most installations have no such file

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _wrong(line, "", f"is no YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise _wrong(1, "", f"is no YAML: {error}") from error
    lines = dict(_lines(node, ())) if node is not None else {}
    for violation in violations(value, load_schema(_SCHEMA)):
        path, _, reason = violation.partition(": ")
        where = _path(path, lines)
        raise _wrong(_line(lines, where), ".".join(where), reason)
    return tuple(
        _schedule(name, given, lines, is_cron) for name, given in value["schedules"].items()
    )


def _schedule(
    name: str, given: Mapping[str, Any], lines: Lines, is_cron: Callable[[str], bool]
) -> Schedule:
    def refuse(field: str, reason: str) -> ScheduleError:
        where = ("schedules", name, *([field] if field else []))
        return _wrong(_line(lines, where), ".".join(where), reason)

    if _NAME.fullmatch(name) is None:
        raise refuse("", "its name must be letters, digits and '_', at most 64")
    if not is_cron(given["cron"]):
        raise refuse("cron", f"{given['cron']!r} is no cron expression of five fields")
    timezone = given.get("timezone", "UTC")
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise refuse("timezone", f"{timezone!r} is not in the tz database") from error
    if not given["selection"]:
        raise refuse("selection", "is empty")
    try:
        config = EpisodeRunConfig.from_mapping(
            given.get("settings", {}), profile=given.get("profile", DEFAULT_PROFILE)
        )
    except SettingsError as error:
        raise refuse("settings", str(error)) from error
    return Schedule(
        name=name,
        cron=given["cron"],
        timezone=timezone,
        selection=tuple(given["selection"]),
        which=tuple(Which(w) for w in given.get("which") or DEFAULT_WHICH),
        config=config,
        is_enabled=given.get("enabled", True),
    )


def _lines(node: Any, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], int]]:
    """Return where each field stands: path -> line from 1 on."""
    import yaml

    found = [(path, node.start_mark.line + 1)]
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            own = (*path, str(key.value))
            inner = _lines(value, own)
            found += [(own, key.start_mark.line + 1), *inner[1:]]
    return found


def _path(text: str, lines: Lines) -> tuple[str, ...]:
    """Return the longest known path that a violation's path begins with; names may hold dots."""
    plain = _INDEX.sub("", text)
    fitting = [path for path in lines if ".".join(path) == plain[: len(".".join(path))]]
    return max(fitting, key=len, default=())


def _line(lines: Lines, path: tuple[str, ...]) -> int:
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _wrong(line: int, field: str, reason: str) -> ScheduleError:
    return ScheduleError(
        thing=f"{_PLACE}, line {line}" + (f", {field}" if field else ""),
        reason=reason,
        way_out="Mend it, then reload the code location; until then there are no schedules.",
        line=line,
        field=field,
    )
