"""The API's pages in a real browser: by keyboard, live, with and without the script.

Opt-in, since it needs Chromium and Playwright: `make test-ui`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from screenalytics_assets.api.app import create_app
from screenalytics_assets.stores import Stores as OpenStores
from screenalytics_core.ledger.events import EventKind
from tests.api_reading import KeptLauncher, seen_run, settings_of
from tests.integration.browser import CHROMIUM, FLAGS
from tests.progress_server import served
from tests.run_samples import log_of, write_log
from tests.stores import EP, Stores
from tests.unit.api.test_episodes import register

pytestmark = [
    pytest.mark.ui,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
TOKEN = "correct horse battery"


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    stores = Stores(tmp_path)
    seen_run(stores, "first")
    register(tmp_path, EP)
    return stores


@contextmanager
def opened(stores: Stores, *, script: bool = True, token: str | None = None) -> Iterator[Any]:
    """Open the first page; what the policy stops, or what is loaded from elsewhere, fails."""
    playwright = pytest.importorskip("playwright.sync_api")
    app = create_app(settings_of(stores.root, token=token), KeptLauncher())
    said: list[str] = []
    asked: list[str] = []
    with served(app) as server, playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(base_url=server.url, java_script_enabled=script)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(f"{message.text} {message.location}"))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto("/")
        yield page
        browser.close()
        assert [url for url in asked if not url.startswith((server.url, "data:"))] == []
    assert said == []


def test_somebody_is_named_with_the_keyboard_alone(stores: Stores) -> None:
    with opened(stores) as page:
        page.get_by_role("link", name="first").focus()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/ui/{EP}/first")
        who = page.locator(".who > summary").first
        who.focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("Zoë")
        # The samples' faces are no pictures: no gallery could know them.
        for key in ("Tab", "Space", "Tab", "Enter"):
            page.keyboard.press(key)
        page.wait_for_selector(".since")

        assert "1 decision is not in these figures yet" in page.inner_text("main")

    [decision] = OpenStores.open(stores.root).decisions.read(EP)
    assert decision.label == "Zoë"


@pytest.mark.parametrize("script", [True, False])
def test_a_timeline_shows_a_bar_for_each_stretch(stores: Stores, script: bool) -> None:
    with opened(stores, script=script) as page:
        page.goto(f"/ui/{EP}/first")
        bars = page.locator(".lane rect")
        assert bars.count() >= 3
        box = bars.first.bounding_box()
        assert box["width"] > 10
        assert box["height"] > 10


def test_a_run_at_work_is_followed_until_its_end(stores: Stores) -> None:
    stores.run("second")
    log = write_log(stores, "second", end=None)
    with opened(stores) as page:
        page.goto(f"/ui/{EP}/second")
        assert page.inner_text("#state") == "running"

        done = log_of(EventKind.RUN_COMPLETED, stores=stores, run_id="second", order=9)
        log.append(EP, "second", done)

        page.locator("#state", has_text="completed").wait_for(timeout=20_000)


def test_a_browser_signs_in_and_stays_so(stores: Stores) -> None:
    with opened(stores, token=TOKEN) as page:
        assert "/sign-in" in page.url
        page.fill("input[name=token]", TOKEN)
        page.keyboard.press("Enter")
        page.wait_for_url("**/")
        assert page.inner_text("h1") == "Episodes"
        page.goto(f"/ui/{EP}/first")
        assert page.locator(".who").count() == 3
