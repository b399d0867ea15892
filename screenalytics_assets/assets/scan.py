"""The asset of `steps.scan`."""

from screenalytics_assets.assets.shell import build_asset
from screenalytics_core.steps.scan import STEP

scan = build_asset(STEP)
