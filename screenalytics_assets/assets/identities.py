"""The asset of `steps.identities`."""

from screenalytics_assets.assets.shell import build_asset
from screenalytics_core.steps.identities import STEP

identities = build_asset(STEP)
