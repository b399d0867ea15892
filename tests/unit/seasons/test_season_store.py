"""A season's folder: what stands in season.json is whole, whatever dies on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from screenalytics_core.decisions.records import Sighting, TrackAnchor
from screenalytics_core.errors import (
    ArtifactCorruptError,
    ArtifactNotFoundError,
    SchemaMismatchError,
    StorageError,
)
from screenalytics_core.season_store import SeasonStore
from screenalytics_core.seasons.model import EpisodeInput, EpisodeState, signature
from screenalytics_core.seasons.record import CAST, SCREEN_TIME, SeasonPart
from screenalytics_core.seasons.rejections import RejectedMember, Rejection
from screenalytics_core.seasons.specs import CAST_FILE, FIGURES
from screenalytics_core.storage.base import StagedFile
from screenalytics_core.storage.local import LocalStorage
from tests.season_samples import SEASON, cast_of, done

EPISODES = (
    done("show-s01e01", sha256s={"cast": "c" * 64}, doubts=("made with stride 5",)),
    EpisodeInput("show-s01e02", EpisodeState.FAILED, "no space left"),
)


def publish(store: SeasonStore, episodes: tuple[EpisodeInput, ...] = EPISODES) -> SeasonPart:
    return store.publish(
        SEASON,
        CAST,
        {"cast": cast_of(episodes)},
        signature=signature(episodes),
        version="1",
        episodes=episodes,
    )


class Dying(LocalStorage):
    """A storage whose process dies when it makes a staged file of that name visible."""

    def __init__(self, root: Path, at: str) -> None:
        super().__init__(root)
        self._at = at

    def commit(self, staged: StagedFile) -> None:
        if staged.key.endswith(self._at):
            raise StorageError(thing=staged.key, reason="the process died", way_out="")
        super().commit(staged)


def screen_time_values() -> dict[str, Any]:
    figures = FIGURES.arrow_schema().empty_table()
    document = {
        "season": SEASON, "episodes_total": 0, "episodes_counted": 0, "duration_s": 0.0,
        "counted_s": 0.0, "covered_s": 0.0, "unknown_s": 0.0, "notes": [], "people": [],
        "episodes": [], "figures": [],
    }  # fmt: skip
    return {
        "screen_time": document, "csv": figures, "parquet": figures, "pdf": b"%PDF-1", "html": b"",
    }  # fmt: skip


def publish_screen_time(store: SeasonStore) -> None:
    store.publish(
        SEASON, SCREEN_TIME, screen_time_values(), signature="s", version="1", episodes=EPISODES
    )


def test_what_is_published_is_read_back_with_what_it_was_made_from(tmp_path: Path) -> None:
    store = SeasonStore(LocalStorage(tmp_path))
    part = publish(store)

    assert store.record(SEASON).parts == {CAST: part}
    assert store.record(SEASON).parts[CAST].episodes == EPISODES
    assert store.read(SEASON, CAST, CAST_FILE)["episodes"][1]["reason"] == "no space left"


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        publish(SeasonStore(LocalStorage(tmp_path / name)))
    files = [
        {p.name: p.read_bytes() for p in (tmp_path / name / "seasons" / SEASON).glob("season*")}
        for name in ("one", "other")
    ]

    assert files[0] == files[1]
    assert set(files[0]) == {"season.json", "season_cast.json"}


def test_a_value_that_does_not_fit_changes_nothing(tmp_path: Path) -> None:
    store = SeasonStore(LocalStorage(tmp_path))
    part = publish(store)
    with pytest.raises(SchemaMismatchError):
        store.publish(
            SEASON, CAST, {"cast": {"season": SEASON}}, signature="x", version="1", episodes=()
        )

    assert store.record(SEASON).parts == {CAST: part}
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_death_between_two_files_leaves_a_missing_part_and_the_other_whole(
    tmp_path: Path,
) -> None:
    store = SeasonStore(LocalStorage(tmp_path))
    part = publish(store)
    publish_screen_time(store)
    with pytest.raises(StorageError):
        publish_screen_time(SeasonStore(Dying(tmp_path, "season_report.pdf")))

    assert store.record(SEASON).parts == {CAST: part}
    with pytest.raises(ArtifactNotFoundError, match="season rollup"):
        store.read_bytes(SEASON, SCREEN_TIME, CAST_FILE)


def test_a_file_that_somebody_changed_is_refused(tmp_path: Path) -> None:
    store = SeasonStore(LocalStorage(tmp_path))
    publish(store)
    Path(store.location(SEASON, CAST_FILE)).write_bytes(b"{}")

    with pytest.raises(ArtifactCorruptError, match=r"season\.json says"):
        store.read(SEASON, CAST, CAST_FILE)


@pytest.mark.parametrize(
    "content", ["", "[]", '{"schema_version": 9}', '{"schema_version": 1, "season": "x"}']
)
def test_a_damaged_record_is_named_and_made_anew_by_the_next_roll_up(
    tmp_path: Path, content: str
) -> None:
    store = SeasonStore(LocalStorage(tmp_path))
    publish(store)
    (tmp_path / "seasons" / SEASON / "season.json").write_text(content)
    with pytest.raises(ArtifactCorruptError, match=r"season\.json"):
        store.record(SEASON)
    publish(store)

    assert CAST in store.record(SEASON).parts


def test_a_record_of_another_season_is_refused(tmp_path: Path) -> None:
    store = SeasonStore(LocalStorage(tmp_path))
    publish(store)
    (tmp_path / "seasons" / SEASON).rename(tmp_path / "seasons" / "show-s02")

    with pytest.raises(ArtifactCorruptError, match="belongs to show-s01"):
        store.record("show-s02")


def test_a_season_that_was_never_rolled_up_leaves_no_folder(tmp_path: Path) -> None:
    store = SeasonStore(LocalStorage(tmp_path))
    with pytest.raises(ArtifactNotFoundError):
        store.read(SEASON, CAST, CAST_FILE)

    assert store.record(SEASON).parts == {}
    assert not (tmp_path / "seasons").exists()


@pytest.mark.parametrize(
    "changed",
    [
        EpisodeInput("show-s01e02", EpisodeState.DONE, "no space left"),
        EpisodeInput("show-s01e02", EpisodeState.FAILED, "another reason"),
        EpisodeInput("show-s01e02", EpisodeState.FAILED, "no space left", run_id="second"),
        EpisodeInput("show-s01e02", EpisodeState.FAILED, "no space left", sha256s={"cast": "d"}),
    ],
)
def test_whatever_changes_of_an_episode_makes_the_season_stale(changed: EpisodeInput) -> None:
    assert signature((EPISODES[0], changed)) != signature(EPISODES)


def rejection() -> Rejection:
    anchor = TrackAnchor(3, "t" * 64, (Sighting(1.5, (0.0, 1.0, 2.0, 3.0)),))
    member = RejectedMember("show-s01e01", "first", "id_0001", (anchor,), is_apart=True)
    return Rejection(0, "2026-01-02T03:04:05+00:00", "me@here", "link_1", (member,))


def test_rejections_are_numbered_appended_and_read_back(tmp_path: Path) -> None:
    store = SeasonStore(LocalStorage(tmp_path))
    assert store.rejections_sha256(SEASON) == "none"
    store.reject(SEASON, rejection())
    second = store.reject(SEASON, rejection())

    assert second.sequence == 2
    assert [r.sequence for r in store.rejections(SEASON)] == [1, 2]
    assert store.rejections(SEASON)[1] == second


def test_a_torn_last_line_is_left_out_and_a_damaged_one_named(tmp_path: Path) -> None:
    store = SeasonStore(LocalStorage(tmp_path))
    store.reject(SEASON, rejection())
    log = tmp_path / "seasons" / SEASON / "link_decisions.jsonl"
    with log.open("ab") as file:
        file.write(b'{"sequence": 2, ')
    assert len(store.rejections(SEASON)) == 1

    log.write_text(json.dumps({"sequence": 1}) + "\n")
    with pytest.raises(ArtifactCorruptError, match="line 1"):
        store.rejections(SEASON)
