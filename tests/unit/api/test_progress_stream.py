"""What a listener is sent over HTTP: a snapshot, every event once and in order, one end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path

import dagster as dg
import httpx
import pytest
from starlette.types import Message

from screenalytics_assets.api.progress.feeds import Feeds
from screenalytics_assets.api.progress.positions import Position
from screenalytics_assets.api.progress.stream import ProgressResponse, stream
from screenalytics_core.ledger.events import LedgerEvent
from screenalytics_core.ledger.ledger import Ledger
from screenalytics_core.run_record import RunKey
from tests.progress_server import Served, data_of, hear, listen, progress_app, served
from tests.stores import EP, Stores
from tests.unit.ledger import event_samples as log

RUN = "r1"
WAIT_S = 20.0


class Writer:
    """Writes the log of one run, as the mirror does."""

    def __init__(self, root: Path) -> None:
        self.stores = Stores(root)
        self.stores.run(RUN)
        stores = self.stores
        self.ledger = Ledger(stores.storage, stores.runs, stores.attempts, stores.artifacts)

    def tell(self, events: Iterable[LedgerEvent]) -> int:
        """Append events; return the line that the log then ends with."""
        self.ledger.log.append(EP, RUN, events)
        return self.ledger.log.state(EP, RUN).sequence


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(tmp_path)


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def server(tmp_path: Path, instance: dg.DagsterInstance) -> Iterator[Served]:
    with served(progress_app(tmp_path, instance)) as server:
        yield server


def events_url(server: Served) -> str:
    return f"{server.url}/runs/{EP}/{RUN}/events"


def feeds_of(server: Served) -> Feeds:
    feeds: Feeds = server.app.state.feeds
    return feeds


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def working() -> log.Told:
    return log.Told().begins(1, ["scan", "tracks"]).started("scan").reported("scan", 30, 60)


def test_a_listener_hears_a_snapshot_then_what_is_new_then_the_end(
    writer: Writer, server: Served
) -> None:
    story = working()
    first = writer.tell(story)
    listener = listen(events_url(server))

    snapshot = next(listener)
    last = writer.tell(story.does("tracks").completed())
    rest = list(listener)

    assert (snapshot.event, snapshot.id) == ("snapshot", str(first))
    assert data_of(snapshot)["state"] == "running"
    assert data_of(snapshot)["progress"] == 25.0
    assert data_of(snapshot)["stages"]["detect"]["done"] == 30
    assert [event.event for event in rest] == ["progress"] * (last - first) + ["end"]
    assert [event.id for event in rest[:-1]] == [str(n) for n in range(first + 1, last + 1)]
    assert (rest[-1].id, data_of(rest[-1])["state"]) == (f"{last}.end", "completed")


def test_zero_as_the_last_event_id_tells_the_whole_log(writer: Writer, server: Served) -> None:
    last = writer.tell(working().does("tracks").completed())

    heard = hear(events_url(server), "0")

    # Two lines plan steps and say nothing.
    assert heard.sequences == [1, *range(4, last + 1)]
    assert heard.names[-1] == "end"


@pytest.mark.parametrize("at", [1, 5, 8, 11])
def test_who_comes_back_hears_what_was_missed_and_nothing_twice(
    at: int, writer: Writer, server: Served
) -> None:
    last = writer.tell(working().does("tracks").completed())

    heard = hear(events_url(server), str(at))

    assert heard.sequences == [n for n in range(at + 1, last + 1) if n > 3]
    assert heard.names.count("snapshot") == 0
    assert heard.is_ended


def test_who_heard_the_end_is_told_not_to_come_back(writer: Writer, server: Served) -> None:
    writer.tell(working().completed())
    end = hear(events_url(server)).ids[-1]

    answer = httpx.get(events_url(server), headers={"Last-Event-ID": end})

    assert (answer.status_code, answer.content) == (204, b"")


def test_a_resumed_run_goes_on_for_who_heard_the_end_of_its_first_attempt(
    writer: Writer, server: Served
) -> None:
    first = writer.tell(working().failed("scan").run_failed())
    heard = hear(events_url(server))
    last = writer.tell(log.Told("d2", second=60).begins(2, ["scan"]).does("scan").completed())

    again = hear(events_url(server), heard.ids[-1])

    assert heard.last["state"] == "failed"
    # Its first line queues, the second plans.
    assert again.sequences == [first + 1, *range(first + 3, last + 1)]
    assert (again.last["state"], again.last["attempt"]) == ("completed", 2)


def test_a_stream_goes_on_when_a_resumed_run_is_queued_before_it_could_end(
    writer: Writer, server: Served
) -> None:
    story = working()
    writer.tell(story)
    listener = listen(events_url(server))
    next(listener)
    again = log.Told("d2", second=60).queued(["scan"])
    writer.tell([*story.failed("scan").run_failed(), *again])
    told = [next(listener) for _ in range(3)]
    writer.tell(again.run_started().claims(2).does("scan").completed())
    rest = list(listener)

    assert [data_of(e)["status"] for e in told] == ["failed", "failed", "queued"]
    assert data_of(rest[-1])["state"] == "completed"


@pytest.mark.parametrize(
    ("story", "state", "code"),
    [
        pytest.param(working().completed(), "completed", None, id="completed"),
        pytest.param(working().failed("scan").run_failed(), "failed", "video_error", id="failed"),
        pytest.param(working().canceling().canceled(), "canceled", "canceled", id="canceled"),
        pytest.param(
            log.Told().queued().canceling().canceled(), "canceled", "canceled", id="while queued"
        ),
        pytest.param(working().swept(), "failed", "process_died", id="killed"),
        pytest.param(working().lost(), "failed", "attempt_lost", id="lost"),
        pytest.param(
            log.refused("d1"), "canceled", "run_busy", id="refused, and nothing else there"
        ),
    ],
)
def test_every_outcome_ends_the_stream_and_says_which(
    story: log.Told, state: str, code: str | None, writer: Writer, server: Served
) -> None:
    writer.tell(story)

    heard = hear(events_url(server))

    assert heard.names == ["snapshot", "end"]
    assert (heard.last["state"], heard.last["error_code"]) == (state, code)


def test_a_canceled_run_is_called_so_by_every_view(writer: Writer, server: Served) -> None:
    story = working()
    writer.tell(story)
    listener = listen(events_url(server))
    next(listener)
    writer.tell(story.canceling().failed("scan", "interrupted", "ended from outside").canceled())

    *_, last_word, end = map(data_of, listener)
    snapshot = data_of(next(listen(events_url(server))))

    assert (last_word["message"], end["error"]) == ("canceled", "canceled")
    assert (snapshot["message"], snapshot["error"]) == ("canceled", "canceled")


def test_the_refusal_of_another_launch_does_not_end_the_runs_stream(
    writer: Writer, server: Served
) -> None:
    story = working()
    writer.tell([*story, *log.refused("d2", second=20)])
    listener = listen(events_url(server))

    snapshot = data_of(next(listener))
    writer.tell(story.completed())
    rest = list(listener)

    assert (snapshot["state"], snapshot["status"]) == ("running", "running")
    assert [event.event for event in rest] == ["progress", "end"]
    assert data_of(rest[-1])["job_id"] == "d1"


def test_a_line_that_the_log_does_not_have_is_answered_with_a_snapshot(
    writer: Writer, server: Served
) -> None:
    writer.tell(working().completed())

    assert hear(events_url(server), "999").names == ["snapshot", "end"]
    assert hear(events_url(server), "999.end").names == ["snapshot", "end"]
    assert hear(events_url(server), "of another server").names == ["snapshot", "end"]


def test_a_log_that_was_replaced_starts_anew_with_a_snapshot(
    writer: Writer, server: Served, tmp_path: Path
) -> None:
    writer.tell(working())
    listener = listen(events_url(server))
    next(listener)
    writer.stores.file(RUN, "events.jsonl").unlink()
    writer.tell(log.Told("other").begins(1, ["scan"]).does("scan").completed())

    rest = list(listener)

    assert [event.event for event in rest] == ["snapshot", "end"]
    assert data_of(rest[0])["job_id"] == "other"


def test_a_run_that_is_only_reserved_is_waited_for(writer: Writer, server: Served) -> None:
    listener = listen(events_url(server))

    snapshot = data_of(next(listener))
    writer.tell(working().completed())

    assert (snapshot["status"], snapshot["message"]) == ("queued", "waits to be started")
    assert [event.event for event in listener][-1] == "end"


def test_a_run_that_nobody_knows_is_a_problem(server: Served) -> None:
    answer = httpx.get(f"{server.url}/runs/{EP}/nobody/events")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_all_listeners_of_a_run_share_one_tailer_which_ends_with_the_last(
    writer: Writer, server: Served
) -> None:
    writer.tell(working())
    streams = [listen(events_url(server)) for _ in range(5)]
    for listener in streams:
        next(listener)

    followed = feeds_of(server).followed
    for listener in streams:
        listener.close()  # type: ignore[attr-defined]

    assert followed == 1
    eventually(lambda: feeds_of(server).followed == 0)


def test_two_hundred_listeners_hear_all_events_in_order(writer: Writer, server: Served) -> None:
    story = working()
    writer.tell(story)

    async def hear_all() -> list[list[str]]:
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(timeout=60, limits=limits) as client:
            connected = asyncio.Semaphore(0)
            listeners = [hear_one(client, connected) for _ in range(200)]
            heard = asyncio.gather(*listeners)
            for _ in listeners:
                await connected.acquire()
            for n in range(31, 51):
                await asyncio.to_thread(writer.tell, story.reported("scan", n, 60))
            await asyncio.to_thread(writer.tell, story.completed())
            return await heard

    async def hear_one(client: httpx.AsyncClient, connected: asyncio.Semaphore) -> list[str]:
        ids = []
        async with client.stream("GET", events_url(server)) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("id: "):
                    ids.append(line.removeprefix("id: "))
                    if len(ids) == 1:
                        connected.release()
        return ids

    first = 7
    last = first + 21
    assert asyncio.run(hear_all()) == [[*map(str, range(first, last + 1)), f"{last}.end"]] * 200
    eventually(lambda: feeds_of(server).followed == 0)


def test_who_takes_nothing_holds_nobody_up_and_hears_all_of_it_later(writer: Writer) -> None:
    story = working()
    for n in range(2_000):
        story.reported("scan", n, 2_000)
    last = writer.tell(story.completed())

    async def listen_at_two_speeds() -> tuple[bytes, bytes]:
        feeds = Feeds(writer.ledger)
        key, start = RunKey(EP, RUN), Position(0)
        slow, quick = (stream(feeds, key, None, start) for _ in range(2))
        taken = await anext(slow) + await anext(slow)
        whole = b"".join([chunk async for chunk in quick])
        late = taken + b"".join([chunk async for chunk in slow])
        assert feeds.followed == 0
        return whole, late

    whole, late = asyncio.run(listen_at_two_speeds())

    assert whole == late
    assert whole.count(b"event: progress") == last - 2  # two lines only plan
    assert whole.rstrip().splitlines()[-2] == b"event: end"


def test_a_listener_that_is_far_behind_is_sent_little_at_a_time(writer: Writer) -> None:
    story = working()
    for n in range(2_000):
        story.reported("scan", n, 2_000)
    writer.tell(story.completed())

    async def sizes() -> list[int]:
        sent = stream(Feeds(writer.ledger), RunKey(EP, RUN), None, Position(0))
        return [len(chunk) async for chunk in sent]

    # What a listener takes before the server waits for it: uvicorn's mark is 64 KiB too.
    assert max(asyncio.run(sizes())) < 66_000


def test_a_listener_that_takes_nothing_for_long_is_let_go(caplog: pytest.LogCaptureFixture) -> None:
    async def something() -> AsyncIterator[bytes]:
        while True:
            yield b"data: x\n\n"

    async def stuck(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.sleep(30)

    async def connected() -> Message:
        await asyncio.sleep(30)
        return {"type": "http.disconnect"}

    response = ProgressResponse(something(), send_timeout_s=0.05)
    with caplog.at_level("INFO"):
        asyncio.run(response({"type": "http", "method": "GET"}, connected, stuck))

    assert "is let go" in caplog.text


def test_a_comment_is_sent_while_nothing_happens() -> None:
    async def nothing() -> AsyncIterator[bytes]:
        await asyncio.sleep(0.3)
        yield b"data: x\n\n"

    sent: list[bytes] = []

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))

    async def connected() -> Message:
        await asyncio.sleep(30)
        return {"type": "http.disconnect"}

    response = ProgressResponse(nothing(), heartbeat_s=0.1)
    asyncio.run(response({"type": "http", "method": "GET"}, connected, send))

    assert b": heartbeat\n\n" in sent
