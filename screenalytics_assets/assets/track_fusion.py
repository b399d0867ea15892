"""The asset of `steps.track_fusion`."""

from screenalytics_assets.assets.shell import build_asset
from screenalytics_core.steps.track_fusion import STEP

track_fusion = build_asset(STEP)
