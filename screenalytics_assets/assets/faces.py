"""The asset of `steps.faces`."""

from screenalytics_assets.assets.shell import build_asset
from screenalytics_core.steps.faces import STEP

faces = build_asset(STEP)
