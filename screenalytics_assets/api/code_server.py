"""What the code server says of the job: asked once per selection of assets and version of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dagster as dg
from dagster._core.definitions.selector import JobSubsetSelector
from dagster._core.errors import DagsterUserCodeProcessError, DagsterUserCodeUnreachableError
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin
from dagster._core.remote_representation.code_location import GrpcServerCodeLocation
from dagster._core.remote_representation.external import RemoteExecutionPlan, RemoteJob

from screenalytics_assets.api.waiting import WaitingRoom
from screenalytics_assets.jobs import EPISODE_JOB
from screenalytics_assets.supervisor.children import listens
from screenalytics_assets.supervisor.place import LOCATION, Place
from screenalytics_core.errors import DaemonMissingError

_REPOSITORY: Final = "__repository__"
# It is being started or restarted: long enough for that on a busy machine, and shorter than
# what the usual client waits for an answer.
_PATIENCE_S: Final = 25.0
_POLL_S: Final = 0.25
# One that is well answers all who ask at once within this.
_BRIEFLY_S: Final = 2.0
_UNREACHABLE: Final = (DagsterUserCodeUnreachableError, DagsterUserCodeProcessError)


@dataclass(frozen=True, slots=True)
class Planned:
    """A selection of the job's assets, as Dagster creates runs of it."""

    job: RemoteJob
    plan: RemoteExecutionPlan
    graph: Any


class CodeServer:
    """The code server of a DAGSTER_HOME over one connection, made anew when it was restarted.

    Any thread may use it; of those that it keeps waiting a few stay, the others are turned away.
    """

    def __init__(
        self, instance: dg.DagsterInstance, dagster_home: Path, waiting: WaitingRoom
    ) -> None:
        self._waiting = waiting
        self._instance = instance
        self._home = dagster_home
        self._lock = threading.Lock()
        self._location: GrpcServerCodeLocation | None = None
        self._planned: dict[frozenset[str], Planned] = {}

    def planned(self, assets: tuple[str, ...], run_config: Mapping[str, Any]) -> Planned:
        """Return the plan of some assets of the job.

        Args:
            run_config: Any that is valid: it decides nothing in the plan.

        Raises:
            DaemonMissingError: There is no code server, or none that answers in time.
        """
        selection = frozenset(assets)
        deadline_s = time.monotonic() + _PATIENCE_S
        planned = self._asked(selection, run_config, _BRIEFLY_S)
        if planned is not None:
            return planned
        with self._waiting.place():
            while planned is None:
                if time.monotonic() > deadline_s:
                    raise self._missing("does not answer")
                time.sleep(_POLL_S)
                planned = self._asked(selection, run_config, deadline_s - time.monotonic())
        return planned

    def _asked(
        self, selection: frozenset[str], run_config: Mapping[str, Any], patience_s: float
    ) -> Planned | None:
        """Return a plan; None while it is away, or others ask for longer than `patience_s`."""
        socket = self._socket()
        if socket is None or not self._lock.acquire(timeout=max(0.0, patience_s)):
            return None
        try:
            location = self._current(socket)
            if selection not in self._planned:
                self._planned[selection] = self._ask(location, selection, run_config)
            return self._planned[selection]
        except _UNREACHABLE:
            self._location = None
            return None
        finally:
            self._lock.release()

    def _current(self, socket: str) -> GrpcServerCodeLocation:
        location = self._location
        if location is not None and location.client.get_server_id() == location.server_id:
            return location
        self._planned.clear()
        origin = GrpcServerCodeLocationOrigin(
            host="localhost", socket=socket, location_name=LOCATION
        )
        self._location = location = origin.create_location(self._instance)
        return location

    def _socket(self) -> str | None:
        """Return where it listens; None while it is being started."""
        place = Place(self._home)
        record = place.living()
        if record is None and not place.clients():
            raise self._missing("is not there")  # and nobody will start one
        return record.socket if record is not None and listens(record.socket) else None

    def _ask(
        self,
        location: GrpcServerCodeLocation,
        selection: frozenset[str],
        run_config: Mapping[str, Any],
    ) -> Planned:
        selector = JobSubsetSelector(
            location_name=LOCATION,
            repository_name=_REPOSITORY,
            job_name=EPISODE_JOB,
            op_selection=None,
            asset_selection=[dg.AssetKey(name) for name in sorted(selection)],
        )
        job = location.get_job(selector)
        plan = location.get_execution_plan(
            job, run_config, step_keys_to_execute=None, known_state=None, instance=self._instance
        )
        return Planned(job, plan, location.get_repository(_REPOSITORY).asset_graph)

    def _missing(self, reason: str) -> DaemonMissingError:
        return DaemonMissingError(
            thing=f"code server of {self._home}",
            reason=reason,
            way_out="It may still be starting: try again in a moment. Its logs lie in "
            f"{Place(self._home).folder}.",
        )
