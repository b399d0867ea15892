"""Routes of progress: a run's and a job's, as a stream and for pollers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response

from screenalytics_assets.api.ids import RunDep
from screenalytics_assets.api.problems import problem_responses
from screenalytics_assets.api.progress.feeds import Feeds
from screenalytics_assets.api.progress.jobs import JobDep
from screenalytics_assets.api.progress.models import ProgressPage
from screenalytics_assets.api.progress.positions import Position
from screenalytics_assets.api.progress.stream import ProgressResponse, stream
from screenalytics_assets.api.progress.view import ProgressView
from screenalytics_core.run_record import RunKey

_EVENTS_PER_PAGE: Final = 1000
# What a log has at most; see `Position`.
_MOST_LINES: Final = 10**15 - 1


@asynccontextmanager
async def _feeds(app: FastAPI) -> AsyncIterator[None]:
    """Hold the feeds while the service is open; within the lifespan that opens it."""
    app.state.feeds = Feeds(app.state.service.stores.ledger)
    try:
        yield
    finally:
        await app.state.feeds.close()


router = APIRouter(lifespan=_feeds)


def _feeds_of(request: Request) -> Feeds:
    feeds: Feeds = request.app.state.feeds
    return feeds


FeedsDep = Annotated[Feeds, Depends(_feeds_of)]
LastEventId = Annotated[
    str | None,
    Header(
        description="The `id` that was heard last: the stream goes on after it, without a "
        "snapshot. `0` tells the whole log. Any other text is as if there were none."
    ),
]
After = Annotated[
    int | None,
    Query(ge=0, le=_MOST_LINES, description="Give the events after this line of the log."),
]
_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "`snapshot` (unless Last-Event-ID says what was heard), then `progress` "
        "after `progress`, each with its line of the log as `id`, then one `end`; comments "
        "keep the connection open. A stream that closes without an `end` goes on: ask again.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    204: {"description": "Last-Event-ID is that of the `end`, and nothing came after it."},
}


@router.get(
    "/runs/{ep_id}/{run_id}/events",
    tags=["runs"],
    status_code=200,
    response_class=ProgressResponse,
    responses={**_STREAM, **problem_responses(404, 422, 503)},
)
async def run_events(key: RunDep, feeds: FeedsDep, last_event_id: LastEventId = None) -> Response:
    """Follow a run until its newest attempt has ended."""
    return await _stream(feeds, key, None, last_event_id)


@router.get(
    "/runs/{ep_id}/{run_id}/progress",
    tags=["runs"],
    responses=problem_responses(404, 422, 503),
)
async def run_progress(key: RunDep, feeds: FeedsDep, after: After = None) -> ProgressPage:
    """Say where a run stands, and what is new."""
    return _page(await feeds.view(key), None, after)


@router.get(
    "/jobs/{job_id}/events",
    tags=["jobs"],
    status_code=200,
    response_class=ProgressResponse,
    responses={**_STREAM, **problem_responses(404, 422, 503)},
)
async def job_events(job: JobDep, feeds: FeedsDep, last_event_id: LastEventId = None) -> Response:
    """Follow one job until it has ended; its run may have other attempts."""
    return await _stream(feeds, job.run, job.job_id, last_event_id)


@router.get("/jobs/{job_id}/progress", tags=["jobs"], responses=problem_responses(404, 422, 503))
async def job_progress(job: JobDep, feeds: FeedsDep, after: After = None) -> ProgressPage:
    """Say where a job stands, and what is new."""
    return _page(await feeds.view(job.run), job.job_id, after)


async def _stream(
    feeds: Feeds, key: RunKey, job_id: str | None, last_event_id: str | None
) -> Response:
    heard = Position.parse(last_event_id)
    # What cannot be read is a problem now, and not a stream that breaks.
    view = await feeds.view(key)
    if heard is not None and heard.is_end and _is_all(view, job_id, heard):
        # The one answer that keeps a browser from coming back.
        return Response(status_code=204)
    return ProgressResponse(stream(feeds, key, job_id, heard))


def _is_all(view: ProgressView, job_id: str | None, heard: Position) -> bool:
    is_of_this_log = heard.sequence <= view.state.sequence
    is_new = next(view.after(heard.sequence, job_id), None) is not None
    return is_of_this_log and not is_new and view.ending(job_id) is not None


def _page(view: ProgressView, job_id: str | None, after: int | None) -> ProgressPage:
    last = view.state.sequence
    # A line that this log does not have: it is another log, which is told from its start.
    start = last if after is None else after if after <= last else 0
    events = list(islice(view.after(start, job_id), _EVENTS_PER_PAGE))
    is_cut = len(events) == _EVENTS_PER_PAGE
    return ProgressPage(
        snapshot=view.snapshot(job_id),
        events=events,
        next_after=events[-1].sequence if is_cut else last,
        end=view.ending(job_id),
    )
