"""Where packs lie on this machine; the only place that knows folder names of packs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ModelsHome:
    """Folders of installed packs.

    Attributes:
        models_dir: Our own packs, one folder each.
        insightface_root: insightface's folder; its packs lie in `models/NAME` below.
    """

    models_dir: Path
    insightface_root: Path

    def own(self, name: str) -> Path:
        """Return the folder of one of our packs."""
        return self.models_dir / name

    def insightface(self, name: str) -> Path:
        """Return the folder of an insightface pack."""
        return self.insightface_root / "models" / name
