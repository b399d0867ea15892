"""Publishing is all or nothing, reading checks every byte, and reuse never mixes versions."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from screenalytics_core.artifact_search import check_artifacts_exist
from screenalytics_core.artifact_store import ArtifactRef
from screenalytics_core.artifacts import FACES, ArtifactKind
from screenalytics_core.errors import (
    ArtifactCorruptError,
    ArtifactNotFoundError,
    AttemptSupersededError,
    InputConflictError,
    SchemaMismatchError,
    StorageError,
)
from screenalytics_core.manifest import write_manifest
from screenalytics_core.steps.base import ArtifactInput
from screenalytics_core.storage.base import StagedFile
from screenalytics_core.storage.local import LocalStorage
from tests.stores import EP, Stores, detection_parts, detections, tracks

DETECTIONS, TRACKS, FACES_KIND = ArtifactKind.DETECTIONS, ArtifactKind.TRACKS, ArtifactKind.FACES


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    stores = Stores(tmp_path / "data")
    stores.run("r1")
    return stores


def need(ref: ArtifactRef | None) -> ArtifactRef:
    assert ref is not None
    return ref


def a_zip(content: bytes) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("0.jpg"), content)
    return file


def faces(crop: bytes = b"jpeg") -> dict[str, Any]:
    return {"faces": FACES.arrow_schema().empty_table(), "crops": a_zip(crop)}


def test_what_is_published_is_read_back(stores: Stores) -> None:
    entry = stores.publish_detections("r1")
    ref = need(stores.artifacts.ref(EP, "r1", DETECTIONS))

    assert ref.read().equals(detections())
    assert ref.fetch() == stores.file("r1", "detections.jsonl")
    assert ref.location() == stores.artifacts.location(EP, "r1", DETECTIONS)
    assert ref.content_sha256 == entry.content_sha256
    assert ref.files[0].rows == 3
    assert ref.files[0].size_bytes == ref.fetch().stat().st_size
    assert not ref.is_legacy
    assert entry.source == "computed"
    read_by_steps: ArtifactInput = ref
    assert read_by_steps.files == entry.files


def test_a_reference_can_be_handed_to_another_process(stores: Stores) -> None:
    stores.publish_detections("r1")
    ref = pickle.loads(pickle.dumps(need(stores.artifacts.ref(EP, "r1", DETECTIONS))))

    assert ref.read().equals(detections())


def test_what_a_run_does_not_hold_is_none(stores: Stores) -> None:
    assert stores.artifacts.ref(EP, "r1", DETECTIONS) is None
    assert stores.artifacts.ref(EP, "no-such-run", DETECTIONS) is None


def test_nothing_is_visible_before_it_is_published(stores: Stores) -> None:
    prepared = stores.artifacts.prepare(EP, "r1", DETECTIONS, detection_parts())

    assert not stores.file("r1", "detections.jsonl").exists()
    stores.artifacts.discard(prepared)
    assert stores.leftovers() == []


def test_a_zip_comes_as_an_open_file(stores: Stores) -> None:
    stores.publish("r1", FACES_KIND, faces())
    ref = need(stores.artifacts.ref(EP, "r1", FACES_KIND))

    with ref.read("crops") as file, zipfile.ZipFile(file) as archive:
        assert archive.read("0.jpg") == b"jpeg"
    assert ref.read("faces").num_rows == 0
    assert [f.rows for f in ref.files] == [0, None]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "parts []"),
        ({**detection_parts(), "extra": 1}, "parts ['detections', 'extra', 'sampled_frames']"),
        ({**detection_parts(), "detections": tracks()}, "missing columns"),
    ],
)
def test_invalid_data_is_refused_and_leaves_nothing(
    stores: Stores, data: dict[str, Any], reason: str
) -> None:
    with pytest.raises(SchemaMismatchError) as raised:
        stores.artifacts.prepare(EP, "r1", DETECTIONS, data)

    assert reason in raised.value.reason
    assert stores.leftovers() == []


@pytest.mark.parametrize("content", [a_zip(b"jpeg").getvalue(), b"no zip"])
def test_an_open_file_is_closed_once_it_was_taken(
    stores: Stores, tmp_path: Path, content: bytes
) -> None:
    """A step's crops lie in the temporary folder; they must not wait there for its end."""
    (tmp_path / "crops").write_bytes(content)
    with (tmp_path / "crops").open("rb") as file:
        with suppress(SchemaMismatchError):
            stores.artifacts.prepare(EP, "r1", FACES_KIND, {**faces(), "crops": file})

        assert file.closed


def test_a_bad_second_part_leaves_nothing_of_the_first(stores: Stores) -> None:
    with pytest.raises(SchemaMismatchError):
        stores.artifacts.prepare(EP, "r1", FACES_KIND, {**faces(), "crops": io.BytesIO(b"?")})

    assert stores.leftovers() == []


def test_equal_rows_give_equal_bytes_in_any_run(stores: Stores) -> None:
    stores.run("r2")
    first, second = (stores.publish_detections(run) for run in ("r1", "r2"))

    assert first.content_sha256 == second.content_sha256
    assert stores.publish_detections("r1", count=2).content_sha256 != first.content_sha256


def test_a_superseded_attempt_publishes_nothing(stores: Stores) -> None:
    stores.publish_detections("r1")
    stores.claim("r1", "dagster-2")

    with pytest.raises(AttemptSupersededError, match="attempt 1 of run rhobh-s05e14/r1"):
        stores.publish_detections("r1", count=1)

    assert need(stores.artifacts.ref(EP, "r1", DETECTIONS)).read().num_rows == 3
    assert stores.leftovers() == []


class Crash(BaseException):
    """The process is gone: no handler of ours runs, and none of ours catches this."""


def crash_at_commit(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    commits: list[str] = []
    commit = LocalStorage.commit

    def counting(self: LocalStorage, staged: StagedFile) -> None:
        commits.append(staged.key)
        if len(commits) == number:
            raise Crash
        commit(self, staged)

    monkeypatch.setattr(LocalStorage, "commit", counting)


def test_a_crash_before_the_entry_publishes_nothing(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash_at_commit(monkeypatch, 2)  # the file is renamed, the manifest is not
    with pytest.raises(Crash):
        stores.publish_detections("r1")

    assert stores.file("r1", "detections.jsonl").exists()
    assert stores.artifacts.ref(EP, "r1", DETECTIONS) is None


@pytest.mark.parametrize("number", [2, 3, 4])
def test_a_crash_while_replacing_leaves_the_artifact_whole_or_missing(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    stores.publish_detections("r1")
    stores.publish("r1", FACES_KIND, faces(b"old"))
    with monkeypatch.context() as patch:
        crash_at_commit(patch, number)
        with pytest.raises(Crash):
            stores.publish("r1", FACES_KIND, faces(b"new"))

    assert stores.artifacts.ref(EP, "r1", FACES_KIND) is None
    need(stores.artifacts.ref(EP, "r1", DETECTIONS)).verify()
    stores.publish("r1", FACES_KIND, faces(b"new"))
    need(stores.artifacts.ref(EP, "r1", FACES_KIND)).verify()


def test_changed_bytes_are_named_with_both_hashes_and_nothing_is_lost(stores: Stores) -> None:
    entry = stores.publish_detections("r1")
    stores.publish_tracks("r1")
    path = stores.file("r1", "detections.jsonl")
    path.write_text(path.read_text().replace("0.9", "0.8"))

    with pytest.raises(ArtifactCorruptError) as raised:
        need(stores.artifacts.ref(EP, "r1", DETECTIONS)).read()

    assert str(path) in str(raised.value)
    assert entry.files[0].sha256 in str(raised.value)
    assert raised.value.found_sha256 in str(raised.value)
    assert "Run the stage that makes it again" in str(raised.value)
    assert path.exists()
    assert need(stores.artifacts.ref(EP, "r1", TRACKS)).read().num_rows == 1


def test_a_corrupt_zip_is_found_before_it_is_handed_over(stores: Stores) -> None:
    stores.publish("r1", FACES_KIND, faces())
    path = stores.file("r1", "crops.zip")
    path.write_bytes(a_zip(b"other").getvalue())

    with pytest.raises(ArtifactCorruptError, match=r"crops\.zip"):
        need(stores.artifacts.ref(EP, "r1", FACES_KIND)).read("crops")


def test_a_file_that_is_gone_is_named(stores: Stores) -> None:
    stores.publish_detections("r1")
    stores.file("r1", "detections.jsonl").unlink()

    with pytest.raises(ArtifactNotFoundError, match="is listed, but the file is gone"):
        need(stores.artifacts.ref(EP, "r1", DETECTIONS)).read()


def test_publishing_again_heals_a_corrupt_file(stores: Stores) -> None:
    stores.publish_detections("r1")
    stores.file("r1", "detections.jsonl").write_bytes(b"rot")

    stores.publish_detections("r1")

    assert need(stores.artifacts.ref(EP, "r1", DETECTIONS)).read().num_rows == 3


def publish_faces(stores: Stores, run_id: str) -> None:
    held = stores.artifacts.manifest(EP, run_id).entries[TRACKS]
    stores.publish(run_id, FACES_KIND, faces(), inputs={TRACKS: held.content_sha256})


@pytest.mark.parametrize("how", ["published", "adopted"])
def test_what_was_made_from_replaced_bytes_is_withdrawn_and_its_files_stay(
    stores: Stores, how: str
) -> None:
    stores.publish_detections("r1", count=2)
    stores.run("r2")
    stores.publish_detections("r2", count=3)
    stores.publish_tracks("r2")
    publish_faces(stores, "r2")

    if how == "published":
        stores.publish_detections("r2", count=2)
    else:
        stores.artifacts.adopt(EP, "r2", 1, "r1", [DETECTIONS])

    assert set(stores.artifacts.manifest(EP, "r2").entries) == {DETECTIONS}
    assert stores.artifacts.ref(EP, "r2", FACES_KIND) is None
    assert stores.file("r2", "faces.jsonl").exists()
    stores.publish_tracks("r2")
    publish_faces(stores, "r2")
    assert stores.artifacts.manifest(EP, "r2").stale() == ()


@pytest.mark.parametrize("order", [(DETECTIONS, TRACKS), (TRACKS, DETECTIONS)])
def test_what_is_adopted_together_stays_together(
    stores: Stores, order: tuple[ArtifactKind, ...]
) -> None:
    stores.publish_detections("r1", count=2)
    stores.publish_tracks("r1", count=2)
    stores.run("r2")
    stores.publish_detections("r2", count=3)
    stores.publish_tracks("r2")
    publish_faces(stores, "r2")

    stores.artifacts.adopt(EP, "r2", 1, "r1", order)

    assert set(stores.artifacts.manifest(EP, "r2").entries) == {DETECTIONS, TRACKS}


def test_publishing_equal_bytes_again_withdraws_nothing(stores: Stores) -> None:
    stores.publish_detections("r1")
    stores.publish_tracks("r1")
    stores.publish_detections("r1")

    assert set(stores.artifacts.manifest(EP, "r1").entries) == {DETECTIONS, TRACKS}


# --- reuse ---------------------------------------------------------------------------------


def test_an_equal_fingerprint_is_found_newest_first_or_in_the_preferred_run(
    stores: Stores,
) -> None:
    stores.publish_detections("r1", fingerprint="f")
    for run_id in ("r2", "r3"):
        stores.run(run_id)
        stores.publish_detections(run_id, fingerprint="f")
    stores.run("r4")
    stores.publish_detections("r4", fingerprint="other")
    find = stores.artifacts.find_reusable

    assert find(EP, [DETECTIONS], "f") == "r3"
    assert find(EP, [DETECTIONS], "f", prefer_run_id="r1") == "r1"
    assert find(EP, [DETECTIONS], "f", prefer_run_id="r4") == "r3"
    assert find(EP, [DETECTIONS], "nothing") is None
    assert find(EP, [DETECTIONS, TRACKS], "f") is None
    assert find("x-s01e01", [DETECTIONS], "f") is None


@pytest.mark.parametrize("damage", ["gone", "other size", "other bytes", "redacted"])
def test_a_damaged_result_is_not_reused(stores: Stores, damage: str) -> None:
    stores.publish_detections("r1", fingerprint="f")
    path = stores.file("r1", "detections.jsonl")
    if damage == "gone":
        path.unlink()
    elif damage == "other size":
        path.write_bytes(b"")
    elif damage == "other bytes":
        path.write_text(path.read_text().replace("0.9", "0.8"))
    else:
        redact(stores, "r1", DETECTIONS)

    assert stores.artifacts.find_reusable(EP, [DETECTIONS], "f") is None
    assert stores.artifacts.find_existing(stores.run("r2"), [DETECTIONS]) is None


def redact(stores: Stores, run_id: str, kind: ArtifactKind) -> None:
    path = stores.file(run_id, "manifest.json")
    record = json.loads(path.read_text())
    record["entries"][kind]["redacted"] = True
    path.write_text(json.dumps(record))


def test_what_exists_is_taken_from_the_active_run_else_from_the_newest(stores: Stores) -> None:
    stores.publish_detections("r1")
    stores.run("r2")
    stores.publish_detections("r2")
    asking = stores.run("r3", stride=9)
    stores.publish_detections("r3")
    find = stores.artifacts.find_existing

    assert find(asking, [DETECTIONS]) == "r2"
    stores.runs.activate(EP, "r1")
    assert find(asking, [DETECTIONS]) == "r1"
    assert find(stores.runs.require(EP, "r1"), [DETECTIONS]) == "r3"
    assert find(asking, [TRACKS]) is None


def test_what_was_made_from_other_inputs_is_passed_over(stores: Stores) -> None:
    held = stores.publish_detections("r1")
    stores.publish_tracks("r1")
    asking = stores.run("r2")
    find = stores.artifacts.find_existing

    assert find(asking, [TRACKS], inputs={DETECTIONS: held.content_sha256}) == "r1"
    assert find(asking, [TRACKS], inputs={DETECTIONS: "0" * 64}) is None


@pytest.mark.parametrize("other", [{"video_sha256": "c" * 64}, {"model_sha256": "d" * 64}])
@pytest.mark.parametrize("kind", [DETECTIONS, TRACKS])
def test_what_comes_from_another_video_or_model_does_not_exist_for_a_run(
    stores: Stores, other: dict[str, str], kind: ArtifactKind
) -> None:
    """The video was replaced, or another pack chosen: tracks say so by what they came from."""
    of_r1 = {"video_sha256": "a" * 64, "models": {"face_detector": "b" * 64}}
    stores.publish_detections("r1", **of_r1)
    stores.publish_tracks("r1")
    find = stores.artifacts.find_existing

    assert find(stores.run("r2", stride=9), [kind]) == "r1"
    assert find(stores.run("r3", **other), [kind]) is None


def test_a_result_whose_origin_is_not_held_does_not_exist_for_another_run(stores: Stores) -> None:
    stores.publish_detections("r1")
    stores.publish_tracks("r1")
    manifest = stores.artifacts.manifest(EP, "r1")
    write_manifest(stores.storage, manifest.without(DETECTIONS))

    assert stores.artifacts.find_existing(stores.run("r2"), [TRACKS]) is None


def test_what_a_step_said_stays_and_why_it_was_taken_does_not(stores: Stores) -> None:
    stores.publish_detections("r1", note="nobody looked")
    for run_id in ("r2", "r3"):
        stores.run(run_id)

    (asked,) = stores.artifacts.adopt(EP, "r2", 1, "r1", [DETECTIONS], because="as asked")
    (again,) = stores.artifacts.adopt(EP, "r3", 1, "r2", [DETECTIONS])

    assert asked.notes == ("as asked", "nobody looked")
    assert again.notes == ("nobody looked",)


def test_an_adopted_artifact_shares_its_file_and_says_where_it_is_from(stores: Stores) -> None:
    computed = stores.publish_detections("r1", settings={"stride": 3})
    stores.run("r2")

    (entry,) = stores.artifacts.adopt(EP, "r2", 1, "r1", [DETECTIONS], because="as asked")
    again = stores.artifacts.adopt(EP, "r2", 1, "r1", [DETECTIONS])

    assert (entry.source, entry.from_run_id, entry.taken_because) == (
        "checkpoint",
        "r1",
        "as asked",
    )
    assert entry.content_sha256 == computed.content_sha256
    assert entry.settings == {"stride": 3}
    assert again[0].files == entry.files
    first, second = (stores.file(run, "detections.jsonl") for run in ("r1", "r2"))
    assert first.samefile(second)
    assert need(stores.artifacts.ref(EP, "r2", DETECTIONS)).read().num_rows == 3
    assert stores.leftovers() == []


def test_replacing_the_original_leaves_the_adopted_one(stores: Stores) -> None:
    stores.publish_detections("r1")
    stores.run("r2")
    stores.artifacts.adopt(EP, "r2", 1, "r1", [DETECTIONS])

    stores.publish_detections("r1", count=1)

    assert need(stores.artifacts.ref(EP, "r2", DETECTIONS)).read().num_rows == 3


def test_adopting_from_the_same_run_changes_nothing(stores: Stores) -> None:
    entry = stores.publish_detections("r1")

    assert stores.artifacts.adopt(EP, "r1", 1, "r1", [DETECTIONS]) == [entry]


def test_a_checkpoint_replaces_what_a_step_made_before(stores: Stores) -> None:
    stores.publish_detections("r1", count=1)
    stores.run("r2")
    stores.publish_detections("r2", count=2)

    stores.artifacts.adopt(EP, "r2", 1, "r1", [DETECTIONS])

    assert need(stores.artifacts.ref(EP, "r2", DETECTIONS)).read().num_rows == 1


def test_adopting_checks_the_bytes_and_takes_nothing_that_is_corrupt(stores: Stores) -> None:
    stores.publish_detections("r1")
    stores.file("r1", "detections.jsonl").write_bytes(b"rot")
    stores.run("r2")

    with pytest.raises(ArtifactCorruptError):
        stores.artifacts.adopt(EP, "r2", 1, "r1", [DETECTIONS])

    assert stores.artifacts.manifest(EP, "r2").entries == {}


def test_a_superseded_attempt_adopts_nothing(stores: Stores) -> None:
    stores.publish_detections("r1")
    stores.run("r2")
    stores.claim("r2", "dagster-2")

    with pytest.raises(AttemptSupersededError):
        stores.artifacts.adopt(EP, "r2", 1, "r1", [DETECTIONS])

    assert not stores.file("r2", "detections.jsonl").exists()


def test_what_is_missing_or_redacted_cannot_be_adopted(stores: Stores) -> None:
    stores.run("r2")
    with pytest.raises(ArtifactNotFoundError, match="is not there"):
        stores.artifacts.adopt(EP, "r2", 1, "r1", [DETECTIONS])

    stores.publish_detections("r1")
    redact(stores, "r1", DETECTIONS)
    ref = stores.artifacts.ref(EP, "r1", DETECTIONS)
    assert ref is not None
    assert ref.read().num_rows > 0
    with pytest.raises(ArtifactNotFoundError, match="nobody may be told apart by it"):
        ref.need_whole()
    with pytest.raises(ArtifactNotFoundError, match="was redacted"):
        stores.artifacts.adopt(EP, "r2", 1, "r1", [DETECTIONS])


def test_a_run_that_is_told_so_inherits_what_was_redacted_and_it_stays_marked(
    stores: Stores,
) -> None:
    made = stores.publish_detections("r1").content_sha256
    stores.publish_tracks("r1")
    redact(stores, "r1", DETECTIONS)
    stores.run("r2")
    with pytest.raises(ArtifactNotFoundError, match="was redacted"):
        stores.artifacts.inherit_upstream(EP, "r2", 1, "r1", TRACKS, allow_other_settings=True)

    stores.artifacts.inherit_upstream(EP, "r2", 1, "r1", TRACKS, allow_redacted=True)
    stores.artifacts.inherit_upstream(EP, "r2", 1, "r1", DETECTIONS, allow_redacted=True)

    manifest = stores.artifacts.manifest(EP, "r2")
    entry = manifest.entries[DETECTIONS]
    assert (entry.redacted, entry.made_sha256, entry.source) == (True, made, "inherited")
    assert manifest.stale() == ()


def test_tracks_of_other_detections_are_not_adopted(stores: Stores) -> None:
    stores.publish_detections("r1", count=3)
    stores.publish_tracks("r1")
    stores.run("r2")
    stores.publish_detections("r2", count=2)

    with pytest.raises(InputConflictError, match="another version of detections than this run's"):
        stores.artifacts.adopt(EP, "r2", 1, "r1", [TRACKS])
    stores.artifacts.adopt(EP, "r2", 1, "r1", [DETECTIONS, TRACKS])

    assert stores.artifacts.manifest(EP, "r2").stale() == ()


# --- inputs from another run ---------------------------------------------------------------


def test_an_input_brings_everything_upstream_of_it(stores: Stores) -> None:
    stores.publish_detections("r1")
    stores.publish_tracks("r1")
    stores.publish("r1", FACES_KIND, faces())
    stores.run("r2")

    taken = stores.artifacts.inherit_upstream(EP, "r2", 1, "r1", TRACKS)

    assert [(e.kind, e.source, e.from_run_id) for e in taken] == [
        (DETECTIONS, "inherited", "r1"),
        (TRACKS, "inherited", "r1"),
    ]
    assert set(stores.artifacts.manifest(EP, "r2").entries) == {DETECTIONS, TRACKS}
    for name in ("detections.jsonl", "tracks.jsonl"):
        assert stores.file("r1", name).samefile(stores.file("r2", name))


def test_inheriting_twice_keeps_what_the_run_says_of_its_own(stores: Stores) -> None:
    stores.publish_detections("r1")
    stores.publish_tracks("r1")
    stores.run("r2")
    stores.publish_detections("r2", fingerprint="mine")

    stores.artifacts.inherit_upstream(EP, "r2", 1, "r1", [TRACKS])
    stores.artifacts.inherit_upstream(EP, "r2", 1, "r1", [TRACKS])

    entries = stores.artifacts.manifest(EP, "r2").entries
    assert (entries[DETECTIONS].source, entries[DETECTIONS].fingerprint) == ("computed", "mine")
    assert entries[TRACKS].source == "inherited"


def test_inheriting_refuses_to_mix_versions(stores: Stores) -> None:
    stores.publish_detections("r1", count=3)
    stores.publish_tracks("r1")
    stores.run("r2")
    stores.publish_detections("r2", count=2)

    for wanted in (TRACKS, DETECTIONS):
        with pytest.raises(InputConflictError, match="version"):
            stores.artifacts.inherit_upstream(EP, "r2", 1, "r1", wanted, allow_other_settings=True)

    assert need(stores.artifacts.ref(EP, "r2", DETECTIONS)).read().num_rows == 2
    assert stores.artifacts.ref(EP, "r2", TRACKS) is None


def test_inheriting_refuses_a_run_that_is_mixed_itself(stores: Stores) -> None:
    stores.publish_detections("r1", count=3)
    made_from_old = stores.publish_tracks("r1")
    stores.publish_detections("r1", count=2)
    # As a run folder of an older release may be: nothing was withdrawn there.
    mixed = stores.artifacts.manifest(EP, "r1").with_entry(made_from_old)
    write_manifest(stores.storage, mixed)
    stores.run("r2")

    assert stores.artifacts.manifest(EP, "r1").stale() == (TRACKS,)
    with pytest.raises(InputConflictError, match="tracks for run rhobh-s05e14/r2"):
        stores.artifacts.inherit_upstream(EP, "r2", 1, "r1", TRACKS)


def test_other_settings_upstream_are_refused_unless_asked_for(stores: Stores) -> None:
    stores.publish_detections("r1", settings={"stride": 3, "workers": 8})
    stores.publish_tracks("r1", settings={"track_buffer": 15})
    stores.run("r2", stride=5)
    inherit = stores.artifacts.inherit_upstream

    with pytest.raises(InputConflictError) as raised:
        inherit(EP, "r2", 1, "r1", TRACKS)
    taken = inherit(EP, "r2", 1, "r1", TRACKS, allow_other_settings=True)

    assert raised.value.differences == ["stride was 3, this run has 5"]
    assert "screenalytics/upstream_run_id" in str(raised.value)
    assert {e.taken_because for e in taken} == {
        "made with other settings: stride was 3, this run has 5"
    }


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        ({"video_sha256": "c" * 64}, f"the video {'c' * 64}"),
        ({"models": {"face_detector": "d" * 64}}, f"the face_detector {'d' * 64}"),
    ],
)
def test_another_video_or_model_is_refused_whoever_asks(
    stores: Stores, facts: dict[str, Any], named: str
) -> None:
    stores.publish_detections("r1", **facts)
    stores.run("r2")

    with pytest.raises(InputConflictError, match=named):
        stores.artifacts.inherit_upstream(EP, "r2", 1, "r1", DETECTIONS, allow_other_settings=True)


def test_the_runs_own_video_and_models_are_inherited(stores: Stores) -> None:
    same = {"video_sha256": "a" * 64, "models": {"face_detector": "b" * 64}}
    stores.publish_detections("r1", **same)
    stores.run("r2")

    assert stores.artifacts.inherit_upstream(EP, "r2", 1, "r1", DETECTIONS)


def test_an_input_that_the_other_run_lacks_is_named(stores: Stores) -> None:
    stores.run("r2")

    with pytest.raises(ArtifactNotFoundError, match="tracks of run rhobh-s05e14/r1"):
        stores.artifacts.inherit_upstream(EP, "r2", 1, "r1", TRACKS)


def test_a_run_that_is_not_whole_gives_nothing_and_what_it_lacks_is_named(stores: Stores) -> None:
    stores.publish_detections("r1")
    stores.publish_tracks("r1")
    manifest = stores.artifacts.manifest(EP, "r1")
    write_manifest(stores.storage, manifest.without(DETECTIONS))
    stores.run("r2")

    with pytest.raises(ArtifactNotFoundError, match="detections of run rhobh-s05e14/r1"):
        stores.artifacts.inherit_upstream(EP, "r2", 1, "r1", TRACKS)

    assert stores.artifacts.manifest(EP, "r2").entries == {}


# --- legacy manifests, and what exists -----------------------------------------------------


def put_legacy(stores: Stores, name: str, content: bytes) -> None:
    stores.storage.write_atomic(f"manifests/{EP}/{name}", content)


def test_a_legacy_manifest_is_read_and_never_written(stores: Stores) -> None:
    assert stores.artifacts.legacy_ref(EP, DETECTIONS) is None
    stores.publish_detections("r1")
    put_legacy(stores, "detections.jsonl", stores.file("r1", "detections.jsonl").read_bytes())

    ref = need(stores.artifacts.legacy_ref(EP, DETECTIONS))

    assert ref.is_legacy
    assert ref.run_id is None
    assert ref.read().num_rows == 3
    assert ref.fetch() == stores.root / "manifests" / EP / "detections.jsonl"


def test_a_legacy_manifest_of_another_format_is_named(stores: Stores) -> None:
    put_legacy(stores, "faces.jsonl", b'{"bbox": [1, 2, 3, 4], "score": 0.9}\n')
    ref = need(stores.artifacts.legacy_ref(EP, FACES_KIND))

    with pytest.raises(SchemaMismatchError, match=r"faces\.jsonl is of another version"):
        ref.read()
    with pytest.raises(ArtifactNotFoundError, match="is not listed"):
        ref.read("crops")


def test_a_published_file_of_another_version_is_named_with_its_run_and_the_way_out(
    stores: Stores,
) -> None:
    stores.publish_detections("r1")
    path, manifest = stores.file("r1", "detections.jsonl"), stores.file("r1", "manifest.json")
    path.write_bytes(b"{}\n")
    sha256 = stores.storage.stage("x", b"{}\n").sha256
    old = need(stores.artifacts.ref(EP, "r1", DETECTIONS)).files[0].sha256
    manifest.write_text(manifest.read_text().replace(old, sha256))

    with pytest.raises(SchemaMismatchError) as raised:
        need(stores.artifacts.ref(EP, "r1", DETECTIONS)).read()

    assert f"{EP}/runs/r1/detections.jsonl is of another version" in str(raised.value)
    assert "Run the episode again" in str(raised.value)


def test_the_seeds_question_what_exists(stores: Stores) -> None:
    def exist(stage: str, run_id: str | None = None) -> dict[str, bool]:
        return check_artifacts_exist(EP, stage, run_id, data_root=stores.root)

    stores.publish_detections("r1")
    assert exist("detect_track") == {"detections": False, "tracks": False}
    assert exist("detect_track", "r1") == {"detections": True, "tracks": False}

    stores.runs.activate(EP, "r1")
    assert exist("detect") == {"detections": True, "tracks": False}

    stores.file("r1", "detections.jsonl").unlink()
    assert exist("detect") == {"detections": False, "tracks": False}

    put_legacy(stores, "faces.jsonl", b"")
    assert exist("faces_embed") == {"faces": True, "faces_embeddings": False}
    assert exist("faces_embed", "r1") == {"faces": False, "faces_embeddings": False}
    assert exist("pdf") == {"report": False}


def test_a_full_disk_or_a_broken_one_loses_no_earlier_artifact(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores.publish_detections("r1")

    def broken(self: LocalStorage, staged: StagedFile) -> None:
        raise StorageError(thing=staged.key, reason="Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(LocalStorage, "commit", broken)
        with pytest.raises(StorageError):
            stores.publish_tracks("r1")

    assert need(stores.artifacts.ref(EP, "r1", DETECTIONS)).read().num_rows == 3
    assert stores.artifacts.ref(EP, "r1", TRACKS) is None
    assert stores.leftovers() == []
