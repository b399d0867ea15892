"""The asset of `steps.embeddings`."""

from screenalytics_assets.assets.shell import build_asset
from screenalytics_core.steps.embeddings import STEP

embeddings = build_asset(STEP)
