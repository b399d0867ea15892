"""The asset of `steps.report`."""

from screenalytics_assets.assets.shell import build_asset
from screenalytics_core.steps.report import STEP

report = build_asset(STEP)
