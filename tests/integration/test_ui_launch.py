"""A person launches an episode in Dagster's UI: a real browser, webserver and daemon.

Opt-in, since it needs Chromium and Playwright: `make test-ui`. It renews the picture in
docs/images.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from screenalytics_assets.settings import Settings
from screenalytics_core import layout
from screenalytics_core.ledger.vocabulary import RunStatus
from tests.integration.browser import CHROMIUM, FLAGS
from tests.integration.dev_server import dev_server
from tests.integration.support import EP_ID
from tests.integration.views import assert_nothing_lies
from tests.integration.without_us import register

pytestmark = [pytest.mark.models, pytest.mark.ui]
SEEN_WITHIN_S = 15.0
ENDED_WITHIN_S = 180.0
PICTURE = Path(__file__).parents[2] / "docs" / "images" / "dagster-run.png"


def states(settings: Settings) -> list[str]:
    """Return the state of every status file of the episode."""
    folder = settings.data_root / layout.runs_prefix(EP_ID)
    return [json.loads(p.read_text())["state"] for p in folder.glob("*/episode_status.json")]


def wait_until(condition: Callable[[], bool], limit_s: float) -> float:
    """Wait for a condition; return how many seconds it took."""
    started_s = time.monotonic()
    while not condition():
        assert time.monotonic() - started_s < limit_s, f"not within {limit_s} s"
        time.sleep(0.1)
    return time.monotonic() - started_s


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_launch_from_the_ui_is_in_the_status_file_within_seconds(
    clip: Path, settings: Settings, lite_pack: object
) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    register(settings, clip, EP_ID)
    with dev_server(settings) as server, playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1500, "height": 950})
        page.goto(f"{server.url}/asset-groups", wait_until="networkidle")
        page.get_by_role("button", name="Materialize all").first.click()
        page.get_by_role("button", name="All", exact=True).click()
        page.get_by_role("button", name="Launch 1 run").click()

        wait_until(lambda: states(settings) != [], SEEN_WITHIN_S)
        wait_until(lambda: states(settings) == [RunStatus.COMPLETED.value], ENDED_WITHIN_S)

        page.goto(f"{server.url}/runs", wait_until="networkidle")
        page.locator("a[href^='/runs/']").first.click()
        page.wait_for_timeout(4000)
        PICTURE.parent.mkdir(exist_ok=True)
        page.screenshot(path=str(PICTURE))
        browser.close()

    assert list(assert_nothing_lies(settings).values()) == [RunStatus.COMPLETED]
