"""Talks to a job API: sends videos, starts and ends jobs, and hears how they go on.

A server may restart at any moment. What can be asked twice is asked again; progress goes on
where it was left.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx
from httpx_sse import EventSource

from screenalytics_core.errors import ApiError, ScreenalyticsError, SettingsError

PATIENCE_S: Final = 300.0
"""Seconds without a word from the server after which a listener gives up."""
# Three heartbeats of a stream: then nobody is there, whatever the network says.
_SILENCE_S: Final = 45.0
# A launch reads the video's facts and waits for the daemon first.
_TIMEOUT_S: Final = 60.0
_CONNECT_S: Final = 10.0
# A server that restarts is back within seconds.
_PAUSES_S: Final = (0.5, 1.0, 2.0)
_LONGEST_PAUSE_S: Final = 5.0
_CHUNK_BYTES: Final = 1 << 20
# An end stands in the run's log a moment before the job's view knows it.
_SETTLED_S: Final = 30.0

Tell = Callable[[str], None]
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """What a stream said: `snapshot`, `progress` or `end`, and its payload."""

    name: str
    data: Document


class ApiClient:
    """A job API at a URL.

    Args:
        token: What its requests bear; None for a server that asks for none.

    Raises:
        SettingsError: The URL is none of HTTP.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            is_http = httpx.URL(self.url).scheme in {"http", "https"} and httpx.URL(self.url).host
        except httpx.InvalidURL:
            is_http = ""
        if not is_http:
            raise SettingsError(
                thing=f"--api {url!r}",
                reason="is no address of a server",
                way_out="Write it as http://127.0.0.1:8000.",
            )
        timeout = httpx.Timeout(_TIMEOUT_S, connect=_CONNECT_S)
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.close()

    def send_video(self, ep_id: str, path: Path, *, replace: bool = False) -> None:
        """Send a file as an episode's video; the same content again changes nothing.

        Raises:
            ApiError: The server refused it, or cannot be reached.
            SettingsError: The file cannot be read.
        """
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                answer = self._http.put(
                    f"/episodes/{ep_id}/video",
                    params={"filename": path.name, "replace": str(replace).lower()},
                    headers={"Content-Length": str(size)},
                    content=iter(lambda: file.read(_CHUNK_BYTES), b""),
                )
        except OSError as error:
            raise SettingsError(
                thing=f"video {path}", reason=f"cannot be read ({error})", way_out="Check the path."
            ) from error
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        self._checked(answer)

    def start(self, body: Mapping[str, Any], job_type: str = "episode-run") -> Document:
        """Start a job; sent twice it is the same one.

        Raises:
            SettingsError: Something that was asked for cannot be meant.
            ApiError: The server refused it otherwise, or cannot be reached.
        """
        key = str(uuid.uuid4())
        path = f"/jobs/{job_type}"
        return self._asked("POST", path, json=dict(body), headers={"Idempotency-Key": key})

    def cancel(self, job_id: str) -> None:
        """End a job before its time; one that has ended already stays as it is."""
        answer = self._answer("POST", f"/jobs/{job_id}/cancel")
        if answer.status_code != httpx.codes.CONFLICT:
            self._checked(answer)

    def job(self, job_id: str) -> Document:
        """Return a job as it is now."""
        return self._asked("GET", f"/jobs/{job_id}")

    def ended_job(self, job_id: str) -> Document:
        """Return a job that has ended, as soon as its view knows it."""
        deadline_s = time.monotonic() + _SETTLED_S
        while True:
            job = self.job(job_id)
            if job["state"] != "running" or time.monotonic() > deadline_s:
                return job
            time.sleep(_PAUSES_S[0])

    def progress(self, job_id: str, tell: Tell) -> JobProgress:
        """Return what is heard of a job, from its first event to its end."""
        return JobProgress(self, job_id, tell)

    def listen(self, path: str, last_id: str) -> Iterator[tuple[str, Heard | None]]:
        """Yield what one stream says, each with its id, until it closes; None = it is there.

        Raises:
            httpx.TransportError: The connection broke.
            ApiError: The server refused it.
        """
        headers = {"Last-Event-ID": last_id, "Accept": "text/event-stream"}
        timeout = httpx.Timeout(_SILENCE_S, connect=_CONNECT_S)
        with self._http.stream("GET", path, headers=headers, timeout=timeout) as answer:
            if answer.is_error:
                answer.read()
            self._checked(answer)
            for event in EventSource(answer).iter_sse():
                # Comments, and how soon to come back, have no data.
                is_said = bool(event.data)
                yield event.id, Heard(event.event, json.loads(event.data)) if is_said else None

    def _asked(self, method: str, path: str, **request: Any) -> Document:
        found: Document = self._checked(self._answer(method, path, **request)).json()
        return found

    def _answer(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Ask what may be asked twice, and again while the server cannot be reached."""
        for pause_s in (*_PAUSES_S, None):
            try:
                return self._http.request(method, path, **request)
            except httpx.TransportError as error:
                if pause_s is None:
                    raise self._unreachable(error) from error
                time.sleep(pause_s)
        raise AssertionError("the last round returns or raises")

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            return answer
        status = answer.status_code
        is_misuse = status in {httpx.codes.BAD_REQUEST, httpx.codes.UNPROCESSABLE_ENTITY}
        kind: type[ScreenalyticsError] = SettingsError if is_misuse else ApiError
        raise kind(
            thing=f"{self.url} says {status}",
            reason=_reason(answer),
            way_out=_WAYS_OUT.get(status, ""),
            status=status,
        )

    def _unreachable(self, error: Exception) -> ApiError:
        return ApiError(
            thing=f"job API {self.url}",
            reason=f"cannot be reached ({error or type(error).__name__})",
            way_out="Start it with `screenalytics api`, or check --api.",
            status=None,
        )


_WAYS_OUT: Final = {401: "Set SCREENALYTICS_API_TOKEN to the server's token."}


def _reason(answer: httpx.Response) -> str:
    """Return what a problem document says, else the status in words."""
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict) or "detail" not in problem:
        return answer.reason_phrase
    wrong = [
        f"{'.'.join(map(str, field['loc'][1:]))}: {field['msg']}"
        for field in problem.get("errors", ())
    ]
    return " ".join([str(problem["detail"]), "; ".join(wrong)]).strip().rstrip(".")


class JobProgress:
    """What is heard of a job; to be iterated again after an interruption, where it was left.

    Attributes:
        last_id: Of the last that was heard.
    """

    def __init__(self, client: ApiClient, job_id: str, tell: Tell) -> None:
        self._client = client
        self._path = f"/jobs/{job_id}/events"
        self._tell = tell
        self.last_id = "0"

    def __iter__(self) -> Iterator[Heard]:
        """Yield what is new, up to and with the `end`; a stream that breaks is taken up again.

        Raises:
            ApiError: The server refused, or was silent for longer than `PATIENCE_S`.
        """
        silent_since_s, failures = time.monotonic(), 0
        while True:
            trouble = "it closed the stream"
            try:
                for last_id, heard in self._client.listen(self._path, self.last_id):
                    failures = 0
                    if heard is None:
                        continue
                    self.last_id = last_id
                    yield heard
                    if heard.name == "end":
                        return
            except httpx.TransportError as error:
                trouble = str(error) or type(error).__name__
            except ApiError as error:
                if error.status < httpx.codes.INTERNAL_SERVER_ERROR:
                    raise
                trouble = str(error)
            failures += 1
            if failures == 1:
                silent_since_s = time.monotonic()
            if time.monotonic() - silent_since_s > PATIENCE_S:
                raise ApiError(
                    thing=f"progress of {self._client.url}{self._path}",
                    reason=f"stopped coming ({trouble})",
                    way_out="The job itself goes on; ask again when the server is back.",
                )
            if failures == 2:  # the first may be a restart
                self._tell(f"the server does not answer ({trouble}); the job goes on, still trying")
            time.sleep(min(_PAUSES_S[0] * 2 ** (failures - 1), _LONGEST_PAUSE_S))
