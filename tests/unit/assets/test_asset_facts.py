"""What the UI shows of an artifact: figures and pictures of its content, and never a failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from screenalytics_assets.asset_facts import asset_facts
from screenalytics_assets.checks.registry import CHECKS
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.decisions.records import Decision, Verb
from tests.check_samples import IDS, Held, Kind, Run, finder, sound_run

# What the ledger reads of a materialization, or the UI shows of every asset.
TAKEN = {
    "fingerprint", "code_ref", "rows_in", "rows_out", "frames", "inferences", "cpu_s",
    "compute_s", "peak_rss_bytes", "run_id", "source", "note", "files", "done", "total",
}  # fmt: skip


@dataclass
class HeldSession:
    """A session over values in memory, with what is read of one."""

    find: Callable[[ArtifactKind], Held | None]
    ep_id: str = "show-s01e01"
    run_id: str = "first"
    said: tuple[Decision, ...] = ()

    @property
    def stores(self) -> HeldSession:
        return self

    @property
    def decisions(self) -> HeldSession:
        return self

    def read(self, _ep_id: str) -> tuple[Decision, ...]:
        return self.said

    @property
    def artifacts(self) -> HeldSession:
        return self

    def ref(self, _ep_id: str, _run_id: str, kind: ArtifactKind) -> Held | None:
        return self.find(kind)

    def require(self, ep_id: str, run_id: str, kind: ArtifactKind) -> Held:
        held = self.ref(ep_id, run_id, kind)
        if held is None:
            raise LookupError(kind)
        return held

    def location(self, ep_id: str, run_id: str, _kind: ArtifactKind, part: str) -> str:
        return f"{ep_id}/{run_id}/report.{part}"


def facts(asset: str, run: Run) -> dict[str, Any]:
    session: Any = HeldSession(finder(run))
    return asset_facts(session, asset)


def test_who_decided_a_name_and_when_stands_beside_it() -> None:
    run = sound_run()
    run[Kind.CAST]["cast"]["people"][0].update(source="decision", decision=2)
    said = Decision(2, "2026-01-02T03:04:05.000000Z", "kim@desk", "first", Verb.LABEL)
    session: Any = HeldSession(finder(run), said=(said,))

    first, *others = rows(asset_facts(session, "cast")["who is who"])

    assert (first["decided"], first["by"], first["at"]) == ("label", "kim@desk", said.at)
    assert not any(row["by"] for row in others)


def rows(table: dg.TableMetadataValue) -> list[dict[str, Any]]:
    return [dict(record.data) for record in table.records]


@pytest.mark.parametrize("asset", CHECKS)
def test_every_asset_s_content_can_be_shown_beside_what_is_said_of_all(asset: str) -> None:
    found = facts(asset, sound_run())

    assert "not shown" not in found
    assert not set(found) & TAKEN


def test_screen_time_shows_people_with_bounds_and_a_picture() -> None:
    found = facts("screen_time", sound_run())

    first = rows(found["screen time"])[0]
    assert first == {
        "person": IDS[0], "total_s": 2.0, "face_s": 1.68, "body_only_s": 0.32, "low_s": 1.7,
        "high_s": 2.0, "share_percent": 100.0, "first_s": 0.0, "last_s": 2.0,
    }  # fmt: skip
    assert found["timeline"].value.startswith("![who is on screen when](data:image/png;base64,")
    assert found["to see the boxes"] == "screenalytics overlay show-s01e01/first"
    assert Path(found["report.html"].value) == Path("show-s01e01/first/report.html")


def test_quality_is_shown_with_limits_and_advice() -> None:
    run = sound_run()
    run[Kind.IDENTITIES]["identities"]["identities"][0]["track_ids"] = [0]

    found = rows(facts("identities", run)["quality"])

    single = found[0]
    assert (single["figure"], single["value"], single["usual"]) == (
        "Share of people with a single track", "0.3333", "at most 0.3",
    )  # fmt: skip
    assert "lower cluster_thresh" in single["advice"]
    assert found[1]["advice"] == ""


def test_fusion_is_shown_by_evidence() -> None:
    run = sound_run()
    run[Kind.TRACK_FUSION]["track_fusion"]["associations"][0] |= {
        "evidence": "none", "identity_id": None,
    }  # fmt: skip

    found = facts("track_fusion", run)

    assert rows(found["by evidence"]) == [
        {"evidence": "face_in_body", "associations": 5, "seconds": 5.0},
        {"evidence": "none", "associations": 1, "seconds": 1.0},
    ]
    assert found["bodies with an owner"] == 5


def test_what_cannot_be_shown_fails_nothing_and_says_so() -> None:
    run = sound_run()
    del run[Kind.IDENTITIES]["identities"]["unassigned_track_ids"]

    assert facts("identities", run) == {"not shown": "KeyError: 'unassigned_track_ids'"}
