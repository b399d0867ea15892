"""The asset of `steps.body_tracks`."""

from screenalytics_assets.assets.shell import build_asset
from screenalytics_core.steps.body_tracks import STEP

body_tracks = build_asset(STEP)
