"""The run ids of a backfill: from a template, or minted; all valid before anything starts."""

from __future__ import annotations

from collections.abc import Container
from datetime import UTC, datetime, timedelta
from string import Formatter
from typing import Final

from screenalytics_core import layout
from screenalytics_core.errors import SettingsError
from screenalytics_core.run_ids import generate_timestamp_run_id

FIELDS: Final = ("backfill_id", "ep_id", "date")


def check_template(template: str) -> str:
    """Return a template of run ids, or refuse it.

    Raises:
        SettingsError: It names an unknown field, or gives one a format.
        InvalidIdError: What it makes cannot be a run id.
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise _refused(template, str(error)) from error
    for _, name, spec, conversion in parts:
        if name is not None and (name not in FIELDS or spec or conversion):
            raise _refused(template, f"has a field {{{name}}} that is not known")
    return template


def name_run(template: str, *, backfill_id: str, ep_id: str, created_at: datetime) -> str:
    """Return the run id that a template gives for an episode.

    Raises:
        InvalidIdError: It cannot be a run id.
    """
    date = f"{created_at.astimezone(UTC):%Y%m%d}"
    run_id = template.format(backfill_id=backfill_id, ep_id=ep_id, date=date)
    return layout.run_prefix(ep_id, run_id).rpartition("/")[2]


def mint_run_id(
    ep_id: str, source: str, video_sha256: str, created_at: datetime, taken: Container[str]
) -> str:
    """Return a `timestamp` run id that is not taken; a taken one makes it the next second's."""
    while True:
        run_id = generate_timestamp_run_id(ep_id, source, video_sha256, created_at)
        if run_id not in taken:
            return run_id
        created_at += timedelta(seconds=1)


def _refused(template: str, reason: str) -> SettingsError:
    return SettingsError(
        thing=f"--run-id-template {template!r}",
        reason=reason,
        way_out=f"Use {', '.join('{' + name + '}' for name in FIELDS)} and plain text.",
    )
