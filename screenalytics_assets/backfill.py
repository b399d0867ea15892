"""Runs a backfill without a daemon: a few processes at a time, one Dagster run in each.

Ctrl-C and SIGTERM end the children cleanly, so their runs end canceled. A backfill that is
killed takes its children with it; what they left is unfinished, and the next start resumes it.
"""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from screenalytics_assets.backfill_worker import MODULE, Job, JobResult
from screenalytics_assets.settings import Settings
from screenalytics_assets.tags import BACKFILL_ID_TAG
from screenalytics_core import retries
from screenalytics_core.backfills.record import BackfillRecord, PlannedEpisode

_LOG: Final = logging.getLogger(__name__)
_POLL_S: Final = 0.1
# Canceling waits for the inference at work, then takes the run's end into the ledger.
_GRACE_S: Final = 60.0
_LAST_CHARACTERS: Final = 2_000

Event = Callable[[PlannedEpisode, str, JobResult | None], None]
"""(episode, what happened: started, ended or waits, its result if it ended)"""


@dataclass(slots=True)
class _Waiting:
    """An episode to start, not before a time of the monotonic clock."""

    planned: PlannedEpisode
    tries: int = 0
    not_before_s: float = 0.0


@dataclass(slots=True)
class _Child:
    """An episode at work."""

    waiting: _Waiting
    process: subprocess.Popen[bytes]
    result: Path
    says: Path

    def outcome(self) -> JobResult:
        """Return what became of it; a process that said nothing crashed or was killed."""
        try:
            return JobResult(**json.loads(self.result.read_bytes()))
        except FileNotFoundError:
            return JobResult(False, self._last_words(), "process_died")

    def _last_words(self) -> str:
        code = self.process.returncode
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        tail = self.says.read_text(errors="replace")[-_LAST_CHARACTERS:].strip()
        return f"its process ended with {how}" + (f": {tail}" if tail else "")


@dataclass(slots=True)
class Backfill:
    """A backfill at work."""

    settings: Settings
    record: BackfillRecord
    on_event: Event
    results: dict[str, JobResult] = field(default_factory=dict)
    _queue: deque[_Waiting] = field(default_factory=deque)
    _children: list[_Child] = field(default_factory=list)

    def run(self) -> dict[str, JobResult]:
        """Run every planned episode; return ep_id -> result of those that ended.

        Raises:
            KeyboardInterrupt: Ctrl-C or SIGTERM; the children have ended.
        """
        self._queue = deque(_Waiting(planned) for planned in self.record.episodes)
        with TemporaryDirectory(prefix="screenalytics-") as folder, _sigterm_as_interrupt():
            try:
                while self._queue or self._children:
                    self._start_due(Path(folder))
                    self._reap()
                    time.sleep(_POLL_S)
            finally:
                self._end_children()
        return self.results

    def _start_due(self, folder: Path) -> None:
        for _ in range(len(self._queue)):
            if len(self._children) >= self.record.jobs:
                return
            waiting = self._queue.popleft()
            if waiting.not_before_s > time.monotonic():
                self._queue.append(waiting)
                continue
            self._children.append(self._start(waiting, folder))
            self.on_event(waiting.planned, "started", None)

    def _start(self, waiting: _Waiting, folder: Path) -> _Child:
        planned = waiting.planned
        name = f"{planned.ep_id}.{waiting.tries}"
        result, says = folder / f"{name}.json", folder / f"{name}.txt"
        job = Job(
            ep_id=planned.ep_id,
            run_id=planned.run_id,
            settings=dict(self.record.settings),
            tags={BACKFILL_ID_TAG: self.record.backfill_id},
            data_root=str(self.settings.data_root),
            result=str(result),
        )
        with says.open("wb") as told:
            process = subprocess.Popen(
                [sys.executable, "-m", MODULE],
                stdin=subprocess.PIPE,
                stdout=told,
                stderr=told,
                env=self.settings.child_environment(),
                # A group of its own: Ctrl-C at the terminal reaches it once, through us.
                start_new_session=True,
            )
        if process.stdin is not None:
            # It stays open: that it closes tells the child to cancel its run.
            with suppress(BrokenPipeError):  # what killed it is told when it is reaped
                process.stdin.write(job.to_line())
                process.stdin.flush()
        return _Child(waiting, process, result, says)

    def _reap(self) -> None:
        for child in [c for c in self._children if c.process.poll() is not None]:
            self._children.remove(child)
            _close(child)
            self._take(child.waiting, child.outcome())

    def _take(self, waiting: _Waiting, result: JobResult) -> None:
        """Keep a result, or put the episode at the end of the queue if the error may pass.

        What a step met was tried again inside the run; here only what nothing was tried of yet.
        """
        tries = waiting.tries + 1
        may_pass = not result.was_run and retries.is_transient(result.error_code or "")
        pause_s = retries.pause_s(tries) if may_pass else None
        if pause_s is not None:
            self._queue.append(_Waiting(waiting.planned, tries, time.monotonic() + pause_s))
            self.on_event(waiting.planned, f"waits {pause_s:g} s", result)
            return
        self.results[waiting.planned.ep_id] = result
        self.on_event(waiting.planned, "ended", result)

    def _end_children(self) -> None:
        """End what is still at work, by force after a grace or at a second Ctrl-C."""
        for child in self._children:
            _close(child)
        try:
            deadline_s = time.monotonic() + _GRACE_S
            for child in self._children:
                child.process.wait(timeout=max(deadline_s - time.monotonic(), 0.1))
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            _LOG.warning("runs that did not end are killed; the next start resumes them")
        finally:
            for child in self._children:
                child.process.kill()
                child.process.wait()
        self._reap_ended()

    def _reap_ended(self) -> None:
        for child in self._children:
            self.results[child.waiting.planned.ep_id] = child.outcome()
        self._children.clear()


def _close(child: _Child) -> None:
    if child.process.stdin is not None:
        with suppress(BrokenPipeError):  # it may be gone before it has read
            child.process.stdin.close()


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    def interrupt(_signum: int, _frame: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
