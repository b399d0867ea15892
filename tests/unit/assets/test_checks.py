"""Each check passes on a sound run, and fails for each thing that it is there to see."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import numpy as np
import pyarrow as pa
import pytest

from screenalytics_assets.checks.base import Check, Outcome
from screenalytics_assets.checks.evaluation import check_results
from screenalytics_assets.checks.registry import CHECKS
from screenalytics_assets.checks.values import PublishedValues
from screenalytics_core.artifacts import ArtifactKind
from tests.check_samples import IDS, Held, Kind, Run, finder, sound_run

Break = Callable[[Run], None]
ALL = [(asset, check.name) for asset, checks in CHECKS.items() for check in checks]


def check_of(asset: str, name: str) -> Check:
    return next(c for c in CHECKS[asset] if c.name == name)


def outcome(asset: str, name: str, run: Run) -> Outcome:
    return check_of(asset, name).run(PublishedValues(finder(run)))


def cell(kind: ArtifactKind, part: str, name: str, value: Any, row: int = 0) -> Break:
    """Change one cell of a table."""

    def change(run: Run) -> None:
        table: pa.Table = run[kind][part]
        values = table.column(name).to_pylist()
        values[row] = value
        at = table.column_names.index(name)
        column = pa.array(values, table.schema.field(name).type)
        run[kind][part] = table.set_column(at, name, column)

    return change


def entry(kind: ArtifactKind, part: str, *path: Any, value: Any) -> Break:
    """Change one value of a document or array, found by keys and indices."""

    def change(run: Run) -> None:
        at = run[kind][part]
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value

    return change


def drop(kind: ArtifactKind, part: str) -> Break:
    """Lose the last row of a table or array."""

    def change(run: Run) -> None:
        run[kind][part] = run[kind][part][: len(run[kind][part]) - 1]

    return change


def put(kind: ArtifactKind, part: str, value: Any) -> Break:
    def change(run: Run) -> None:
        run[kind][part] = value

    return change


def track(name: str, value: Any, row: int = 0) -> Break:
    return cell(Kind.TRACKS, "tracks", name, value, row)


def person(name: str, value: Any) -> Break:
    return entry(Kind.SCREEN_TIME, "screen_time", "people", 1, name, value=value)


def segment(name: str, value: Any, at: int = 0) -> Break:
    path = ("people", 1, "segments", at, name)
    return entry(Kind.SCREEN_TIME, "screen_time", *path, value=value)


def identity(name: str, value: Any) -> Break:
    return entry(Kind.IDENTITIES, "identities", "identities", 0, name, value=value)


def member(name: str, value: Any) -> Break:
    return entry(Kind.IDENTITIES, "identities", "memberships", 0, name, value=value)


def body(name: str, value: Any) -> Break:
    return entry(Kind.TRACK_FUSION, "track_fusion", "associations", 0, name, value=value)


METRIC = {"name": "tracks_per_minute", "value": 90.0, "warn_below": 10.0, "warn_above": 30.0}
CASES: list[tuple[str, str, Break, str]] = [
    # asset, check, what breaks, what is said
    ("shots", "no_holes", entry(Kind.SHOTS, "shots", "shots", 1, "start_frame", value=26),
     "the shots do not cover frames 0 to 50"),
    ("shots", "no_holes", entry(Kind.SHOTS, "shots", "shots", 0, "end_s", value=1.5),
     "1 of 2 rows of shots do not lie at their frames' times"),
    ("shots", "no_holes", entry(Kind.SHOTS, "frame_times", 3, value=0.2), "are not before"),
    ("shots", "no_holes", drop(Kind.SHOTS, "frame_times"), "50 frame times do not fit 50 frames"),
    ("shots", "no_holes", entry(Kind.SHOTS, "shots", "duration_s", value=2.04), "duration_s is"),
    ("detections", "rows_fit_the_frames", drop(Kind.DETECTIONS, "sampled_frames"),
     "3 of 30 rows stand on a frame that nobody looked at"),
    ("detections", "rows_fit_the_frames", cell(Kind.DETECTIONS, "detections", "shot_id", 1),
     "name a shot that is not their frame's"),
    ("detections", "rows_fit_the_frames", cell(Kind.DETECTIONS, "detections", "timestamp_s", 0.1),
     "have another time than their frame"),
    ("detections", "values_in_range", cell(Kind.DETECTIONS, "detections", "confidence", 0.05),
     "confidence outside 0.1 to 1"),
    ("detections", "values_in_range",
     cell(Kind.DETECTIONS, "detections", "bbox_xyxy", [0, 0, 641, 9]), "outside the picture"),
    ("detections", "values_in_range",
     cell(Kind.DETECTIONS, "detections", "bbox_xyxy", [9, 0, 9, 9]), "without area"),
    ("body_detections", "rows_fit_the_frames",
     cell(Kind.BODY_DETECTIONS, "body_detections", "frame_idx", 3), "nobody looked at"),
    ("body_detections", "values_in_range", drop(Kind.BODY_DETECTIONS, "body_appearance"),
     "29 appearance vectors do not fit 30 rows"),
    ("body_detections", "values_in_range",
     entry(Kind.BODY_DETECTIONS, "body_appearance", (4, 4), value=0.9), "another length than 1"),
    ("body_detections", "values_in_range",
     cell(Kind.BODY_DETECTIONS, "body_detections", "appearance", None), "the other way round"),
    ("tracks", "rows_fit_the_detections", track("detection_ids", [99, 3, 6, 9, 12]),
     "1 detections of tracks do not exist: 99"),
    ("tracks", "rows_fit_the_detections", track("detection_ids", [1, 3, 6, 9, 12]),
     "1 detections are part of several tracks: 1"),
    ("tracks", "rows_fit_the_detections", track("frame_idxs", [1, 5, 10, 15, 20]),
     "1 detections stand on another frame in their track: 0"),
    ("tracks", "rows_fit_the_detections", track("frame_idxs", [0, 5]), "of different lengths"),
    ("tracks", "rows_fit_the_detections",
     entry(Kind.TRACK_METRICS, "track_metrics", "track_count", value=7), "speaks of 7 tracks"),
    ("tracks", "inside_the_episode", track("last_frame_idx", 25), "cross a cut"),
    ("tracks", "inside_the_episode", track("shot_id", 7), "lie outside of their shot"),
    ("tracks", "inside_the_episode", track("end_s", 0.88), "another time than their frames"),
    ("tracks", "inside_the_episode", track("end_s", 0.0), "end before they start"),
    ("tracks", "inside_the_episode", track("frame_idxs", [0, 10, 5, 15, 20]), "do not ascend"),
    ("tracks", "inside_the_episode", track("first_frame_idx", 1), "have boxes outside themselves"),
    ("tracks", "quality_within_limits",
     entry(Kind.TRACK_METRICS, "track_metrics", "metrics", 0, value={**METRIC, "is_warning": True}),
     "Tracks per minute: 90, usual is 10 to 30"),
    ("faces", "rows_fit_the_tracks", cell(Kind.FACES, "faces", "track_id", 9), "a track that does"),
    ("faces", "rows_fit_the_tracks", cell(Kind.FACES, "faces", "detection_id", 99),
     "a detection that does"),
    ("faces", "rows_fit_the_tracks", cell(Kind.FACES, "faces", "embedding_row", 5), "count up"),
    ("faces", "rows_fit_the_tracks", cell(Kind.FACES, "faces", "crop", "gone.jpg"),
     "no picture in crops.zip: gone.jpg"),
    ("faces", "rows_fit_the_tracks", cell(Kind.FACES, "faces", "accepted", False, row=29),
     "of rejected faces give no reason"),
    ("faces", "values_in_range", cell(Kind.FACES, "faces", "quality", 1.5), "quality outside"),
    ("faces", "values_in_range", cell(Kind.FACES, "faces", "sharpness", -1.0), "sharpness below"),
    ("faces", "quality_within_limits",
     put(Kind.FACES, "faces", sound_run()[Kind.FACES]["faces"][:9]),
     "Accepted faces per track: 1.5, usual is at least 3"),
    ("embeddings", "rows_fit_the_faces", drop(Kind.FACES_EMBEDDINGS, "embeddings"),
     "29 vectors do not fit 30 accepted faces"),
    ("embeddings", "rows_fit_the_faces", cell(Kind.TRACK_REPS, "track_reps", "face_ids", [0, 5]),
     "name faces that are not their track's"),
    ("embeddings", "rows_fit_the_faces", drop(Kind.TRACK_REPS, "track_reps"), "have no vector: 5"),
    ("embeddings", "unit_length", entry(Kind.FACES_EMBEDDINGS, "embeddings", (2, 2), value=1.002),
     "1 of 30 rows of faces_embeddings have another length than 1, the first is row 2"),
    ("embeddings", "unit_length", cell(Kind.TRACK_REPS, "track_reps", "embedding", [0.1] * 512),
     "of track_reps have a vector of another length"),
    ("embeddings", "unit_length",
     cell(Kind.TRACK_REPS, "track_reps", "left_out_embedding", [0.1] * 512),
     "of track_reps have a left_out_embedding of another length"),
    ("embeddings", "unit_length", cell(Kind.TRACK_REPS, "track_reps", "spread", 2.5), "no spread"),
    ("embeddings", "unit_length", cell(Kind.TRACK_REPS, "track_reps", "clarity", 1.5),
     "no clarity"),
    ("identities", "tracks_have_one_owner", identity("track_ids", [0, 3, 4]), "several people"),
    ("identities", "tracks_have_one_owner", identity("track_ids", [0]), "neither assigned nor"),
    ("identities", "tracks_have_one_owner", identity("track_ids", [0, 3, 8]), "do not exist: 8"),
    ("identities", "tracks_have_one_owner", member("identity_id", None), "in memberships: 0"),
    ("identities", "tracks_have_one_owner", identity("representative_face_id", 99),
     "faces that stand for people do not exist: 99"),
    ("identities", "values_in_range", identity("confidence", 1.1), "people have a confidence"),
    ("identities", "values_in_range", member("similarity", -1.5), "tracks have a similarity"),
    ("identities", "values_in_range", member("rival_id", "id_0009"), "rivals do not exist"),
    ("identities", "quality_within_limits", identity("track_ids", [0, 3, 6, 7, 8]),
     "Share of assigned tracks in the largest identity: 0.5556, usual is at most 0.4"),
    ("cast", "people_exist", entry(Kind.CAST, "cast", "people", 0, "identity_id", value="id_0009"),
     "identities do not exist: id_0009"),
    ("cast", "people_exist", entry(Kind.CAST, "cast", "people", 0, "identity_id", value=None),
     "neither an identity nor a track (rows): 0"),
    ("cast", "people_exist", entry(Kind.CAST, "cast", "people", 0, "track_id", value=77),
     "tracks do not exist: 77"),
    ("cast", "people_exist", entry(Kind.CAST, "cast", "people", 0, "source", value="rumour"),
     "sources are unknown: rumour"),
    ("cast", "people_exist",
     entry(Kind.CAST, "cast", "people", 0, "merged_into", value="id_0009"),
     "merged into one that is not itself: id_0001"),
    ("cast", "people_exist",
     put(Kind.CAST, "cast", {**sound_run()[Kind.CAST]["cast"],
                             "people": sound_run()[Kind.CAST]["cast"]["people"][:1] * 2}),
     "identities have several rows: id_0001"),
    ("body_tracks", "rows_fit_the_detections", drop(Kind.BODY_TRACKS, "body_embeddings"),
     "6 appearance rows do not name each of the 5 vectors once"),
    ("body_tracks", "rows_fit_the_detections",
     entry(Kind.BODY_TRACKS, "body_embeddings", (2, 2), value=0.5), "another length than 1"),
    ("body_tracks", "rows_fit_the_detections",
     cell(Kind.BODY_TRACKS, "body_tracks", "detection_ids", [99, 3, 6, 9, 12, None]),
     "detections of tracks do not exist: 99"),
    ("body_tracks", "inside_the_episode", cell(Kind.BODY_TRACKS, "body_tracks", "shot_id", 1),
     "cross a cut"),
    ("track_fusion", "associations_exist", body("body_track_id", 9), "body tracks do not exist: 9"),
    ("track_fusion", "associations_exist", body("identity_id", "id_0009"), "identities do not"),
    ("track_fusion", "associations_exist", body("track_ids", [1]), "face tracks vote for somebody"),
    ("track_fusion", "associations_exist", body("evidence", "none"), "somebody without evidence"),
    ("track_fusion", "associations_exist",
     entry(Kind.TRACK_FUSION, "track_fusion", "has_bodies", value=False), "nobody looked for"),
    ("track_fusion", "inside_the_episode", body("end_s", 1.2), "while they are not seen: 0"),
    ("track_fusion", "inside_the_episode",
     entry(Kind.TRACK_FUSION, "track_fusion", "associations", 1, "body_track_id", value=0),
     "belong to two people at once: 0"),
    ("track_fusion", "inside_the_episode",
     entry(Kind.TRACK_FUSION, "track_fusion", "scenes", 0, "last_shot_id", value=0),
     "scenes do not begin and end with their shots: 0"),
    ("track_fusion", "inside_the_episode",
     entry(Kind.TRACK_FUSION, "track_fusion", "scenes", 0, "last_shot_id", value=2),
     "shots of scenes do not exist: 2"),
    ("track_fusion", "inside_the_episode",
     entry(Kind.TRACK_FUSION, "track_fusion", "scenes",
           value=[{"scene_id": n, "first_shot_id": 0, "last_shot_id": 1, "start_s": 0.0,
                   "end_s": 2.0} for n in range(2)]),
     "scenes share shots"),
    ("screen_time", "seconds_add_up", person("face_s", 2.5), "from face to total to counted"),
    ("screen_time", "seconds_add_up", person("low_s", 2.1), "bounds do not hold total_s"),
    ("screen_time", "seconds_add_up", person("high_s", 1.9), "bounds do not hold total_s"),
    ("screen_time", "seconds_add_up", person("high_s", 2.1), "or leave the episode"),
    ("screen_time", "seconds_add_up", person("body_only_s", 0.1), "do not add up to total_s"),
    ("screen_time", "seconds_add_up", person("body_only_s", None), "missing with them"),
    ("screen_time", "seconds_add_up", person("share", 0.5), "share is not total_s / counted_s"),
    ("screen_time", "seconds_add_up",
     entry(Kind.SCREEN_TIME, "screen_time", "overlap_s", value=2.5), "do not fit into each other"),
    ("screen_time", "seconds_add_up",
     entry(Kind.SCREEN_TIME, "screen_time", "co_appearances", 0, "together_s", value=2.1),
     "pairs are together longer"),
    ("screen_time", "segments_inside_the_episode", segment("end_s", 0.9), "segments overlap"),
    ("screen_time", "segments_inside_the_episode", segment("end_s", 2.2, at=3),
     "leave the episode"),
    ("screen_time", "segments_inside_the_episode", segment("start_s", 0.1), "add up to total_s"),
    ("screen_time", "segments_inside_the_episode", person("first_s", 0.5), "first and last"),
    ("screen_time", "segments_inside_the_episode",
     entry(Kind.SCREEN_TIME, "screen_time", "trims",
           value=[{"name": "recap", "start_s": 0.5, "end_s": 0.6}]), "inside a trim"),
    ("screen_time", "segments_inside_the_episode", drop(Kind.SCREEN_TIME, "csv"), "one row per"),
    ("screen_time", "segments_inside_the_episode", drop(Kind.SCREEN_TIME, "segments"),
     f"people have other seconds in segments.parquet: {IDS[2]}"),
    ("screen_time", "segments_inside_the_episode",
     cell(Kind.SCREEN_TIME, "segments", "confidence", 1.2), "confidences of segments"),
    ("report", "files_are_whole", put(Kind.REPORT, "pdf", b"%PDF-1.4\n"), "no whole PDF"),
    ("report", "files_are_whole", put(Kind.REPORT, "html", b"<!doctype html><html>"),
     "no whole page"),
    ("report", "files_are_whole",
     put(Kind.REPORT, "html", b'<!doctype html><script src="x.js"></script></html>'),
     "lie somewhere else"),
]  # fmt: skip


@pytest.mark.parametrize(("asset", "name"), ALL, ids=" ".join)
def test_a_sound_run_passes(asset: str, name: str) -> None:
    found = outcome(asset, name, sound_run())

    assert found.passed, found.summary


@pytest.mark.parametrize(
    ("asset", "name", "breaks", "says"),
    [pytest.param(*case, id=f"{case[0]} {case[1]}: {case[3]}") for case in CASES],
)
def test_a_breach_is_found_and_named(asset: str, name: str, breaks: Break, says: str) -> None:
    run = sound_run()
    breaks(run)

    found = outcome(asset, name, run)

    assert not found.passed
    assert says in found.summary


def test_every_check_has_a_case_that_fails_it() -> None:
    assert {(asset, name) for asset, name, *_ in CASES} == set(ALL)


@pytest.mark.parametrize(("asset", "name"), ALL, ids=" ".join)
def test_only_quality_is_a_warning(asset: str, name: str) -> None:
    run = sound_run()
    for case in CASES:
        if case[:2] == (asset, name):
            case[2](run)
            break

    assert outcome(asset, name, run).is_error is (name != "quality_within_limits")


@pytest.mark.parametrize("part", ["detections", "sampled_frames"])
def test_rows_that_the_manifest_does_not_speak_of_are_found(part: str) -> None:
    run = sound_run()
    find = finder(run)
    drop(Kind.DETECTIONS, part)(run)

    found = check_of("detections", "rows_fit_the_frames").run(PublishedValues(find))

    assert f"{part}." in found.summary
    assert "the manifest says" in found.summary


def empty_episode() -> Run:
    """The sound run's episode with nobody in it, and nobody who looked for bodies."""
    run = sound_run()
    for parts in run.values():
        for part, value in parts.items():
            if isinstance(value, pa.Table) or part in ("embeddings", "body_embeddings"):
                parts[part] = value[:0]
    bodies = run[Kind.BODY_DETECTIONS]
    bodies["body_sampled_frames"] = np.zeros(0, np.int64)
    bodies["body_appearance"] = np.zeros((0, 0), np.float16)
    run[Kind.BODY_TRACKS]["body_embeddings"] = np.zeros((0, 0), np.float32)
    run[Kind.TRACK_METRICS]["track_metrics"] |= {"track_count": 0, "metrics": []}
    run[Kind.IDENTITIES]["identities"] |= {"identities": [], "memberships": []}
    run[Kind.CAST]["cast"]["people"] = []
    fusion = run[Kind.TRACK_FUSION]["track_fusion"]
    fusion |= {"has_bodies": False, "associations": [], "scenes": []}
    run[Kind.SCREEN_TIME]["screen_time"] |= {
        "covered_s": 0.0, "overlap_s": 0.0, "has_bodies": False, "people": [],
        "co_appearances": [],
    }  # fmt: skip
    return run


@pytest.mark.parametrize(("asset", "name"), ALL, ids=" ".join)
def test_an_episode_without_anybody_is_sound(asset: str, name: str) -> None:
    found = outcome(asset, name, empty_episode())

    assert found.passed, found.summary


def test_rounding_of_an_embedders_vectors_is_no_breach() -> None:
    run = sound_run()
    run[Kind.FACES_EMBEDDINGS]["embeddings"] *= np.float32(1.0009)
    run[Kind.BODY_DETECTIONS]["body_appearance"] *= np.float16(0.9995)

    assert outcome("embeddings", "unit_length", run).passed
    assert outcome("body_detections", "values_in_range", run).passed


def test_each_file_is_read_once_for_all_checks_of_a_step() -> None:
    reads: list[str] = []
    find = finder(sound_run())

    class Counting:
        def __init__(self, kind: ArtifactKind) -> None:
            held = find(kind)
            assert held is not None
            self.kind, self.files, self._held = kind, held.files, held

        def read(self, part: str | None = None) -> Any:
            reads.append(f"{self.kind}/{part}")
            return self._held.read(part)

    values = PublishedValues(Counting)
    for check in (*CHECKS["tracks"], *CHECKS["faces"]):
        check.run(values)

    assert len(reads) == len(set(reads))


def test_a_check_that_cannot_be_made_is_a_failed_check_with_its_error() -> None:
    broken = Held(Kind.SHOTS, {"shots": None, "frame_times": None}, files=())
    nothing = SimpleNamespace(ref=lambda *_: None)
    session: Any = SimpleNamespace(
        stores=SimpleNamespace(artifacts=nothing), ep_id="show-s01e01", run_id="first"
    )
    key = dg.AssetCheckKey(dg.AssetKey("shots"), "no_holes")

    (result,) = check_results([key], session, cast("Any", {Kind.SHOTS: broken}))

    assert not result.passed
    assert result.severity is dg.AssetCheckSeverity.ERROR
    assert str(result.description).startswith("The check could not be made: TypeError: ")
