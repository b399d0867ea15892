"""The asset of `steps.screen_time`."""

from screenalytics_assets.assets.shell import build_asset
from screenalytics_core.steps.screen_time import STEP

screen_time = build_asset(STEP)
