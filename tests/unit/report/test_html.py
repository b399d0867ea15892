"""report.html is whole, loads nothing, obeys no label, and says what the run found."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from screenalytics_core.report import text, wording
from screenalytics_core.report.html import render_html
from screenalytics_core.report.html_names import TO, spoken
from screenalytics_core.report.model import BodyReviewRow, ReportModel, Trim
from screenalytics_core.vision.evidence import Evidence
from tests.pages import Page
from tests.report_html import jpeg, model_of, page_of, pictures_of, source_of

ROOT = Path(__file__).parents[3]
ALLOWED_TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "header", "section", "div", "h1",
    "h2", "h3", "p", "dl", "dt", "dd", "b", "small", "span", "bdi", "label", "input", "button",
    "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "code", "details", "summary",
    "figure", "figcaption", "footer", "script", "svg", "defs", "symbol", "image", "use",
    "pattern", "rect", "line", "path", "g", "text",
}  # fmt: skip
ALLOWED_ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "class", "id", "role", "scope", "title",
    "type", "tabindex", "hidden", "href", "width", "height", "viewbox", "x", "y", "x1", "x2", "y1",
    "y2", "d", "preserveaspectratio", "patternunits", "patterntransform", "aria-hidden",
    "aria-label", "data-l", "data-v", "data-p", "data-who", "data-seconds",
}  # fmt: skip
HOSTILE = [
    pytest.param("</script><img src=x onerror=alert(1)>", id="end of script"),
    pytest.param("</title></svg><script>alert(1)</script>", id="end of drawing"),
    pytest.param("\" onmouseover='alert(1)' x=\"", id="quotes"),
    pytest.param("</style><style>*{display:none}</style>", id="style"),
    pytest.param("<!-- --> ]]> &lt;b&gt; &#x3c;", id="comments and entities"),
    pytest.param("שלום \u200fعليكم\u200e", id="right to left"),
    pytest.param("𐍈 👩🏽‍🎤 李", id="characters of four bytes"),
]
EPISODES = [
    pytest.param(0, {}, id="nobody"),
    pytest.param(0, {"unknown": True}, id="strangers alone"),
    pytest.param(1, {}, id="one"),
    pytest.param(6, {"unknown": True}, id="six"),
    pytest.param(40, {}, id="forty"),
    pytest.param(6, {"bodies": False}, id="without bodies"),
]


def renamed(model: ReportModel, name: str) -> ReportModel:
    """Write `name` wherever a person, a video or a setting may bring one in."""
    people = tuple(replace(p, name=name, handle=name, person_id=name) for p in model.people[:1])
    rest = model.people[1:]
    meetings = tuple(replace(m, name=name, other_name=name) for m in model.co_appearances)
    review = tuple(replace(r, given=name, rival=name, reason=name) for r in model.review)
    body = BodyReviewRow(71, 61.5, 64.25, 1843, 1925, 2.6, name, name, 0.12)
    lineage = replace(
        model.lineage,
        video=(*model.lineage.video, (name, name)),
        models=tuple(
            replace(m, role=name, name=name, licence=name, source=name, sha256=name)
            for m in model.lineage.models
        ),
        settings=tuple(replace(s, name=name, value=name) for s in model.lineage.settings),
        files=tuple(replace(f, kind=name, path=name, sha256=name) for f in model.lineage.files),
        pack=name,
        profile=name,
        code_ref=name,
        settings_hash=name,
    )
    return replace(
        model,
        ep_id=name,
        run_id=name,
        people=people + rest,
        co_appearances=meetings,
        review=review,
        body_review=(body,),
        body_review_total=1,
        trims=(Trim(name, 0.0, 9.0),),
        counters=tuple(replace(c, title=name, advice=name) for c in model.counters),
        counts=((name, 3),),
        bodies=replace(model.bodies, detector=name, appearance=name),
        lineage=lineage,
    )


@pytest.mark.parametrize(("people", "sample"), EPISODES)
def test_the_page_is_well_formed_and_its_references_lead_somewhere(
    people: int, sample: dict[str, bool]
) -> None:
    source = source_of(model_of(people, **sample))
    page = Page(source)

    ids = [value for name, value in page.attributes if name == "id"]
    led_to = {value for name, value in page.attributes if name == "href" and value}
    led_to |= {f"#{p['data-p']}" for p in page.all("rect", "seg") if "data-p" in p}
    led_to |= set(re.findall(r"url\((#[^)]*)\)", source))
    assert page.open == []
    assert len(ids) == len(set(ids))
    assert {v for v in led_to if not v.startswith("data:")} <= {f"#{i}" for i in ids}


@pytest.mark.parametrize(("people", "sample"), EPISODES)
def test_the_page_loads_nothing(people: int, sample: dict[str, bool]) -> None:
    source = source_of(model_of(people, **sample))
    page = Page(source)

    assert {a for a, _ in page.attributes} <= ALLOWED_ATTRIBUTES
    assert not re.search(r"url\((?!#)|@import|https?://|//[a-z]+\.", source)
    assert {h for a, h in page.attributes if a == "href" and h and h[0] != "#"} == {
        i["href"] for i in page.all("image")
    }


def test_the_policy_lets_in_this_style_and_this_script_alone() -> None:
    source = source_of(model_of(1))
    policies = [m["content"] or "" for m in Page(source).all("meta") if "http-equiv" in m]
    rules = dict(rule.strip().split(" ", 1) for rule in policies[0].split(";"))

    for element, rule in (("style", "style-src"), ("script", "script-src")):
        (content,) = re.findall(f"<{element}>(.*?)</{element}>", source, re.DOTALL)
        digest = b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_text_wherever_it_comes_in(name: str) -> None:
    plain = page_of(renamed(model_of(6, unknown=True), "Ana"))

    page = page_of(renamed(model_of(6, unknown=True), name))

    assert page.tags == plain.tags, "no element came with a name"
    assert {a for a, _ in page.attributes} <= ALLOWED_ATTRIBUTES
    assert page.words.count(spoken(name)) >= plain.words.count("Ana") / 2, "paths are cut"


def test_what_turns_a_line_round_is_shown_as_a_mark() -> None:
    source = source_of(renamed(model_of(1), "a\u202eb\u2066c\x00d\ud800e\nZq"))

    assert not set("\u202e\u2066\x00\ud800") & set(source)
    assert "a\N{REPLACEMENT CHARACTER}b" in source
    assert "e Zq" in source, "a name stands on one line"


@pytest.mark.parametrize("people", [1, 6, 40])
def test_every_person_is_there_with_seconds_share_and_bounds(people: int) -> None:
    model = model_of(people)
    words = page_of(model).text

    for person in model.people:
        assert spoken(person.name) in words
        assert text.seconds(person.total_s) in words
        assert text.seconds(person.face_s) in words
        assert f"{text.seconds(person.low_s)}{TO}{text.seconds(person.high_s)}" in words
        assert f"{text.percent(person.low_share)}{TO}{text.percent(person.high_share)}" in words


def test_bodies_have_a_column_only_where_they_were_looked_for() -> None:
    assert "body only" in page_of(model_of(2)).text
    without = model_of(2, bodies=False)
    words = page_of(without).text
    assert "body only" not in words
    assert without.bodies.why_none is not None
    assert without.bodies.why_none in words


def test_an_episode_without_a_face_says_so_and_draws_nothing() -> None:
    page = page_of(model_of(0))

    assert "No face was found in this episode" in page.text
    assert page.all("svg", "lane") == []
    assert page.all("table", "people") == []


def test_faces_without_identity_are_drawn_though_nobody_is_listed() -> None:
    page = page_of(model_of(0, unknown=True))

    assert "none of them could be given an identity" in page.text
    assert len(page.all("rect", "u")) > 0


def test_a_picture_stands_in_the_page_once_however_often_it_is_shown() -> None:
    model = model_of(6)
    page = page_of(model, dict.fromkeys(model.crops, jpeg(9)))

    uses = [u["href"] for u in page.all("use") if "href" in u]
    uses += [f"#{s['data-p']}" for s in page.all("rect", "seg")]
    assert len(page.all("image")) == len(set(uses)) < len(uses)


def test_a_picture_that_is_missing_or_broken_leaves_an_empty_frame() -> None:
    model = model_of(2)
    first, second = (p.crop for p in model.people)
    assert first is not None

    page = page_of(model, {first: b"no picture at all"})

    assert page.all("image") == []
    assert len(page.all("span", "face")) > 0
    assert second is not None


def test_meetings_are_told_in_both_directions_and_none_is_told_in_a_sentence() -> None:
    model = model_of(2)
    alone = replace(model, co_appearances=())
    meeting = model.co_appearances[0]
    told = f"{spoken(meeting.name)} and {spoken(meeting.other_name)}"

    titles = [t for a, t in page_of(model).attributes if a == "title" and t and " and " in t]

    assert len(titles) == 2
    assert any(t.startswith(f"{told}: {text.seconds(meeting.together_s)}") for t in titles)
    assert "No two of them are on screen at once." in page_of(alone).text


def test_a_crossed_limit_comes_with_its_advice_and_a_kept_one_without() -> None:
    model = model_of(1)
    words = page_of(model).text
    crossed = [c for c in model.counters if c.is_warning]

    assert words.count("outside its limits") == len(crossed) > 0
    for counter in model.counters:
        assert counter.title in words
        assert counter.advice is None or counter.advice in words


def test_every_doubtful_track_is_listed_with_times_and_reason() -> None:
    model = model_of(6, unknown=True)
    words = page_of(model).text

    assert model.review
    for row in model.review:
        assert f"frames {row.first_frame_idx}{TO}{row.last_frame_idx}" in words
        assert row.reason in words


def test_doubtful_bodies_are_listed_only_where_there_are_any() -> None:
    model = model_of(2)
    row = BodyReviewRow(71, 61.5, 64.25, 1843, 1925, 2.6, "Ana", Evidence.FACE_IN_BODY, 0.12)

    page = page_of(replace(model, body_review=(row,), body_review_total=3))

    assert "Bodies to look at" not in page_of(model).text
    assert "Not listed: 2 other doubtful bodies with no more seconds than these." in page.text
    assert "No track is in doubt." in page_of(model).text
    assert "No track is in doubt." not in page.text
    for told in (f"1:01.500{TO}1:04.250", f"frames 1843{TO}1925", "2.6 s", "Ana", "0.12"):
        assert told in page.text
    assert wording.evidence(Evidence.FACE_IN_BODY) in page.text


def test_a_share_of_the_episode_is_said_as_in_the_pdf() -> None:
    model = model_of(2)

    assert wording.share_of_counted(model, model.covered_s) in page_of(model).text
    assert wording.share_of_counted(replace(model, counted_s=0.0), 0.0) == "0 % of counted time"


def test_the_table_counts_appearances_not_segments() -> None:
    model = model_of(1)
    (person,) = model.people

    (cell,) = (c for c in page_of(model).all("td", "num") if c.get("data-l") == "appearances")

    assert len(person.segments) > person.appearance_count
    assert cell["data-v"] == f"{person.appearance_count}"


def test_files_and_models_show_their_whole_hash() -> None:
    model = model_of(1)
    page = page_of(model)

    hashes = [f.sha256 for f in model.lineage.files] + [m.sha256 for m in model.lineage.models]
    assert len(page.all("code", "hash")) >= len(hashes)
    for sha256 in hashes:
        assert sha256 in page.text


def test_the_page_tells_no_path_of_the_machine() -> None:
    source = source_of(model_of(1))

    assert "/opt" not in source
    assert "packs/mine" not in source


def test_the_same_model_gives_the_same_bytes_in_any_process() -> None:
    model = model_of(6, unknown=True)
    here = render_html(model, pictures_of(model))
    code = (
        "import hashlib; from tests.report_html import *;"
        "m = model_of(6, unknown=True);"
        "print(hashlib.sha256(render_html(m, pictures_of(m))).hexdigest())"
    )
    there = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()

    assert render_html(model, pictures_of(model)) == here
    assert there == hashlib.sha256(here).hexdigest()


def test_twelve_people_in_two_thousand_stretches_weigh_little() -> None:
    model = model_of(12, shots=800)
    assert sum(len(p.segments) for p in model.people) > 2000

    source = source_of(model)

    assert len(re.sub('base64,[^"]*', "", source)) < 1_100_000
    assert len(source) < 2_000_000


def test_letters_stand_out_from_what_is_behind_them_in_light_and_dark() -> None:
    style = re.findall("<style>(.*?)</style>", source_of(model_of(1)), re.DOTALL)[0]
    dark_at = style.index("prefers-color-scheme: dark")
    light = colours(style[:dark_at])
    dark = light | colours(style[dark_at:])

    for mode in (light, dark):
        for behind in ("paper", "panel"):
            for letters in ("ink", "soft", "accent"):
                assert contrast(mode[letters], mode[behind]) >= 4.5, (letters, behind)
        assert contrast(mode["warn"], mode["warn-panel"]) >= 4.5
        assert contrast(mode["soft"], mode["warn-panel"]) >= 4.5
        assert all(contrast(mode["ink"], mode[shade]) >= 4.5 for shade in ("h1", "h2", "h3"))
        assert all(contrast(mode["paper"], mode[shade]) >= 4.5 for shade in ("h4", "h5"))
        assert contrast(mode["face"], mode["paper"]) >= 3, "a bar is no letter"
        assert contrast(mode["veil"], mode["paper"]) >= 3


def colours(style: str) -> dict[str, str]:
    found = re.findall(r"--([a-z0-9-]+): #([0-9a-f]{3,6})\b", style)
    return {name: value if len(value) == 6 else "".join(2 * c for c in value)
            for name, value in found}  # fmt: skip


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    lights = []
    for colour in (one, other):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)
