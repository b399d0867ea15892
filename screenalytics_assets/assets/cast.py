"""The asset of `steps.cast`."""

from screenalytics_assets.assets.shell import build_asset
from screenalytics_core.steps.cast import STEP

cast = build_asset(STEP)
