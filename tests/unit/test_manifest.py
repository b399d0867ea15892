"""The commit record: its schema is enforced both ways, and it knows what was made from what."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.errors import ArtifactCorruptError, SchemaMismatchError
from screenalytics_core.manifest import (
    EntryFacts,
    Manifest,
    ManifestEntry,
    content_sha256,
    read_manifest,
    write_manifest,
)
from screenalytics_core.steps.base import FileFacts
from screenalytics_core.storage.local import LocalStorage
from screenalytics_core.yaml_schema import load_schema, violations
from tests.stores import EP

DETECTIONS, TRACKS, FACES = ArtifactKind.DETECTIONS, ArtifactKind.TRACKS, ArtifactKind.FACES


def entry(kind: ArtifactKind, version: str = "1", **inputs: str) -> ManifestEntry:
    files = (FileFacts(f"{kind}.jsonl", hashlib.sha256(version.encode()).hexdigest(), 7, 3),)
    facts = EntryFacts(
        fingerprint="f",
        step_version="1",
        inputs={ArtifactKind(k): v for k, v in inputs.items()},
        settings={"stride": 3, "det_thresh": None},
        models={"face_detector": "b" * 64},
        video_sha256="a" * 64,
        note="said so",
    )
    return ManifestEntry.computed(kind, files, facts, attempt=2)


def chain() -> Manifest:
    """Detections, tracks made from them, faces made from the tracks."""
    first = entry(DETECTIONS)
    second = entry(TRACKS, detections=first.content_sha256)
    third = entry(FACES, tracks=second.content_sha256)
    manifest = Manifest(EP, "r1")
    for made in (third, first, second):
        manifest = manifest.with_entry(made)
    return manifest


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path)


def test_a_manifest_comes_back_from_disk_unchanged(storage: LocalStorage) -> None:
    write_manifest(storage, chain())

    assert read_manifest(storage, EP, "r1") == chain()


def test_a_run_without_a_manifest_holds_nothing(storage: LocalStorage) -> None:
    assert read_manifest(storage, EP, "r1").entries == {}


def test_entries_stand_in_one_order_however_they_came() -> None:
    assert list(chain().entries) == [DETECTIONS, TRACKS, FACES]
    assert list(chain().without(TRACKS).entries) == [DETECTIONS, FACES]


def test_the_file_carries_what_people_and_tools_look_for(storage: LocalStorage) -> None:
    write_manifest(storage, chain())
    record = json.loads(storage.read_bytes(f"manifests/{EP}/runs/r1/manifest.json"))

    assert record["episode_id"] == record["ep_id"] == EP
    assert record["entries"]["tracks"]["content_sha256"] == chain().entries[TRACKS].content_sha256
    assert record["entries"]["faces"]["models"] == {"face_detector": "b" * 64}


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"attempt": -1}, id="a negative attempt"),
        pytest.param({"source": "guessed"}, id="an unknown source"),
        pytest.param({"inputs": {TRACKS: "short"}}, id="no sha256"),
        pytest.param({"files": (FileFacts("../x", "a" * 64, 1, 1),)}, id="a path that leaves"),
        pytest.param({"files": (FileFacts("x", "a" * 64, -1, 1),)}, id="a negative size"),
        pytest.param({"redacted": 0}, id="a number for a truth value"),
    ],
)
def test_a_manifest_that_breaks_its_schema_is_not_written(
    storage: LocalStorage, broken: dict[str, Any]
) -> None:
    write_manifest(storage, chain())
    with pytest.raises(SchemaMismatchError, match="artifact manifest: entries"):
        write_manifest(storage, chain().with_entry(replace(chain().entries[TRACKS], **broken)))

    assert read_manifest(storage, EP, "r1") == chain()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"schema_version": 1, "ep', "is not readable"),
        (b"[]", "is not of type object"),
        (b'{"schema_version": 2, "ep_id": "a", "run_id": "b", "entries": {}}', "2 is not 1"),
        (b'{"schema_version": 1}', "ep_id is missing"),
    ],
)
def test_a_damaged_manifest_is_named(storage: LocalStorage, content: bytes, reason: str) -> None:
    storage.write_atomic(f"manifests/{EP}/runs/r1/manifest.json", content)

    with pytest.raises(ArtifactCorruptError, match=reason) as raised:
        read_manifest(storage, EP, "r1")
    assert f"manifests/{EP}/runs/r1/manifest.json" in str(raised.value)


def test_an_unknown_kind_is_not_ignored(storage: LocalStorage) -> None:
    record = json.loads(json.dumps(chain().to_dict()).replace('"tracks"', '"trakcs"'))
    storage.write_atomic(f"manifests/{EP}/runs/r1/manifest.json", json.dumps(record).encode())

    with pytest.raises(ArtifactCorruptError, match="trakcs"):
        read_manifest(storage, EP, "r1")


def test_upstream_comes_before_what_uses_it() -> None:
    assert chain().upstream([FACES]) == (DETECTIONS, TRACKS, FACES)
    assert chain().upstream([TRACKS, DETECTIONS]) == (DETECTIONS, TRACKS)


def test_upstream_names_what_is_not_held() -> None:
    assert chain().upstream([ArtifactKind.CAST]) == (ArtifactKind.CAST,)
    assert chain().without(DETECTIONS).upstream([FACES]) == (DETECTIONS, TRACKS, FACES)


def test_what_was_made_from_another_version_is_stale() -> None:
    assert chain().stale() == ()
    assert chain().with_entry(entry(DETECTIONS, "2")).stale() == (TRACKS,)
    assert chain().without(DETECTIONS).stale() == ()


def test_new_bytes_outdate_all_that_was_made_from_the_old_ones() -> None:
    held = chain().with_entry(entry(ArtifactKind.SHOTS))

    assert held.outdated_by(entry(DETECTIONS, "2")) == (DETECTIONS, TRACKS, FACES)
    assert held.outdated_by(entry(FACES, "2")) == (FACES,)
    assert held.without(DETECTIONS).outdated_by(entry(DETECTIONS, "2")) == (TRACKS, FACES)
    assert held.outdated_by(entry(DETECTIONS)) == ()
    assert held.without(DETECTIONS).outdated_by(entry(DETECTIONS)) == ()


def test_the_data_version_covers_every_file_and_its_name() -> None:
    one, two = FileFacts("a", "a" * 64, 1, None), FileFacts("b", "b" * 64, 1, None)

    versions = [(one,), (two,), (one, two), (two, one), (replace(one, path="c"),)]
    assert len({content_sha256(files) for files in versions}) == 5
    assert content_sha256([one]) == content_sha256([replace(one, rows=9, size_bytes=9)])


# --- the schema checker --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "schema", "wrong"),
    [
        (1, {"type": "integer"}, []),
        (True, {"type": "integer"}, ["record: True is not of type integer"]),
        (True, {"type": "boolean"}, []),
        (None, {"type": ["integer", "null"]}, []),
        ("x", {"enum": ["y"]}, ["record: 'x' is none of ['y']"]),
        ("x", {"const": "y"}, ["record: 'x' is not 'y'"]),
        ("x", {"pattern": "^y"}, ["record: 'x' does not match ^y"]),
        (0, {"minimum": 1}, ["record: 0 is below 1"]),
        ({}, {"required": ["a"]}, ["record: a is missing"]),
        ({"b": 1}, {"additionalProperties": False}, ["b: is unknown"]),
        ({"b": 1}, {"additionalProperties": {"type": "string"}}, ["b: 1 is not of type string"]),
        ({"b": 1}, {}, []),
        ({"a": [1, "x"]}, {"properties": {"a": {"items": {"type": "integer"}}}},
         ["a[1]: 'x' is not of type integer"]),
        ({"a": 1}, {"properties": {"a": {"$ref": "#/definitions/t"}},
                    "definitions": {"t": {"type": "string"}}}, ["a: 1 is not of type string"]),
    ],
)  # fmt: skip
def test_the_checker_names_the_place_and_the_rule(
    value: Any, schema: dict[str, Any], wrong: list[str]
) -> None:
    assert violations(value, schema) == wrong


def test_a_word_that_the_checker_does_not_know_is_not_ignored() -> None:
    with pytest.raises(ValueError, match="maxLength"):
        violations("x", {"maxLength": 0})


def test_every_word_of_the_manifests_schema_is_known() -> None:
    assert (
        violations(json.loads(json.dumps(chain().to_dict())), load_schema("manifest.schema.yaml"))
        == []
    )
