"""A trim that changes after a run: what the run then computes anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from screenalytics_assets.engine import Launch, run_episode
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.episode_registry import set_trims
from tests.integration.support import EP_ID, CopyFinished, balanced, content

pytestmark = pytest.mark.models


@pytest.fixture
def settings(copy_finished: CopyFinished, tmp_path: Path) -> Settings:
    """A data root of this test's own, with the finished run `first`."""
    return copy_finished(tmp_path / "data")


def trim_and_resume(settings: Settings, end_s: float) -> dict[str, str]:
    """Trim the beginning, run `first` again; return the source of each of its steps."""
    set_trims(Stores.open(settings.data_root).storage, EP_ID, recap=(0.0, end_s))
    again = run_episode(EP_ID, None, balanced(), settings=settings, launch=Launch(run_id="first"))
    assert again.success, again.error
    manifest = Stores.open(settings.data_root).artifacts.manifest(EP_ID, "first")
    newest = max(entry.attempt for entry in manifest.entries.values())
    return {
        kind.value: "anew" if entry.attempt == newest else "kept"
        for kind, entry in manifest.entries.items()
    }


def test_a_finished_run_counts_anew_after_a_trim_and_nothing_else(settings: Settings) -> None:
    before = content(settings, "first")
    made = trim_and_resume(settings, 22 / 25)

    assert {kind for kind, when in made.items() if when == "anew"} == {"screen_time", "report"}
    after = content(settings, "first")
    assert {path.split(".")[0] for path in before if before[path] != after[path]} == {
        "screen_time", "segments", "report",
    }  # fmt: skip


def test_who_is_only_in_the_recap_is_not_on_screen(settings: Settings) -> None:
    trim_and_resume(settings, 22 / 25)

    stores = Stores.open(settings.data_root)
    document = stores.require(EP_ID, "first", ArtifactKind.SCREEN_TIME).read()
    assert 0 < len(document["people"]) < 6
    assert all(p["first_s"] >= 22 / 25 for p in document["people"])
    assert document["counted_s"] == pytest.approx(60 / 25 - 22 / 25)
    assert [t["name"] for t in document["trims"]] == ["recap"]
