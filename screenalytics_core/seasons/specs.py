"""What the files of a season look like; see `artifacts` for those of a run."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from screenalytics_core.artifacts import Codec, FileSpec
from screenalytics_core.schema import Column, DocumentSpec, TableSpec

_TEXT: Final = pa.string()
_INT: Final = pa.int64()
_F64: Final = pa.float64()

_SEASON: Final = Column("season", _TEXT, "season")
_EP_ID: Final = Column("ep_id", _TEXT, "episode")
_RUN_ID: Final = Column("run_id", _TEXT, "run that it is from; null = no run has it", None, True)
_STATE: Final = Column(
    "state", _TEXT, "of the episode: done, stale, running, failed, missing or unregistered"
)
_CAST_ID: Final = Column("cast_id", _TEXT, "cast member; null = unnamed", None, True)
_LABEL: Final = Column("label", _TEXT, "display name; null = unnamed", None, True)
_LINK_ID: Final = Column("link_id", _TEXT, "link of season_cast; null = in none", None, True)
_EPISODE_COLUMNS: Final = (
    _EP_ID,
    _RUN_ID,
    _STATE,
    Column("reason", _TEXT, "why it is not simply done; null = it is", None, True),
    Column("doubts", pa.list_(_TEXT), "why its figures may not compare with the others'"),
)

SEASON_CAST: Final = DocumentSpec(
    "season_cast",
    (
        _SEASON,
        Column("method", _TEXT, "how people are linked"),
        Column("threshold_from", _TEXT, "where the thresholds come from"),
        Column("notes", pa.list_(_TEXT), "what people should know of it"),
    ),
    (
        TableSpec(
            "links",
            (
                Column("link_id", _TEXT, "link, named after the tracks of its members"),
                Column("status", _TEXT, "proposal, unnamed, conflict or agreed"),
                Column("cast_id", _TEXT, "whom it proposes; null = nobody", None, True),
                Column("label", _TEXT, "display name of cast_id", None, True),
                Column("names", pa.list_(_TEXT), "cast members in it"),
                Column("similarity", _F64, "mean similarity (cosine x clarity) of its pairs"),
                Column("threshold", _F64, "mean similarity that joins"),
                Column("total_s", _F64, "seconds of its members", "s"),
            ),
            ("link_id",),
        ),
        TableSpec(
            "members",
            (
                Column("link_id", _TEXT, "link"),
                _EP_ID,
                Column("run_id", _TEXT, "run whose people these are"),
                Column("person_id", _TEXT, "cast_id, else identity_id, in the episode"),
                Column("identity_ids", pa.list_(_TEXT), "identities that are this person"),
                _CAST_ID,
                _LABEL,
                Column("similarity", _F64, "mean similarity to the other members"),
                Column(
                    "rival_similarity",
                    _F64,
                    "highest mean similarity to other people; null = there are none",
                    None,
                    True,
                ),
                Column("track_count", _INT, "face tracks"),
                Column("total_s", _F64, "seconds on screen in the episode", "s"),
            ),
            ("ep_id", "person_id"),
        ),
        TableSpec(
            "episodes",
            (
                *_EPISODE_COLUMNS,
                Column("people", _INT, "people of the episode; null = none known", None, True),
                Column("embedder_sha256", _TEXT, "model of their vectors", None, True),
                Column("cluster_thresh", _F64, "as recorded in the run", None, True),
            ),
            ("ep_id",),
        ),
    ),
)

_SECONDS: Final = (
    Column("total_s", _F64, "seconds on screen; null = not known", "s", True),
    Column("low_s", _F64, "the part of total_s that is sure", "s", True),
    Column("high_s", _F64, "total_s and everything else that may be theirs", "s", True),
    Column("face_s", _F64, "with their face", "s", True),
    Column("body_only_s", _F64, "body without face; null = nobody looked", "s", True),
    Column("share", _F64, "total_s / counted time, 0 to 1", None, True),
)
_WHO: Final = (
    Column("person_id", _TEXT, "cast_id, link_id, EP/identity_id, or (unknown)"),
    Column("kind", _TEXT, "cast, link (unnamed, of several episodes), identity or unknown"),
    _CAST_ID,
    _LINK_ID,
    _LABEL,
)

FIGURES: Final = TableSpec(
    "season_figures",
    (_SEASON, _EP_ID, _RUN_ID, _STATE, *_WHO, *_SECONDS),
    ("ep_id", "person_id"),
)
"""Seconds per person and episode. Cast members and linked people have a row for every episode,
0 s where they were not seen and null where nothing is known; other people for theirs alone."""

SEASON_SCREEN_TIME: Final = DocumentSpec(
    "season_screen_time",
    (
        _SEASON,
        Column("episodes_total", _INT, "episodes of the season, unregistered ones too"),
        Column("episodes_counted", _INT, "episodes with figures"),
        Column("duration_s", _F64, "length of the episodes with figures", "s"),
        Column("counted_s", _F64, "their length without trimmed stretches", "s"),
        Column("covered_s", _F64, "time with at least one identified person", "s"),
        Column("unknown_s", _F64, "time with a face that has no identity", "s"),
        Column("notes", pa.list_(_TEXT), "what people should know of it"),
    ),
    (
        TableSpec(
            "people",
            (
                *_WHO,
                Column("maybe_cast_id", _TEXT, "whom its link proposes", None, True),
                Column("maybe_label", _TEXT, "display name of maybe_cast_id", None, True),
                *_SECONDS,
                Column("proposed_s", _F64, "seconds more if open links to them hold", "s"),
                Column("episode_count", _INT, "episodes in which they are seen"),
                Column("first_ep_id", _TEXT, "first of them", None, True),
                Column("last_ep_id", _TEXT, "last of them", None, True),
            ),
            ("person_id",),
        ),
        TableSpec(
            "episodes",
            (
                *_EPISODE_COLUMNS,
                Column("duration_s", _F64, "length; null = not known", "s", True),
                Column("counted_s", _F64, "length without trimmed stretches", "s", True),
                Column("covered_s", _F64, "with an identified person", "s", True),
                Column("unknown_s", _F64, "with a face that has no identity", "s", True),
                Column("people", _INT, "people seen", None, True),
            ),
            ("ep_id",),
        ),
        TableSpec("figures", FIGURES.columns, FIGURES.key),
    ),
)

CAST_FILE: Final = FileSpec("cast", "season_cast.json", Codec.JSON, SEASON_CAST, "links")
SCREEN_TIME_FILE: Final = FileSpec(
    "screen_time", "season_screen_time.json", Codec.JSON, SEASON_SCREEN_TIME, "everything"
)
CSV_FILE: Final = FileSpec(
    "csv", "season_screen_time.csv", Codec.CSV, FIGURES, "one row per person and episode"
)
PARQUET_FILE: Final = FileSpec(
    "parquet", "season_screen_time.parquet", Codec.PARQUET, FIGURES, "the same"
)
PDF_FILE: Final = FileSpec("pdf", "season_report.pdf", Codec.PDF, None, "the report people keep")
HTML_FILE: Final = FileSpec("html", "season_report.html", Codec.HTML, None, "the same as a page")
PART_FILES: Final[dict[str, tuple[FileSpec, ...]]] = {
    "season_cast": (CAST_FILE,),
    "season_screen_time": (SCREEN_TIME_FILE, CSV_FILE, PARQUET_FILE, PDF_FILE, HTML_FILE),
}
"""What each asset of a season writes."""
