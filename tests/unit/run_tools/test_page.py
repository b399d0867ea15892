"""The page of a run: self-contained, true to the run, and harmless whatever the run says."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from screenalytics_core.report.html_markup import escaped, public
from screenalytics_core.run_record import RunRecord
from screenalytics_core.run_tools.page import render_page
from screenalytics_core.run_tools.show import run_overview
from screenalytics_core.run_tools.timeline import draw_timeline
from screenalytics_core.stages import PipelineStage
from tests.pages import Page
from tests.report_samples import RUN_RECORD
from tests.run_samples import seen_person
from tests.run_stories import Story

DETECT, FACES, CLUSTER = (
    PipelineStage.DETECT_TRACK,
    PipelineStage.FACES_EMBED,
    PipelineStage.CLUSTER,
)
HOSTILE = "\"><script>alert(1)</script><img src=x onerror='x'> & \x00\x1b[2J"
ALLOWED_TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "div", "h1", "h2", "dl", "dt", "dd",
    "span", "b", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "details", "summary",
    "i", "footer", "svg", "defs", "pattern", "rect", "circle", "g", "text", "tspan", "line",
}  # fmt: skip


def resumed(message: str = "the disk is full") -> Story:
    story = Story().begin()
    story.stage(DETECT, 40, rows_out=7).fail(FACES, 2, "disk_space", message)
    story.now += timedelta(hours=3)
    story.begin().stage(DETECT, 0.1, "checkpoint").stage(FACES, 3).stage(CLUSTER, 1, "inherited")
    return story.complete()


def page_of(story: Story, gone: tuple[int, ...] = (), **known: Any) -> str:
    record = RunRecord.from_dict({**RUN_RECORD, "created_at": "2026-11-21T10:30:00+00:00"})
    facts = story.facts(**{"record": record, **known})
    return render_page(run_overview(facts, gone, story.now))


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    page = Page(page_of(resumed(), screen_time={"people": [seen_person("id_0001", (0, 5))]}))

    assert set(page.tags) <= ALLOWED_TAGS
    assert {name for name, _ in page.attributes} & {"src", "href", "onclick", "onload"} == set()
    assert not re.search(r"url\((?!#)|@import|https?://", page_of(resumed()))


@pytest.mark.parametrize("part", ["error", "label", "tag", "source", "run_id"])
def test_hostile_text_stays_text(part: str) -> None:
    story = resumed(HOSTILE if part == "error" else "full")
    people = [seen_person("id_0001", (0, 5), label=HOSTILE if part == "label" else "Ana")]
    values = {**RUN_RECORD, "created_at": "2026-11-21T10:30:00+00:00"}
    if part == "source":
        values["source"] = HOSTILE
        values["video"] = {"codec": HOSTILE}
        values["models"] = {
            "pack": HOSTILE,
            "files": [dict.fromkeys(("role", "name", "sha256"), HOSTILE)],
        }
        values["settings"] = {HOSTILE: HOSTILE}
    if part == "run_id":
        story.run_id = HOSTILE
    if part == "tag":
        story.begin(tags=[HOSTILE], parent_run_id=HOSTILE, trace_id=HOSTILE).complete()

    source = page_of(story, screen_time={"people": people}, record=RunRecord.from_dict(values))
    page = Page(source)

    assert set(page.tags) <= ALLOWED_TAGS
    assert not {name for name, _ in page.attributes if name.startswith("on")}
    assert "alert(1)" in page.text
    assert "\x00" not in source
    assert "\x1b" not in source


def test_every_element_is_closed_and_the_timeline_is_well_formed() -> None:
    assert Page(page_of(resumed(HOSTILE))).open == []
    facts = resumed(HOSTILE).facts()
    overview = run_overview(facts, (), resumed().now)

    svg = ElementTree.fromstring(draw_timeline(overview["attempts"], overview["generated_at"]))

    assert svg.tag == "svg"


def bars(svg: str) -> list[dict[str, str]]:
    return [
        e.attrib for e in ElementTree.fromstring(svg).iter("rect") if "bar" in e.get("class", "")
    ]


def timeline(story: Story, gone: tuple[int, ...] = ()) -> str:
    overview = run_overview(story.facts(), gone, story.now)
    return draw_timeline(overview["attempts"], overview["generated_at"])


def test_bars_are_as_long_as_their_stages_took_and_start_where_they_began() -> None:
    story = Story().begin().stage(DETECT, 30).stage(FACES, 10).complete()

    detect, faces = bars(timeline(story))

    assert float(detect["width"]) / float(faces["width"]) == pytest.approx(3, rel=0.01)
    assert float(faces["x"]) > float(detect["x"]) + float(detect["width"])


def test_a_later_attempt_starts_at_the_left_again_on_the_same_scale() -> None:
    story = Story().begin().stage(DETECT, 30).fail(FACES, 1, "x", "y")
    story.now += timedelta(days=2)
    story.begin().stage(DETECT, 30).complete()

    first, _, second = bars(timeline(story))

    assert first["x"] == second["x"]
    assert float(first["width"]) == pytest.approx(float(second["width"]), rel=0.01)
    assert "48 h" in timeline(story)


def test_colour_tells_the_status_and_a_pattern_the_source() -> None:
    svg = timeline(resumed())

    assert [b["class"] for b in bars(svg)] == [
        "bar success", "bar failed", "bar success", "bar success", "bar success",
    ]  # fmt: skip
    assert svg.count("url(#hatch)") == 1
    assert svg.count("url(#dots)") == 1


def test_the_pointer_finds_times_and_the_error() -> None:
    tips = [e.text for e in ElementTree.fromstring(timeline(resumed())).iter("title")]

    failed = next(tip for tip in tips if tip and tip.startswith("faces: failed"))
    assert "2026-11-21 10:3" in failed
    assert "disk_space: the disk is full" in failed


def test_what_still_runs_is_drawn_until_now_and_a_dead_process_is_named() -> None:
    story = Story().begin().start(DETECT)
    story.now += timedelta(seconds=90)

    assert "1 min 30 s · running" in timeline(story)
    assert "process gone" in timeline(story, gone=(1,))
    assert [b["class"] for b in bars(timeline(story, gone=(1,)))] == ["bar failed"]


def test_a_run_that_never_started_has_a_page_without_a_timeline() -> None:
    source = page_of(Story(), record=None)

    assert "Timeline" not in source
    assert "not started" in Page(source).text


def test_an_error_of_an_earlier_attempt_is_told_once_and_in_full() -> None:
    long = "full\nsecond line " + "x" * 400
    text = Page(page_of(resumed(long))).text

    [section] = re.findall("Earlier errors(.*)Lineage", text, re.DOTALL)
    assert section.count(long) == 1
    assert "attempt 1" in section


def test_the_page_tells_no_folder_of_the_machine() -> None:
    message = "/srv/secret/videos/a.mp4: is truncated. See '/opt/private/notes.txt'."
    source = page_of(resumed(message))

    assert "a.mp4: is truncated" in Page(source).text
    assert "secret" not in source
    assert "private" not in source
    assert "/opt" not in source
    assert "box" not in source.split("</style>")[1]


def test_public_text_keeps_its_words() -> None:
    assert public("see https://example.org/a/b and 1/2 of it") == (
        "see https://example.org/a/b and 1/2 of it"
    )
    assert public("C:\\Users\\me\\x.mp4 failed") == "x.mp4 failed"
    assert escaped("a\ud800b") == "a\N{REPLACEMENT CHARACTER}b"
