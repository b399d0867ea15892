"""The asset of `steps.tracks`."""

from screenalytics_assets.assets.shell import build_asset
from screenalytics_core.steps.tracks import STEP

tracks = build_asset(STEP)
