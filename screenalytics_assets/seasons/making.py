"""What the assets of a season are made of: the one way, for the UI, the sensor and people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from screenalytics_assets.seasons.episodes import season_episodes
from screenalytics_assets.seasons.reading import read_people, read_screen_time
from screenalytics_assets.stores import Stores
from screenalytics_core.errors import ArtifactNotFoundError, VideoError
from screenalytics_core.report.season_html import render_season_html
from screenalytics_core.report.season_pdf import render_season_pdf
from screenalytics_core.season_store import SeasonStore
from screenalytics_core.seasons.apart import held_apart
from screenalytics_core.seasons.cast_document import cast_document
from screenalytics_core.seasons.linking import link_people
from screenalytics_core.seasons.model import EpisodeInput, signature
from screenalytics_core.seasons.record import CAST, SCREEN_TIME, SeasonPart, SeasonRecord
from screenalytics_core.seasons.rollup import roll_up
from screenalytics_core.seasons.specs import CAST_FILE, FIGURES

# Raised whenever the same inputs would give other files.
CAST_VERSION: Final = "1"
SCREEN_TIME_VERSION: Final = "1"

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """What was made: the document, and its entry in season.json."""

    document: Document
    part: SeasonPart


def cast_signature(store: SeasonStore, season: str, episodes: Sequence[EpisodeInput]) -> str:
    """Return what `season_cast` made from these episodes would be made from."""
    return signature(episodes, store.rejections_sha256(season), CAST_VERSION)


def screen_time_signature(episodes: Sequence[EpisodeInput], cast_sha256: str) -> str:
    """Return what `season_screen_time` made from these episodes would be made from."""
    return signature(episodes, cast_sha256, SCREEN_TIME_VERSION)


def is_current(record: SeasonRecord, signature_now: str) -> bool:
    """Tell whether a season's files were made from just what is there now.

    Args:
        signature_now: What `cast_signature` gives now.
    """
    cast, screen_time = record.parts.get(CAST), record.parts.get(SCREEN_TIME)
    if cast is None or screen_time is None or cast.signature != signature_now:
        return False
    cast_sha256 = cast.files[CAST_FILE.filename].sha256
    return screen_time.signature == screen_time_signature(cast.episodes, cast_sha256)


def make_season_cast(stores: Stores, season: str) -> Made:
    """Link the people of a season's episodes, as they stand now, and publish it.

    Raises:
        VideoError: No episode of the season is registered.
        ScreenalyticsError: An artifact cannot be read, or the disk is full.
    """
    store = stores.seasons
    episodes = season_episodes(stores, season)
    if not episodes:
        raise VideoError(
            thing=f"season {season}",
            reason="has no registered episode",
            way_out="Run `screenalytics episodes add`, or see `screenalytics episodes list`.",
        )
    made_from = cast_signature(store, season, episodes)
    readings = [read_people(stores, e) for e in episodes if e.is_counted]
    people = [reading.seen for reading in readings]
    finders = {reading.seen.ep_id: reading.finder for reading in readings}
    apart = held_apart(store.rejections(season), people, finders)
    document = cast_document(season, episodes, people, link_people(people, apart))
    part = store.publish(
        season,
        CAST,
        {CAST_FILE.part: document},
        signature=made_from,
        version=CAST_VERSION,
        episodes=episodes,
    )
    return Made(document, part)


def make_season_screen_time(stores: Stores, season: str) -> Made:
    """Add up a season's episodes, of the runs that its cast was made from, and publish it.

    Raises:
        ArtifactNotFoundError: Its cast was not made yet.
        ScreenalyticsError: An artifact cannot be read, or the disk is full.
    """
    store = stores.seasons
    held = store.record(season).parts.get(CAST)
    cast = store.read(season, CAST, CAST_FILE)
    if held is None or store.record(season).parts.get(CAST) != held:
        raise ArtifactNotFoundError(
            thing=f"{CAST} of season {season}", reason="is being made anew", way_out="Try again."
        )
    cast_sha256 = held.files[CAST_FILE.filename].sha256
    made_from = screen_time_signature(held.episodes, cast_sha256)
    screen_times = {e.ep_id: read_screen_time(stores, e) for e in held.episodes if e.is_counted}
    document = roll_up(season, held.episodes, screen_times, cast)
    figures = FIGURES.from_rows(document["figures"])
    part = store.publish(
        season,
        SCREEN_TIME,
        {
            "screen_time": document,
            "csv": figures,
            "parquet": figures,
            "pdf": render_season_pdf(document, cast),
            "html": render_season_html(document, cast),
        },
        signature=made_from,
        version=SCREEN_TIME_VERSION,
        episodes=held.episodes,
    )
    return Made(document, part)
