"""`screenalytics api`: jobs, progress and results over HTTP."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import tell
from screenalytics_assets.cli.stopping import stoppable

if TYPE_CHECKING:
    from screenalytics_assets.settings import Settings
    from screenalytics_assets.supervisor.lease import Lease

# Streams of progress stay open for hours; whoever reads one connects again.
_GRACE_S = 3


def api(
    host: Annotated[
        str, typer.Option("--host", help="Address; other than loopback only with a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port.")] = 8000,
    data_root: options.DataRoot = None,
) -> None:
    """Serve the job API over the data root, with code server and daemon behind it.

    Whoever ends it, by whatever means, ends no job: they go on, and the next
    `screenalytics api` tells of them. With SCREENALYTICS_API_TOKEN set, requests bear it.

    Example: screenalytics api --port 8000
    """
    from screenalytics_assets.instance import prepare_dagster_home
    from screenalytics_assets.settings import Settings
    from screenalytics_assets.supervisor.lease import Lease

    settings = Settings.from_env(data_root=data_root)
    check_host(host, settings)
    home = prepare_dagster_home(settings.dagster_home, settings.data_root)
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    with stoppable(), Lease(settings, "api", url) as lease:
        tell(f"data {settings.data_root}, DAGSTER_HOME {home}, API {url}, its document {url}/docs")
        _serve(settings, host, port)
        _leave(settings, lease)


def check_host(host: str, settings: Settings) -> None:
    """Refuse to let in the whole network without a token.

    Raises:
        SettingsError: `host` is not loopback, and there is no token.
    """
    from screenalytics_core.errors import SettingsError

    if settings.api.token is None and not _is_loopback(host):
        raise SettingsError(
            thing=f"--host {host}",
            reason="is reached by others, and no token keeps them out",
            way_out="Set SCREENALYTICS_API_TOKEN, or leave --host out to serve this machine only.",
        )


def _is_loopback(host: str) -> bool:
    import ipaddress

    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False  # a name may lead anywhere


def _serve(settings: Settings, host: str, port: int) -> None:
    """Serve until Ctrl-C or SIGTERM, which uvicorn repeats once it has ended its requests."""
    from screenalytics_assets.cli.imports import collect_rarely, without_gc

    with without_gc():
        import uvicorn

        from screenalytics_assets.api.app import create_app

        app = create_app(settings)
    collect_rarely()
    with suppress(KeyboardInterrupt):
        uvicorn.run(
            app,
            host=host.strip("[]"),
            port=port,
            # The other implementation takes headers of any length before anybody is asked.
            http="h11",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_GRACE_S,
            server_header=False,
            # Whoever says to forward for others would be counted as them.
            proxy_headers=False,
        )


def _leave(settings: Settings, lease: Lease) -> None:
    """End code server and daemon with the server, unless a job needs them."""
    import dagster as dg

    from screenalytics_assets.instance import open_instance
    from screenalytics_assets.liveness import UNENDED

    with open_instance(settings.dagster_home) as instance:
        going_on = instance.get_runs_count(dg.RunsFilter(statuses=list(UNENDED)))
    if going_on:
        tell(f"{going_on} jobs go on without the server; start it again to see them")
    elif not lease.stop_supervisor():
        tell("code server and daemon go on: `screenalytics dev` uses them")
