"""Fixtures that tests of several rooms share."""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from screenalytics_assets.settings import Settings
from screenalytics_core.vision.models.home import ModelsHome
from screenalytics_core.vision.models.lite_install import install_lite
from screenalytics_core.vision.models.packs import find_pack
from screenalytics_core.vision.models.protocols import ModelPack


def pytest_configure(config: pytest.Config) -> None:
    """Hear Ctrl-C and a closed terminal: what a shell starts in the background may be deaf to it.

    Children inherit that.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    # How long an example takes says how busy the machine is, and nothing of the code.
    hypothesis_settings.register_profile(
        "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    hypothesis_settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make chaos` and `make test-api` ask for more rounds, `make test-ui` for a browser."""
    parser.addoption("--chaos-rounds", type=int, default=2, help="rounds of killed runs")
    parser.addoption(
        "--schema-examples", type=int, help="fresh requests to each operation of the HTTP service"
    )
    parser.addoption("--ui", action="store_true", help="drive Dagster's UI in a real browser")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the browser out unless it is asked for."""
    if config.getoption("--ui"):
        return
    for item in items:
        if item.get_closest_marker("ui"):
            item.add_marker(pytest.mark.skip(reason="opt-in: make test-ui"))


@pytest.fixture(scope="session")
def lite_home() -> ModelsHome:
    """The folder that the product itself uses, so that a demo before or after shares it."""
    settings = Settings.from_env()
    return ModelsHome(settings.models_dir, settings.insightface_root)


@pytest.fixture(scope="session")
def lite_pack(lite_home: ModelsHome) -> ModelPack:
    """The pack `lite`, installed on first use; the installer's own lock serves parallel tests."""
    # Not through find_pack, which would be content with an older release's pack.
    install_lite(lite_home.models_dir, [].append)
    return find_pack(
        "lite",
        lite_home,
        device="cpu",
        embed_device=None,
        install_missing=False,
        progress=[].append,
    )
