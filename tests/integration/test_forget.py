"""Forgetting a person: pictures and vectors are gone, numbers stay, a kill loses nothing."""

from __future__ import annotations

import base64
import json
import shutil
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from screenalytics_assets.backfill_facts import Wanted, survey
from screenalytics_assets.binding import silent
from screenalytics_assets.engine import EpisodeRunConfig, Launch, run_episode
from screenalytics_assets.forgetting import Forgotten, find_person, forget_person
from screenalytics_assets.instance import open_instance
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core import layout
from screenalytics_core.artifacts import EMBEDDING_DIM
from screenalytics_core.artifacts import ArtifactKind as Kind
from screenalytics_core.backfills.choice import Chosen, Skip, Skipped, Which, choose
from screenalytics_core.crops import read_jpegs
from screenalytics_core.decisions.anchors import anchors_of
from screenalytics_core.decisions.records import Decision, Verb
from screenalytics_core.errors import ArtifactNotFoundError, RunBusyError
from screenalytics_core.gallery_store import GalleryStore
from screenalytics_core.run_record import RunKey
from screenalytics_core.run_tools.forget import Whom
from screenalytics_core.run_tools.verify import FileStatus, RunVerifier
from screenalytics_core.seasons.record import CAST
from screenalytics_core.seasons.specs import CAST_FILE
from screenalytics_core.stages import PipelineStage
from screenalytics_core.storage.local import LocalStorage
from tests.command_line import in_this_process
from tests.integration.support import EP_ID, CopyFinished, balanced

pytestmark = pytest.mark.models

WHOM = Whom("show", "ana", "2026-11-22T01:00:00+00:00", "ana@desk")
FIRST = RunKey(EP_ID, "first")


@pytest.fixture
def settings(copy_finished: CopyFinished, tmp_path: Path) -> Settings:
    """A finished run, whose first identity somebody has named."""
    settings = copy_finished(tmp_path / "data")
    stores = Stores.open(settings.data_root)
    tracks = stores.require(*FIRST, Kind.TRACKS)
    wanted = identity(stores)["track_ids"]
    times = stores.require(*FIRST, Kind.SHOTS).read("frame_times")
    anchors = anchors_of(wanted, tracks.read(), times, tracks.files[0].sha256)
    stores.decisions.append(
        EP_ID,
        Decision(0, WHOM.at, WHOM.by, "first", Verb.LABEL, anchors, cast_id="ana", label="Ana"),
    )
    return settings


def identity(stores: Stores) -> dict[str, Any]:
    first: dict[str, Any] = stores.require(*FIRST, Kind.IDENTITIES).read()["identities"][0]
    return first


def forget(settings: Settings) -> Forgotten:
    return forget_person(settings, Stores.open(settings.data_root), WHOM, lambda _: None)


def pictures_of(stores: Stores, track_ids: list[int], key: RunKey = FIRST) -> list[bytes]:
    """The JPEGs of the faces of some tracks, as they lie in the run now."""
    rows = stores.require(*key, Kind.FACES).read().to_pylist()
    names = [r["crop"] for r in rows if r["track_id"] in track_ids and r["crop"]]
    with stores.require(*key, Kind.FACES).read("crops") as archive:
        return list(read_jpegs(archive, names))


def statuses(stores: Stores, key: RunKey = FIRST) -> dict[str, FileStatus]:
    verifier = RunVerifier(stores.storage, stores.runs, stores.attempts, stores.artifacts)
    return {result.path: result.status for result in verifier.verify(key)}


def test_pictures_and_vectors_are_gone_and_everything_else_is_as_it_was(
    settings: Settings,
) -> None:
    stores = Stores.open(settings.data_root)
    mine = identity(stores)["track_ids"]
    others = [r["track_id"] for r in stores.require(*FIRST, Kind.TRACKS).read().to_pylist()]
    others = [t for t in others if t not in mine]
    before = pictures_of(stores, others)
    gone = pictures_of(stores, mine)
    seconds = stores.require(*FIRST, Kind.SCREEN_TIME).read()
    assert gone
    assert before

    found = forget(settings)

    assert found.runs[f"{EP_ID}/first"]["tracks"] == len(mine)
    assert pictures_of(stores, mine) == []
    assert pictures_of(stores, others) == before
    vectors = stores.require(*FIRST, Kind.FACES_EMBEDDINGS).read()
    for row in stores.require(*FIRST, Kind.FACES).read().to_pylist():
        if row["embedding_row"] is not None:
            length = np.linalg.norm(vectors[row["embedding_row"]])
            assert length == pytest.approx(0 if row["track_id"] in mine else 1, abs=1e-5)
    reps = stores.require(*FIRST, Kind.TRACK_REPS).read().to_pylist()
    assert all((not any(r["embedding"])) == (r["track_id"] in mine) for r in reps)
    assert all(len(r["embedding"]) == EMBEDDING_DIM for r in reps)
    assert stores.require(*FIRST, Kind.SCREEN_TIME).read() == seconds


def test_no_file_of_the_data_root_and_of_dagster_holds_the_pictures_any_more(
    settings: Settings,
) -> None:
    stores = Stores.open(settings.data_root)
    gone = pictures_of(stores, identity(stores)["track_ids"])
    # Their heads are those of any JPEG.
    needles = [jpeg[len(jpeg) // 2 :][:100] for jpeg in gone]
    page = stores.require(*FIRST, Kind.REPORT).fetch("html").read_text()
    pictures = page.count("data:image/jpeg")
    with open_instance(settings.dagster_home) as instance:
        assert "contact sheet" in str(materialized(instance))

    forget(settings)

    for path in settings.data_root.rglob("*"):
        if path.is_file() and "videos" not in path.parts:
            content = path.read_bytes()
            assert not any(needle in content for needle in needles), path
    page = stores.require(*FIRST, Kind.REPORT).fetch("html").read_text()
    assert page.count("data:image/jpeg") < pictures
    with open_instance(settings.dagster_home) as instance:
        assert "contact sheet" not in str(materialized(instance))
        assert "first" in str(materialized(instance))


def materialized(instance: Any) -> Any:
    from dagster import AssetKey

    records = instance.fetch_materializations(AssetKey("identities"), limit=10).records
    return [r.asset_materialization.metadata for r in records]


def test_the_run_verifies_and_says_what_was_done_and_nothing_may_be_made_from_it(
    settings: Settings,
) -> None:
    forget(settings)
    stores = Stores.open(settings.data_root)

    found = statuses(stores)

    assert found["crops.zip"] is FileStatus.REDACTED
    assert found["report.pdf"] is FileStatus.REDACTED
    assert found["identities.json"] is FileStatus.OK
    assert all(status.is_fine for status in found.values()), found
    with pytest.raises(ArtifactNotFoundError, match="new run computes it anew"):
        stores.require(*FIRST, Kind.TRACK_REPS).need_whole()
    entry = stores.artifacts.manifest(*FIRST).entries[Kind.FACES]
    assert entry.note == f"ana was taken out on {WHOM.at} (ana@desk)"


def test_a_new_run_reuses_what_shows_nobody_and_computes_the_faces_anew(
    settings: Settings,
) -> None:
    forget(settings)

    again = run_episode(EP_ID, None, balanced(), settings=settings, launch=Launch(run_id="second"))

    assert again.success, again.error
    entries = Stores.open(settings.data_root).artifacts.manifest(EP_ID, "second").entries
    assert entries[Kind.TRACKS].source == "checkpoint"
    assert entries[Kind.FACES].source == "computed"
    assert not any(entry.redacted for entry in entries.values())


def test_somebody_else_can_be_named_afterwards_and_the_forgotten_stay_gone(
    settings: Settings,
) -> None:
    stores = Stores.open(settings.data_root)
    mine = identity(stores)["track_ids"]
    seconds = by_identity(stores, "first")
    gone = pictures_of(stores, mine)
    forget(settings)

    done = in_this_process(
        "identities", "label", EP_ID, "id_0002", "Bob", "--json", data_root=settings.data_root
    )

    assert done.returncode == 0, done.stderr
    run_id = json.loads(done.stdout)["run"]["run_id"]
    new = RunKey(EP_ID, run_id)
    entries = stores.artifacts.manifest(*new).entries
    assert {k for k, e in entries.items() if e.source == "computed"} == {
        Kind.CAST, Kind.SCREEN_TIME, Kind.REPORT,
    }  # fmt: skip
    assert entries[Kind.FACES].redacted
    assert entries[Kind.FACES].note == f"ana was taken out on {WHOM.at} (ana@desk)"
    labels = {p["identity_id"]: p["label"] for p in people(stores, run_id)}
    assert labels.pop("id_0001") == "Ana"
    assert labels.pop("id_0002") == "Bob"
    assert set(labels.values()) <= {None}
    assert by_identity(stores, run_id) == seconds
    assert pictures_of(stores, mine, new) == []
    page = stores.require(*new, Kind.REPORT).fetch("html").read_text()
    assert "data:image/jpeg" in page
    assert not any(base64.b64encode(jpeg).decode() in page for jpeg in gone)
    assert all(status.is_fine for status in statuses(stores, new).values()), statuses(stores, new)
    assert [member.cast_id for member in stores.gallery.members("show")] == ["bob"]


def people(stores: Stores, run_id: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = stores.require(EP_ID, run_id, Kind.SCREEN_TIME).read()["people"]
    return rows


def by_identity(stores: Stores, run_id: str) -> dict[str, Any]:
    return {p["identity_id"]: p["segments"] for p in people(stores, run_id)}


def test_nobody_is_told_apart_by_what_is_left(settings: Settings) -> None:
    forget(settings)

    again = run_episode(
        EP_ID,
        None,
        balanced(cluster_thresh=0.6),
        stages=(PipelineStage.CLUSTER,),
        settings=settings,
        launch=Launch(upstream_run_id="first"),
    )

    assert not again.success
    assert "nobody may be told apart by it" in str(again.error)


def test_a_backfill_leaves_the_episode_alone_unless_it_is_asked_for(settings: Settings) -> None:
    stores = Stores.open(settings.data_root)
    stores.gallery.add_member("show", "ana", "Ana", by="ana@desk", at=WHOM.at)
    forget(settings)
    wanted = Wanted.of(settings, balanced(stride=6), silent)

    with open_instance(settings.dagster_home) as instance:
        [seen] = survey(instance, stores, wanted, [EP_ID])

    assert choose(seen, [Which.STALE, Which.MISSING, Which.FAILED]) == Skipped(
        EP_ID,
        Skip.REDACTED,
        f"somebody was taken out of it: `screenalytics identities apply {EP_ID}` carries names "
        "out; --all computes it anew, and they with it",
    )
    assert isinstance(choose(seen, [Which.ALL]), Chosen)


def test_another_run_of_the_episode_that_names_nobody_is_found_too(settings: Settings) -> None:
    second = run_episode(
        EP_ID, None, balanced(), settings=settings, launch=Launch(run_id="second", fresh=True)
    )
    assert second.success, second.error

    found = find_person(Stores.open(settings.data_root), WHOM)[0]

    assert found.runs[f"{EP_ID}/second"] == found.runs[f"{EP_ID}/first"]


def test_forgetting_twice_is_forgetting_once(settings: Settings) -> None:
    forget(settings)
    first = every_file(settings)

    found = forget(settings)

    assert every_file(settings) == first
    assert found.runs == {}
    assert found.already_gone == [f"{EP_ID}/first"]


def every_file(settings: Settings) -> dict[str, tuple[int, bytes]]:
    """Every file of the data root but its locks, with when it was written."""
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes())
        for path in settings.data_root.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def test_what_is_gone_already_is_said_with_its_date_and_not_as_to_be_done(
    settings: Settings,
) -> None:
    before = cast_forget(settings)
    cast_forget(settings, "--yes")
    files = every_file(settings)

    after = cast_forget(settings, "--yes")
    told = in_this_process("cast", "forget", "show", "ana", data_root=settings.data_root)

    assert set(before["runs"]) == {f"{EP_ID}/first"}
    assert before["already_gone"] == []
    assert after["runs"] == {}
    assert after["already_gone"] == [f"{EP_ID}/first"]
    [_, done] = audit(settings)
    assert after["already_gone_at"] == done["at"]
    assert f"ana in show: already gone from 1 runs ({done['at']})" in told.stderr
    assert "nothing to do" in told.stderr
    assert told.returncode == 0
    assert told.stdout == ""
    assert every_file(settings) == files


def test_a_run_of_which_more_was_named_since_is_to_be_done_again(settings: Settings) -> None:
    stores = Stores.open(settings.data_root)
    forget(settings)
    other = stores.require(*FIRST, Kind.IDENTITIES).read()["identities"][1]["track_ids"]
    name_tracks(stores, other, "ana")

    found = forget(settings)

    assert set(found.runs) == {f"{EP_ID}/first"}
    assert pictures_of(stores, other) == []
    assert find_person(stores, WHOM)[0].is_nothing


def name_tracks(stores: Stores, track_ids: list[int], cast_id: str) -> None:
    tracks = stores.require(*FIRST, Kind.TRACKS)
    times = stores.require(*FIRST, Kind.SHOTS).read("frame_times")
    anchors = anchors_of(track_ids, tracks.read(), times, tracks.files[0].sha256)
    decision = Decision(
        0, WHOM.at, WHOM.by, "first", Verb.LABEL, anchors, cast_id=cast_id, label=cast_id.title()
    )
    stores.decisions.append(EP_ID, decision)


def cast_forget(settings: Settings, *options: str) -> dict[str, Any]:
    """Return what `screenalytics cast forget show ana --json` says."""
    done = in_this_process(
        "cast", "forget", "show", "ana", "--json", *options, data_root=settings.data_root
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_who_is_linked_with_them_but_has_no_name_is_said_before_and_after_and_stays(
    settings: Settings, clip: Path
) -> None:
    second = run_other_episode(settings, clip, balanced())
    command(settings, "identities", "label", EP_ID, "id_0001", "Ana")
    command(settings, "season", "rollup", "show-s01")
    stores = Stores.open(settings.data_root)
    [member] = linked_with_ana(stores)
    told = in_this_process("cast", "forget", "show", "ana", data_root=settings.data_root)

    before, done = cast_forget(settings), cast_forget(settings, "--yes")
    after = cast_forget(settings)

    [row] = before["not_named"]
    assert (row["ep_id"], row["run_id"]) == (second.ep_id, second.run_id)
    assert (row["identity_id"], row["total_s"]) == (member["person_id"], member["total_s"])
    assert row["why"] == f"linked with Ana in {EP_ID}"
    assert (
        f"not named, stays: {second.ep_id} {row['identity_id']} ({row['total_s']:.1f} s), "
        f"linked with Ana in {EP_ID}; name them first"
    ) in told.stderr
    assert done["not_named"] == before["not_named"]
    assert linked_with_ana(stores) == []  # their vectors are gone, so nothing links them
    assert after["not_named"] == before["not_named"]
    assert not stores.artifacts.manifest(*second).entries[Kind.FACES].redacted

    command(settings, "identities", "label", second.ep_id, row["identity_id"], "Ana")
    named = cast_forget(settings)

    assert named["not_named"] == []
    assert f"{second.ep_id}/{second.run_id}" in named["runs"]


def linked_with_ana(stores: Stores) -> list[dict[str, Any]]:
    document = stores.seasons.read("show-s01", CAST, CAST_FILE)
    links = {m["link_id"] for m in document["members"] if m["cast_id"] == "ana"}
    return [m for m in document["members"] if m["link_id"] in links and not m["cast_id"]]


def test_who_only_may_be_them_is_said_and_stays_unless_somebody_else_was_named(
    settings: Settings, clip: Path
) -> None:
    command(settings, "identities", "label", EP_ID, "id_0001", "Ana")
    # Nobody leads by so much, so nobody is named and the likeliest is suggested.
    second = run_other_episode(settings, clip, balanced(match_margin=0.99))
    stores = Stores.open(settings.data_root)
    [suggested] = [
        s["identity_id"]
        for s in stores.require(*second, Kind.CAST).read()["suggestions"]
        if s["cast_id"] == "ana"
    ]

    found = cast_forget(settings)

    [row] = found["not_named"]
    assert (row["ep_id"], row["identity_id"]) == (second.ep_id, suggested)
    assert row["why"].startswith("may be Ana: ")
    [note] = found["notes"]
    assert "who is linked in show-s01 is not known" in note

    command(settings, "identities", "label", second.ep_id, suggested, "Bob")
    assert cast_forget(settings)["not_named"] == []


def run_other_episode(settings: Settings, clip: Path, config: EpisodeRunConfig) -> RunKey:
    done = run_episode(
        "show-s01e02", clip, config, settings=settings, launch=Launch(run_id="other")
    )
    assert done.success, done.error
    return RunKey("show-s01e02", "other")


def command(settings: Settings, *arguments: str) -> None:
    done = in_this_process(*arguments, "--json", data_root=settings.data_root)
    assert done.returncode == 0, done.stderr


def test_tracks_that_only_an_undone_decision_called_so_are_marked(settings: Settings) -> None:
    command(settings, "identities", "label", EP_ID, "id_0002", "Ana")
    stores = Stores.open(settings.data_root)
    named = cast_forget(settings)["runs"]
    other = stores.require(*FIRST, Kind.IDENTITIES).read()["identities"][1]["track_ids"]

    command(settings, "identities", "undo", EP_ID)
    undone = cast_forget(settings)["runs"]

    assert {counts["undone_tracks"] for counts in named.values()} == {0}
    assert undone[f"{EP_ID}/first"]["tracks"] == named[f"{EP_ID}/first"]["tracks"]
    assert undone[f"{EP_ID}/first"]["undone_tracks"] == len(other)
    told = in_this_process("cast", "forget", "show", "ana", data_root=settings.data_root)
    assert "named so by a decision that was undone since: perhaps somebody else" in told.stderr


def tree(settings: Settings) -> dict[str, bytes]:
    folder = settings.data_root / layout.run_prefix(*FIRST)
    names = ("faces.jsonl", "crops.zip", "faces_embeddings.npy", "track_reps.jsonl", "report.html")
    return {name: (folder / name).read_bytes() for name in names}


class KilledStorage(LocalStorage):
    """Ends the process, as it were, before its n-th change of a run's file."""

    left: int

    def commit(self, staged: Any) -> None:
        self._step()
        super().commit(staged)

    def write_atomic(self, key: str, data: Any) -> None:
        self._step()
        super().write_atomic(key, data)

    def _step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def test_a_kill_at_any_moment_is_mended_by_forgetting_again(
    settings: Settings, tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(settings.data_root, whole)
    forget(settings)
    wanted = tree(settings)
    for changes in range(0, 12, 2):
        shutil.rmtree(settings.data_root)
        shutil.copytree(whole, settings.data_root)
        stores = Stores.open(settings.data_root)
        storage = KilledStorage(settings.data_root)
        storage.left = changes
        killed = Stores(
            storage, stores.runs, stores.attempts, stores.artifacts, stores.ledger,
            stores.decisions, stores.gallery, stores.seasons,
        )  # fmt: skip
        with pytest.raises(KeyboardInterrupt):
            forget_person(settings, killed, WHOM, lambda _: None)

        forget(settings)

        assert tree(settings) == wanted, changes
        assert all(s.is_fine for s in statuses(Stores.open(settings.data_root)).values()), changes


def test_the_audit_says_what_was_begun_and_the_next_call_finishes_it(settings: Settings) -> None:
    stores = Stores.open(settings.data_root)
    whom = replace(WHOM, cast_id="cleo")  # of the gallery alone
    stores.gallery.add_member("show", "cleo", "Cleo", by="ana@desk", at=WHOM.at)

    with pytest.raises(KeyboardInterrupt):
        forget_person(
            settings,
            replace(stores, gallery=KilledGallery(stores.storage)),
            whom,
            lambda _: None,
        )

    [begun] = audit(settings)
    assert (begun["state"], begun["cast_id"], begun["gallery_files"]) == ("begun", "cleo", 1)
    assert stores.gallery.members("show") == ()
    found = find_person(stores, whom)[0]
    assert found.is_begun
    assert not found.is_nothing
    forget_person(settings, stores, whom, lambda _: None)
    done = audit(settings)[-1]
    assert (done["state"], done["forget_id"]) == ("done", begun["forget_id"])
    assert find_person(stores, whom)[0].is_nothing


def test_a_season_is_rolled_up_anew_and_a_show_is_called_as_people_do(settings: Settings) -> None:
    rolled = in_this_process("season", "rollup", "show-s01", data_root=settings.data_root)
    assert rolled.returncode == 0, rolled.stderr
    folder = settings.data_root / "seasons" / "show-s01"
    before = (folder / "season.json").read_bytes()

    done = in_this_process("cast", "forget", "SHOW", "Ana", "--yes", data_root=settings.data_root)

    assert done.returncode == 0, done.stderr
    assert "show-s01: rolled up anew" in done.stderr
    assert (folder / "season.json").read_bytes() != before
    told = in_this_process("season", "show", "show-s01", data_root=settings.data_root)
    assert told.returncode == 0, told.stderr
    assert "have changed since" not in told.stderr
    assert "stale" not in told.stdout
    assert [line["state"] for line in audit(settings)] == ["begun", "done"]


def audit(settings: Settings) -> list[dict[str, Any]]:
    path = settings.data_root / layout.FORGET_AUDIT_KEY
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class KilledGallery(GalleryStore):
    """Ends the process, as it were, just after somebody went out of it."""

    def forget_member(self, show: str, cast_id: str) -> int:
        super().forget_member(show, cast_id)
        raise KeyboardInterrupt


def test_who_is_forgotten_after_a_kill_is_not_mistaken_for_who_was_half_gone(
    settings: Settings,
) -> None:
    stores = Stores.open(settings.data_root)
    ana, ben = (
        i["track_ids"] for i in stores.require(*FIRST, Kind.IDENTITIES).read()["identities"][:2]
    )
    tracks = stores.require(*FIRST, Kind.TRACKS)
    times = stores.require(*FIRST, Kind.SHOTS).read("frame_times")
    anchors = anchors_of(ben, tracks.read(), times, tracks.files[0].sha256)
    stores.decisions.append(
        EP_ID,
        Decision(0, WHOM.at, WHOM.by, "first", Verb.LABEL, anchors, cast_id="ben", label="Ben"),
    )
    storage = KilledStorage(settings.data_root)
    storage.left = 2
    killed = Stores(
        storage, stores.runs, stores.attempts, stores.artifacts, stores.ledger,
        stores.decisions, stores.gallery, stores.seasons,
    )  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        forget_person(settings, killed, WHOM, lambda _: None)

    forget_person(settings, stores, replace(WHOM, cast_id="ben"), lambda _: None)

    assert pictures_of(stores, ana) == []
    assert pictures_of(stores, ben) == []
    assert all(status.is_fine for status in statuses(stores).values())
    note = stores.artifacts.manifest(*FIRST).entries[Kind.FACES].note
    assert note == f"ana and ben was taken out on {WHOM.at} (ana@desk)"


def test_a_run_that_is_worked_on_stops_it_before_anything_is_changed(settings: Settings) -> None:
    log = settings.data_root / layout.events_key(*FIRST)
    lines = [line for line in log.read_text().splitlines() if '"run_completed"' not in line]
    log.write_text("".join(f"{line}\n" for line in lines))
    claim = settings.data_root / layout.run_prefix(*FIRST) / "attempts" / "0001.json"
    record = json.loads(claim.read_text())
    record["process"]["host"] = "elsewhere"  # nobody here knows its process
    claim.write_text(json.dumps(record))
    # It beats, however long ago the run was made.
    claim.with_suffix(".heartbeat").write_text(datetime.now(UTC).isoformat())
    with zipfile.ZipFile(settings.data_root / layout.artifact_key(*FIRST, "crops.zip")) as archive:
        before = archive.namelist()

    with pytest.raises(RunBusyError, match="may be worked on"):
        forget(settings)

    with zipfile.ZipFile(settings.data_root / layout.artifact_key(*FIRST, "crops.zip")) as archive:
        assert archive.namelist() == before
