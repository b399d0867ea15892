"""`screenalytics dev`: the Dagster UI, code server and daemon under one supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Annotated

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import tell

_GRACE_S = 10.0


def dev(
    host: Annotated[
        str, typer.Option("--host", help="Address; no login, so loopback.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port of the UI.")] = 3000,
    data_root: options.DataRoot = None,
) -> None:
    """Open the Dagster UI over the data root, with DAGSTER_HOME prepared.

    Example: screenalytics dev --port 3001
    """
    from screenalytics_assets.instance import prepare_dagster_home
    from screenalytics_assets.settings import Settings

    settings = Settings.from_env(data_root=data_root)
    home = prepare_dagster_home(settings.dagster_home)
    tell(f"data {settings.data_root}, DAGSTER_HOME {home}, UI http://{host}:{port}")
    command = [sys.executable, "-m", "dagster", "dev", "--module-name",
               "screenalytics_assets.definitions", "--host", host, "--port", str(port)]  # fmt: skip
    # A group of its own: `dagster dev` does not always end its children on SIGTERM.
    process = subprocess.Popen(command, env=settings.child_environment(), start_new_session=True)
    raise typer.Exit(_supervise(process))


def _supervise(process: subprocess.Popen[bytes]) -> int:
    """Wait for `process`; on Ctrl-C or SIGTERM end its whole group, by force after a grace."""

    def stop(_signum: int, _frame: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, stop)
    try:
        return process.wait()
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=_GRACE_S)
        except subprocess.TimeoutExpired:
            tell("still running after 10 s: killed")
        return 0
    finally:
        _kill_group(process.pid)
        signal.signal(signal.SIGTERM, previous)


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
