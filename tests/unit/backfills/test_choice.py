"""Which episodes a backfill runs: one table of what is known of an episode."""

from __future__ import annotations

from typing import Any

import pytest

from screenalytics_core.backfills.choice import (
    DEFAULT_WHICH,
    Chosen,
    Skip,
    Skipped,
    Which,
    choose,
)
from screenalytics_core.backfills.facts import EpisodeSeen, Outdated, RunSeen
from screenalytics_core.ledger.attempt_state import ErrorFacts
from screenalytics_core.ledger.vocabulary import RunStatus

EP = "rhobh-s05e14"
STRIDE = (Outdated("detections", ("setting stride 12 -> 6",)),)


def whole(run_id: str = "done") -> RunSeen:
    return RunSeen(run_id, RunStatus.COMPLETED, is_whole=True, fits=True)


def ended(code: str, run_id: str = "ended", **given: Any) -> RunSeen:
    status = RunStatus.CANCELED if code == "canceled" else RunStatus.FAILED
    return RunSeen(run_id, status, error=ErrorFacts(code, "why"), **given)


def seen(*runs: RunSeen, **given: Any) -> EpisodeSeen:
    return EpisodeSeen(EP, runs, **given)


@pytest.mark.parametrize(
    ("episode", "which", "why", "resumes"),
    [
        pytest.param(seen(), DEFAULT_WHICH, Which.MISSING, None, id="no run yet"),
        pytest.param(
            seen(ended("canceled", fits=True)), DEFAULT_WHICH, Which.MISSING, "ended", id="canceled"
        ),
        pytest.param(
            seen(ended("process_died", fits=True)), [Which.MISSING], Which.MISSING, "ended",
            id="killed: missing, not failed",
        ),
        pytest.param(
            seen(ended("interrupted")), [Which.MISSING], Which.MISSING, None,
            id="of other settings: begun anew",
        ),
        pytest.param(
            seen(ended("video_unusable", fits=True)), DEFAULT_WHICH, Which.FAILED, "ended",
            id="failed",
        ),
        pytest.param(
            seen(whole(), ended("model_unusable")), DEFAULT_WHICH, Which.FAILED, None,
            id="failed since it had results",
        ),
        pytest.param(
            seen(whole(), outdated=STRIDE), [Which.STALE], Which.STALE, None, id="stale"
        ),
        pytest.param(
            seen(whole(), ended("canceled", fits=True), outdated=STRIDE), [Which.STALE],
            Which.STALE, "ended", id="stale, and a killed backfill was at it",
        ),
        pytest.param(
            seen(ended("canceled", fits=True), whole(), outdated=STRIDE), [Which.STALE],
            Which.STALE, None, id="what was given up before there were results stays so",
        ),
        pytest.param(
            seen(whole(), ended("model_unusable"), outdated=STRIDE), [Which.STALE], Which.STALE,
            None, id="stale counts though the last run failed",
        ),
        pytest.param(seen(whole()), [Which.ALL], Which.ALL, None, id="fresh, but asked for"),
        pytest.param(
            seen(whole(), is_redacted=True), [Which.ALL], Which.ALL, None,
            id="somebody was taken out, but asked for",
        ),
        pytest.param(
            seen(RunSeen("lone", RunStatus.COMPLETED, fits=True)), DEFAULT_WHICH, Which.MISSING,
            "lone", id="completed, but only some stages",
        ),
    ],
)  # fmt: skip
def test_an_episode_is_run(
    episode: EpisodeSeen, which: list[Which], why: Which, resumes: str | None
) -> None:
    chosen = choose(episode, which)

    assert isinstance(chosen, Chosen)
    assert (chosen.why, chosen.resumes) == (why, resumes)


@pytest.mark.parametrize(
    ("episode", "which", "why", "reason"),
    [
        pytest.param(
            seen(whole()), DEFAULT_WHICH, Skip.FRESH, "run done is as it would be made now",
            id="fresh",
        ),
        pytest.param(
            seen(whole(), outdated=STRIDE), DEFAULT_WHICH, Skip.NOT_ASKED,
            "stale: setting stride 12 -> 6 (detections)", id="stale was not asked for",
        ),
        pytest.param(
            seen(ended("video_unusable")), [Which.MISSING], Skip.NOT_ASKED,
            "failed: run ended failed: video_unusable: why", id="failed was not asked for",
        ),
        pytest.param(
            seen(RunSeen("now", RunStatus.RUNNING, busy="is running as process 7")), [Which.ALL],
            Skip.RUNNING, "run now is running as process 7", id="somebody is at it",
        ),
        pytest.param(
            seen(whole(), RunSeen("q", RunStatus.QUEUED, busy="is queued")), [Which.ALL],
            Skip.RUNNING, "run q is queued", id="it waits in the queue",
        ),
        pytest.param(
            seen(problem="the video is gone"), [Which.ALL], Skip.NO_VIDEO, "the video is gone",
            id="no video",
        ),
        pytest.param(
            seen(whole(), ended("model_unusable"), outdated=STRIDE, is_redacted=True),
            [Which.STALE, Which.FAILED, Which.MISSING], Skip.REDACTED,
            "somebody was taken out of it: `screenalytics identities apply "
            f"{EP}` carries names out; --all computes it anew, and they with it",
            id="somebody was taken out of it",
        ),
        pytest.param(
            seen(whole(), ended("canceled", fits=True)), DEFAULT_WHICH, Skip.FRESH,
            "run done is as it would be made now", id="canceled since it had results",
        ),
    ],
)  # fmt: skip
def test_an_episode_is_left_alone(
    episode: EpisodeSeen, which: list[Which], why: Skip, reason: str
) -> None:
    assert choose(episode, which) == Skipped(EP, why, reason)


def test_the_active_run_speaks_for_an_episode_even_when_a_later_one_is_whole() -> None:
    failed = ended("model_unusable", "later")
    episode = seen(whole("active"), failed, whole("newest"), active_run_id="active")

    assert choose(episode, DEFAULT_WHICH) == Skipped(
        EP, Skip.FRESH, "run active is as it would be made now"
    )


def test_each_difference_is_told_once_with_the_outputs_it_is_about() -> None:
    outdated = (
        Outdated("detections", ("setting stride 12 -> 6",)),
        Outdated("tracks", ("setting stride 12 -> 6", "step version 4 -> 5")),
        Outdated("cast", ("2 new decisions",)),
        Outdated("screen_time", ("trims were changed",)),
    )

    chosen = choose(seen(whole(), outdated=outdated), [Which.STALE])

    assert chosen.reason == (
        "setting stride 12 -> 6 (detections, tracks); step version 4 -> 5 (tracks); "
        "2 new decisions (cast); and 1 more"
    )
