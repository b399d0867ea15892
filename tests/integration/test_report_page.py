"""report.html in a real browser: what its script adds, and what stays without it.

Opt-in, since it needs Chromium and Playwright: `make test-ui`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from screenalytics_core.report.html import render_html
from screenalytics_core.report.model import ReportModel
from tests.integration.browser import CHROMIUM, FLAGS
from tests.report_html import model_of, pictures_of

pytestmark = [
    pytest.mark.ui,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
HOSTILE = "</script><img src=x onerror=alert(1)>"


@contextmanager
def opened(folder: Path, model: ReportModel, **context: Any) -> Iterator[Any]:
    """Open a report; anything that it loads, or that the policy stops, fails the test."""
    playwright = pytest.importorskip("playwright.sync_api")
    file = folder / "report.html"
    file.write_bytes(render_html(model, pictures_of(model)))
    loaded: list[str] = []
    said: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(viewport={"width": 1280, "height": 900}, **context).new_page()
        page.on("request", lambda request: loaded.append(request.url[:60]))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.goto(file.as_uri())
        yield page
        browser.close()
    assert [url for url in loaded if not url.startswith(("file:", "data:"))] == []
    assert said == []


def test_pointing_at_a_stretch_shows_the_face_and_escape_takes_it_away(tmp_path: Path) -> None:
    model = model_of(6)
    person = model.people[0]
    with opened(tmp_path, model) as page:
        card = page.locator("#card")
        assert not card.is_visible()

        page.locator(".seg").first.hover()

        assert card.is_visible()
        assert card.locator("b").inner_text() == person.name
        assert "timecode" in card.inner_text()
        picture = card.locator("use").get_attribute("href")
        assert page.locator(f"symbol{picture} image").count() == 1
        page.keyboard.press("Escape")
        assert not card.is_visible()


def test_arrow_keys_walk_along_a_lane_and_to_the_next_one(tmp_path: Path) -> None:
    model = model_of(6)
    with opened(tmp_path, model) as page:
        name = page.locator("#card b")
        page.locator(".seg").first.focus()
        assert name.inner_text() == model.people[0].name
        first = page.locator("#card dl").inner_text()

        page.keyboard.press("ArrowRight")
        assert page.locator("#card dl").inner_text() != first
        page.keyboard.press("ArrowDown")

        assert name.inner_text() == model.people[1].name


def test_a_touch_keeps_the_card_until_another_place_is_touched(tmp_path: Path) -> None:
    with opened(tmp_path, model_of(2), has_touch=True) as page:
        page.locator(".seg").first.tap()
        page.wait_for_timeout(400)
        assert page.locator("#card").is_visible()

        page.locator("h1").tap()

        assert not page.locator("#card").is_visible()


def test_zooming_widens_the_lanes_and_arrow_keys_bring_what_they_reach_into_view(
    tmp_path: Path,
) -> None:
    with opened(tmp_path, model_of(3)) as page:
        lane = page.locator(".lane").first
        narrow = lane.bounding_box()["width"]
        for _ in range(4):
            page.locator("#zoom-in").click()

        page.locator(".seg").first.focus()
        page.keyboard.press("End")

        assert lane.bounding_box()["width"] == pytest.approx(16 * narrow, rel=0.01)
        frame = page.locator(".scroll").bounding_box()
        reached = page.evaluate("document.activeElement.getBoundingClientRect().toJSON()")
        assert frame["x"] < reached["x"] < frame["x"] + frame["width"]
        page.locator("#zoom-whole").click()
        assert lane.bounding_box()["width"] == pytest.approx(narrow, rel=0.01)


def test_sorting_and_filtering_hold_for_table_lanes_and_sheets(tmp_path: Path) -> None:
    model = model_of(6)
    with opened(tmp_path, model) as page:
        rows = {"table": "table.people tbody tr", "lanes": "li[data-who]", "sheets": ".sheet"}

        page.get_by_role("button", name="first", exact=True).click()
        page.get_by_role("button", name="first", exact=True).click()

        by_first = sorted(range(6), key=lambda place: model.people[place].first_s)
        for selector in rows.values():
            order = page.locator(selector).evaluate_all("all => all.map(e => e.dataset.who)")
            assert order == [str(place) for place in by_first]

        page.locator("#filter").fill("NGUYEN")

        for selector in rows.values():
            shown = page.locator(selector).filter(visible=True)
            assert [e.get_attribute("data-who") for e in shown.all()] == ["3"]
        assert page.locator("#filtered").inner_text() == "1 of 6"


def test_without_its_script_the_page_still_tells_everything(tmp_path: Path) -> None:
    with opened(tmp_path, model_of(2), java_script_enabled=False) as page:
        assert page.locator(".seg title").count() > 0
        assert page.locator("table.people tbody tr").count() == 2
        assert page.locator(".only-js").filter(visible=True).count() == 0


@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_is_never_wider_than_its_window(tmp_path: Path, width: int) -> None:
    with opened(tmp_path, model_of(40)) as page:
        page.set_viewport_size({"width": width, "height": 900})

        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_hostile_name_runs_nothing_and_is_shown_in_the_card(tmp_path: Path) -> None:
    model = model_of(2)
    hostile = replace(model.people[0], name=HOSTILE)
    with opened(tmp_path, replace(model, people=(hostile, model.people[1]))) as page:
        page.locator(".seg").first.hover()

        assert page.locator("#card b").inner_text() == HOSTILE
        assert page.locator("img").count() == 0
