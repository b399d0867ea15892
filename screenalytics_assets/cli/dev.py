"""`screenalytics dev`: the Dagster UI, code server and daemon under one supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import tell
from screenalytics_assets.cli.stopping import stoppable

if TYPE_CHECKING:
    from screenalytics_assets.settings import Settings

_GRACE_S: Final = 10.0


def dev(
    host: Annotated[
        str, typer.Option("--host", help="Address; no login, so loopback.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port of the UI.")] = 3000,
    data_root: options.DataRoot = None,
) -> None:
    """Open the Dagster UI over the data root, with DAGSTER_HOME prepared.

    `screenalytics api` beside it works with the same code server and daemon.

    Example: screenalytics dev --port 3001
    """
    from screenalytics_assets.instance import prepare_dagster_home
    from screenalytics_assets.settings import Settings
    from screenalytics_assets.supervisor.lease import Lease
    from screenalytics_assets.supervisor.place import Place

    settings = Settings.from_env(data_root=data_root)
    home = prepare_dagster_home(settings.dagster_home, settings.data_root)
    url = f"http://{host}:{port}"
    with stoppable(), Lease(settings, "dev", url) as lease:
        try:
            lease.ready()
            tell(f"data {settings.data_root}, DAGSTER_HOME {home}, UI {url}")
            tell(f"logs of code server and daemon: {home / 'supervisor'}")
            status = _serve(settings, Place(home).workspace, host, port)
        except KeyboardInterrupt:
            status = 0
        finally:
            if not lease.stop_supervisor():
                tell("code server and daemon go on: `screenalytics api` uses them")
    raise typer.Exit(status)


def _serve(settings: Settings, workspace: Path, host: str, port: int) -> int:
    """Serve the UI until it ends or is ended; nothing of it is left behind."""
    command = [sys.executable, "-m", "dagster_webserver", "--workspace", str(workspace),
               "--host", host, "--port", str(port), "--live-data-poll-rate", "2000"]  # fmt: skip
    process = subprocess.Popen(command, env=settings.child_environment(), start_new_session=True)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        try:
            process.wait(timeout=_GRACE_S)
        except subprocess.TimeoutExpired:
            tell("the UI still runs after 10 s: killed")
        return 0
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
