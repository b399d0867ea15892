"""What a client is told of a failure: from 500 on the same words always, and no word of ours."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter, Body, FastAPI
from fastapi.testclient import TestClient

from screenalytics_assets.api.pages.rendering import PageRoute
from screenalytics_assets.api.problems import STATUSES, add_problem_handlers
from screenalytics_core import errors
from screenalytics_core.episode_file import load_video
from screenalytics_core.errors import ScreenalyticsError, VideoError
from screenalytics_core.storage.local import LocalStorage

# Words of the server: its folders, and what its code says.
THING, REASON, WAY_OUT = "/srv/tv/videos/a.mp4", "Errno 13 of pid 4711", "chown root:tv /srv/tv"
OURS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type)
    and issubclass(kind, ScreenalyticsError)
    and not kind.__name__.startswith("_")
]
FAULTS = [kind for kind in OURS if STATUSES.get(kind.code, 500) >= 500]
REFUSALS = [kind for kind in OURS if kind not in FAULTS]


class Failing:
    """A service whose routes, for programs and for people, fail as they are told to."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        app = FastAPI()
        add_problem_handlers(app)
        pages = APIRouter(route_class=PageRoute)
        for routes, path in ((app, "/data"), (pages, "/page")):
            routes.get(path)(self.fail)
        app.include_router(pages)

        @app.post("/text")
        def text(_text: str = Body()) -> None: ...

        self.client = TestClient(app, raise_server_exceptions=False)

    def fail(self) -> None:
        assert self.error is not None
        raise self.error

    def said(self, error: Exception, path: str = "/data") -> tuple[int, str]:
        self.error = error
        answer = self.client.get(path)
        return answer.status_code, answer.text


@pytest.fixture
def service() -> Iterator[Failing]:
    service = Failing()
    with service.client:
        yield service


def of(kind: type[ScreenalyticsError]) -> ScreenalyticsError:
    return kind(thing=THING, reason=REASON, way_out=WAY_OUT, spec_name=THING)


def unexpected() -> Exception:
    return OSError(13, REASON, THING)


@pytest.mark.parametrize("path", ["/data", "/page"])
@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.__name__)
def test_a_fault_of_the_server_is_told_in_words_that_never_change(
    service: Failing,
    caplog: pytest.LogCaptureFixture,
    kind: type[ScreenalyticsError],
    path: str,
) -> None:
    with caplog.at_level(logging.ERROR):
        status, text = service.said(of(kind), path)
    other = kind(thing="else", reason="else", way_out="else", spec_name="else")

    assert status >= 500
    assert not [word for word in (THING, REASON, WAY_OUT, "Traceback", "/srv") if word in text]
    assert (status, text) == service.said(other, path)
    assert REASON in caplog.text


@pytest.mark.parametrize("make", [unexpected, lambda: ZeroDivisionError(THING)])
def test_what_nobody_expected_is_told_in_words_that_never_change(
    service: Failing, caplog: pytest.LogCaptureFixture, make: Callable[[], Exception]
) -> None:
    said = {service.said(make(), path) for path in ("/data", "/page")}

    [(status, text)] = said
    assert status == 500
    assert '"code":"internal"' in text
    assert not [
        word for word in (THING, REASON, "OSError", "ZeroDivision", "Traceback") if word in text
    ]
    assert THING in caplog.text


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
def test_a_refusal_names_the_thing_the_reason_and_the_way_out(
    service: Failing, kind: type[ScreenalyticsError]
) -> None:
    status, text = service.said(of(kind))

    assert status < 500
    assert all(word in text for word in (THING, REASON, WAY_OUT))


@pytest.mark.parametrize("path", ["/data", "/page"])
def test_the_way_out_of_who_asks_over_http_is_no_command(
    service: Failing, tmp_path: Path, path: str
) -> None:
    with pytest.raises(VideoError, match="screenalytics episodes add") as unregistered:
        load_video(LocalStorage(tmp_path), "rhobh-s05e14")

    status, text = service.said(unregistered.value, path)

    assert status == 422
    assert "has no registered video. Send it: PUT /episodes/rhobh-s05e14/video." in text
    assert "screenalytics episodes" not in text


def test_both_sorts_of_errors_were_found() -> None:
    assert (len(FAULTS) >= 8, len(REFUSALS) >= 18) == (True, True)


def test_a_body_that_is_no_text_has_a_code(service: Failing) -> None:
    kind = {"content-type": "application/json"}

    answer = service.client.post("/text", content=b'"\xff"', headers=kind)

    assert (answer.status_code, answer.json()["code"]) == (400, "body_unreadable")
