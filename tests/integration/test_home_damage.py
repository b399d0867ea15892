"""A DAGSTER_HOME that breaks under a run: one error that names it, and a run that can go on."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from screenalytics_assets.engine import Launch, run_episode
from screenalytics_assets.settings import Settings
from screenalytics_core.errors import StorageError
from tests.integration.support import EP_ID, balanced

pytestmark = pytest.mark.models


def test_a_home_that_is_damaged_while_a_run_uses_it_is_named(
    clip: Path, settings: Settings, lite_pack: object
) -> None:
    def damage(step: str, done: int, total: int, message: str) -> None:
        # Through SQLite: the open connections would not look again at bytes of the files.
        for database in settings.dagster_home.rglob("*.db"):
            with closing(sqlite3.connect(database, isolation_level=None)) as connection:
                connection.execute("DROP TABLE IF EXISTS event_logs")

    with pytest.raises(StorageError, match=r"DAGSTER_HOME .* cannot be used"):
        run_episode(
            EP_ID,
            clip,
            balanced(),
            settings=settings,
            launch=Launch(run_id="first", listener=damage),
        )

    shutil.rmtree(settings.dagster_home)
    again = run_episode(EP_ID, clip, balanced(), settings=settings)
    assert again.success, again.error
