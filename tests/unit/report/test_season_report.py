"""The report of a season, as PDF and as a page."""

from __future__ import annotations

import io
from typing import Any

import pypdf
import pytest

from screenalytics_core.report.season_html import render_season_html
from screenalytics_core.report.season_model import season_report
from screenalytics_core.report.season_pdf import render_season_pdf
from screenalytics_core.seasons.model import EpisodeInput, EpisodeState
from screenalytics_core.seasons.rollup import roll_up
from tests.pages import Page
from tests.season_samples import SEASON, cast_of, done, episode, looks, named, person, screen_time
from tests.season_samples import seen as unnamed

Documents = tuple[dict[str, Any], dict[str, Any]]


def documents(count: int = 4, name: str = "Lisa") -> Documents:
    """A season whose third episode failed; an unnamed person of the second may be Lisa."""
    ep_ids = [f"{SEASON}e{n:02d}" for n in range(1, count + 1)]
    inputs = [done(e) for e in ep_ids]
    inputs[2] = EpisodeInput(ep_ids[2], EpisodeState.FAILED, "run first is failed: /data/x is full")
    people = [
        episode(ep_ids[0], [person(ep_ids[0], "id_0001", looks(0), name=name)]),
        episode(ep_ids[1], [person(ep_ids[1], "id_0004", looks(0))]),
    ]
    cast = cast_of(inputs, people)
    times = {e.ep_id: screen_time(named(name, (0, 20))) for e in inputs if e.is_counted}
    times[ep_ids[1]] = screen_time(unnamed("id_0004", (0, 7.5)), unnamed("id_0005", (0, 3)))
    return roll_up(SEASON, inputs, times, cast), cast


def pdf_text(pdf: bytes) -> str:
    return " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def test_equal_seasons_give_equal_bytes() -> None:
    assert render_season_pdf(*documents()) == render_season_pdf(*documents())
    assert render_season_html(*documents()) == render_season_html(*documents())


@pytest.mark.parametrize("kind", ["pdf", "html"])
def test_the_report_says_who_how_long_and_what_is_missing(kind: str) -> None:
    said = (
        pdf_text(render_season_pdf(*documents()))
        if kind == "pdf"
        else Page(render_season_html(*documents()).decode()).text
    )
    said = " ".join(said.split())

    assert "show · season 1" in said
    assert "3 of 4" in said
    assert "Lisa" in said
    assert "40.0 s" in said
    assert "may be Lisa" in said
    assert "7.5 s more if open links hold" in said
    assert "Totals leave out e03" in said
    assert "run first is failed: x is full" in said  # without the folder


def test_a_missing_episode_is_no_zero() -> None:
    report = season_report(*documents())
    lisa = report.people[0]

    assert [c.total_s for c in lisa.cells] == [20, 0, None, 20]


def test_of_somebody_of_one_episode_a_missing_one_is_no_zero_either() -> None:
    alone = season_report(*documents()).people[-1]

    assert alone.name == "unnamed e02 id_0005"
    assert [c.total_s for c in alone.cells] == [0, 3, None, 0]


def test_a_hostile_name_is_text_and_nothing_is_loaded() -> None:
    page = Page(render_season_html(*documents(name="<script>alert(1)</script>")).decode())

    assert "script" not in page.tags
    assert "<script>alert(1)</script>" in page.text
    assert not [v for k, v in page.attributes if k in ("src", "href")]


@pytest.mark.parametrize("count", [3, 24, 60])
def test_any_number_of_episodes_fits_a_page(count: int) -> None:
    pdf = pypdf.PdfReader(io.BytesIO(render_season_pdf(*documents(count))))

    assert all(page.mediabox.width > page.mediabox.height for page in pdf.pages)
    assert f"e{count:02d}" in pdf_text(render_season_pdf(*documents(count)))


def test_a_season_without_figures_is_reported_too() -> None:
    inputs = [EpisodeInput(f"{SEASON}e01", EpisodeState.MISSING, "no run yet")]
    cast = cast_of(inputs)
    document = roll_up(SEASON, inputs, {}, cast)

    assert "no run yet" in pdf_text(render_season_pdf(document, cast))
    assert "no run yet" in Page(render_season_html(document, cast).decode()).text
