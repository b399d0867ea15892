"""`identities review`: which tracks are in doubt, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

from screenalytics_core.artifacts import ArtifactKind
from tests.api_reading import seen_run
from tests.check_samples import sound_run
from tests.command_line import in_this_process
from tests.stores import EP, Stores


def run_with_doubt(root: Path) -> int:
    """Publish a small run, one track of which is hardly like its person; return that track."""
    stores = Stores(root)
    seen_run(stores, "first")
    parts = sound_run()[ArtifactKind.IDENTITIES]
    document = next(iter(parts.values()))
    membership = document["memberships"][0]
    membership |= {"confidence": 0.3, "similarity": 0.31}
    stores.publish("first", ArtifactKind.IDENTITIES, parts)
    return int(membership["track_id"])


def test_a_track_in_doubt_is_listed_with_what_to_do_about_it(tmp_path: Path) -> None:
    track_id = run_with_doubt(tmp_path)

    said = json.loads(
        in_this_process("identities", "review", EP, "--json", data_root=tmp_path).stdout
    )
    told = in_this_process("identities", "review", EP, data_root=tmp_path)

    assert track_id in [row["track_id"] for row in said["tracks"]]
    assert said["run_id"] == "first"
    assert f"identities move-track {EP} TRACK NAME" in told.stderr


def test_a_run_without_doubts_says_so(tmp_path: Path) -> None:
    stores = Stores(tmp_path)
    seen_run(stores, "first")
    parts = sound_run()[ArtifactKind.IDENTITIES]
    for membership in next(iter(parts.values()))["memberships"]:
        membership["confidence"] = 1.0
    stores.publish("first", ArtifactKind.IDENTITIES, parts)

    told = in_this_process("identities", "review", EP, data_root=tmp_path)

    assert (told.returncode, told.stdout) == (0, "")
    assert "no track is in doubt" in told.stderr
